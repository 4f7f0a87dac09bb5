import Foundation
import HaulModel
import HaulProtocol

/// What MLST and MLSC tell of one file (RFC 3659, 7): `Type=file;Size=6;Modify=20261121204602;UNIX.mode=0644; name`.
struct FactLine: Sendable, Equatable {
    enum Role: Sendable, Equatable { case entry, itself, parent }

    var role = Role.entry
    /// What it is, of a link what it leads to.
    var kind = ListingEntry.Kind.other
    var isLink = false
    var size = 0
    /// Seconds since 1970.
    var modified: Int?
    var permissions: Int?
    /// The same for two paths of one file.
    var unique: String?
    /// Of a directory that is listed: the names in it, those left out (links that lead nowhere) included.
    var count: Int?
    var name: Data = Data()

    init() {}

    /// - Returns: Nil for what is no such line.
    init?(_ line: Data) {
        let blank: Int? = line.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let found = memchr(base, 32, bytes.count) else { return nil }
            let blank = UnsafeRawPointer(found) - base
            return read(UnsafeRawBufferPointer(rebasing: bytes[..<blank])) ? blank : nil
        }
        guard let blank else { return nil }
        name = line[(line.startIndex + blank + 1)...]
    }

    /// Reads `Type=file;Size=6;`.
    /// - Returns: False for what is no such text.
    private mutating func read(_ facts: UnsafeRawBufferPointer) -> Bool {
        guard facts.count >= 2, facts[facts.count - 1] == UInt8(ascii: ";") else { return false }
        var hasFact = false
        var start = 0
        while start < facts.count {
            var end = start
            var equals: Int?
            while facts[end] != UInt8(ascii: ";") {
                if equals == nil, facts[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            if end > start {
                guard let equals else { return false }
                hasFact = true
                let key = UnsafeRawBufferPointer(rebasing: facts[start..<equals])
                read(key, UnsafeRawBufferPointer(rebasing: facts[(equals + 1)..<end]))
            }
            start = end + 1
        }
        return hasFact
    }

    private mutating func read(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        if Self.isName(key, "type") {
            read(type: value)
        } else if Self.isName(key, "size") {
            size = Self.number(value) ?? 0
        } else if Self.isName(key, "modify") {
            modified = Self.seconds(value)
        } else if Self.isName(key, "unix.mode") {
            permissions = Int(String(decoding: value, as: UTF8.self), radix: 8).map { $0 & 0o7777 }
        } else if Self.isName(key, "unix.slink") {
            isLink = true
        } else if Self.isName(key, "unique") {
            unique = String(decoding: value, as: UTF8.self)
        } else if Self.isName(key, "x.count") {
            count = Self.number(value)
        }
    }

    func facts(follow: Bool) -> FileFacts {
        let kind = isLink && !follow ? ListingEntry.Kind.link : kind
        return FileFacts(kind: kind, size: size, modified: modified, permissions: permissions.map { $0 & 0o777 })
    }

    /// - Throws: ``BackendFailure`` for a name that no job can name.
    func entry(in directory: String, follow: Bool) throws -> ListingEntry {
        let facts = facts(follow: follow)
        return ListingEntry(
            name: try EntryName.text(name, in: directory), kind: facts.kind, size: facts.size,
            permissions: facts.permissions, modified: facts.modified ?? 0)
    }

    private mutating func read(type: UnsafeRawBufferPointer) {
        if Self.isName(type, "file") {
            kind = .file
        } else if Self.isName(type, "dir") {
            kind = .directory
        } else if Self.isName(type, "cdir") {
            (kind, role) = (.directory, .itself)
        } else if Self.isName(type, "pdir") {
            (kind, role) = (.directory, .parent)
        } else {
            kind = .other
            let leads: [StaticString] = ["os.unix=slink", "os.unix=symlink"]
            if leads.contains(where: { type.count >= $0.utf8CodeUnitCount && Self.begins(type, $0) }) { isLink = true }
        }
    }

    /// Whether the bytes are that name, in whatever case.
    /// - Parameter name: In lower case.
    private static func isName(_ bytes: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        bytes.count == name.utf8CodeUnitCount && begins(bytes, name)
    }

    private static func begins(_ bytes: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        for index in 0..<name.utf8CodeUnitCount {
            let byte = bytes[index]
            let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            guard (isUpper ? byte | 0x20 : byte) == name.utf8Start[index] else { return false }
        }
        return true
    }

    /// Nil for what is no number, or none that fits.
    private static func number(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
        var number = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + Int(byte) - 48
        }
        return number
    }

    /// `20261121204602`, with or without a fraction, in UTC.
    static func seconds(_ text: String) -> Int? {
        var text = text
        return text.withUTF8 { seconds(UnsafeRawBufferPointer($0)) }
    }

    private static func seconds(_ text: UnsafeRawBufferPointer) -> Int? {
        guard text.count >= 14, Self.number(UnsafeRawBufferPointer(rebasing: text[..<14])) != nil else { return nil }
        func number(_ range: Range<Int>) -> Int { text[range].reduce(0) { $0 * 10 + Int($1) - 48 } }
        let (year, month, day) = (number(0..<4), number(4..<6), number(6..<8))
        guard year > 0, (1...12).contains(month), (1...31).contains(day) else { return nil }
        // Days since 1970 by the Gregorian calendar, with March as a year's first month.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return days * 86_400 + number(8..<10) * 3600 + number(10..<12) * 60 + number(12..<14)
    }

    /// A time as MFMT takes it.
    static func stamp(_ seconds: Int) -> String? {
        var time = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&time, &parts) != nil, (0..<9999).contains(Int(parts.tm_year) + 1900) else { return nil }
        func padded(_ value: Int32, _ width: Int = 2) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return padded(parts.tm_year + 1900, 4) + padded(parts.tm_mon + 1) + padded(parts.tm_mday)
            + padded(parts.tm_hour) + padded(parts.tm_min) + padded(parts.tm_sec)
    }
}
