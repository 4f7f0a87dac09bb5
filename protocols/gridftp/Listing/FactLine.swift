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
        guard let blank = line.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        name = line[(blank + 1)...]
        let facts = line[..<blank]
        guard facts.contains(UInt8(ascii: "=")), facts.last == UInt8(ascii: ";") else { return nil }
        for fact in facts.split(separator: UInt8(ascii: ";")) {
            guard let equals = fact.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let value = String(decoding: fact[(equals + 1)...], as: UTF8.self)
            switch Self.key(fact[..<equals]) {
            case "type": read(type: value.lowercased())
            case "size": size = max(0, Int(value) ?? 0)
            case "modify": modified = Self.seconds(value)
            case "unix.mode": permissions = Int(value, radix: 8).map { $0 & 0o7777 }
            case "unix.slink": isLink = true
            case "unique": unique = value
            case "x.count": count = Int(value).flatMap { $0 >= 0 ? $0 : nil }
            default: break
            }
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

    private mutating func read(type: String) {
        switch type {
        case "file": kind = .file
        case "dir": kind = .directory
        case "cdir": (kind, role) = (.directory, .itself)
        case "pdir": (kind, role) = (.directory, .parent)
        default:
            kind = .other
            if type.hasPrefix("os.unix=slink") || type.hasPrefix("os.unix=symlink") { isLink = true }
        }
    }

    private static func key(_ bytes: Data) -> String { String(decoding: bytes, as: UTF8.self).lowercased() }

    /// `20261121204602`, with or without a fraction, in UTC.
    static func seconds(_ text: String) -> Int? {
        let digits = Array(text.utf8.prefix(14))
        guard digits.count == 14, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + Int($1) - 48 } }
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
