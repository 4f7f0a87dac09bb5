import Foundation

/// Lines of a listing as NDJSON. The form that haul's own workers write is read and written here; any other spelling
/// that `ListingLine` accepts is left to `JSONDecoder`, which takes twenty times as long.
public enum ListingLineCodec {
    public static func encode(_ line: ListingLine, into bytes: inout [UInt8]) {
        bytes += Array("{\"dir\":".utf8)
        append(line.directory, to: &bytes)
        if let entry = line.entry {
            bytes += Array(",\"name\":".utf8)
            append(entry.name, to: &bytes)
            bytes += Array(
                ",\"st_size\":\(entry.size),\"st_mode\":\(entry.mode),\"st_mtime\":\(entry.modified)".utf8)
        }
        bytes += [UInt8(ascii: "}"), 0x0A]
    }

    /// Adds a JSON string with its quotes.
    public static func append(_ text: String, to bytes: inout [UInt8]) {
        var encoder = JSONStringEncoder()
        bytes.append(UInt8(ascii: "\""))
        bytes += encoder.encode(Array(text.utf8)) + encoder.finish()
        bytes.append(UInt8(ascii: "\""))
    }

    /// Nil for what is no line of a listing.
    public static func decode(_ bytes: ArraySlice<UInt8>) -> ListingLine? {
        var plain = PlainLine(bytes)
        if let line = plain.parse() { return line }
        return try? JSONDecoder().decode(ListingLine.self, from: Data(bytes))
    }
}

/// A flat object of strings without escapes and whole numbers. Gives up, rather than decide, on all else.
private struct PlainLine {
    private let bytes: ArraySlice<UInt8>
    private var at: Int
    private var directory: String?
    private var name: String?
    private var size: Int?
    private var mode: Int?
    private var modified: Int?

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        at = bytes.startIndex
    }

    mutating func parse() -> ListingLine? {
        guard take(UInt8(ascii: "{")) else { return nil }
        repeat {
            guard let key = string(), take(UInt8(ascii: ":")), readValue(of: key) else { return nil }
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")), at == bytes.endIndex, let directory else { return nil }
        guard let name else {
            return size == nil && mode == nil && modified == nil ? ListingLine(directory: directory, entry: nil) : nil
        }
        // A final slash, and a mode that is not given, have a meaning that is the model's to tell.
        guard let size, let mode, let modified, name.utf8.last != UInt8(ascii: "/") else { return nil }
        return ListingLine(
            directory: directory, entry: ListingEntry(name: name, size: size, mode: mode, modified: modified))
    }

    private mutating func readValue(of key: String) -> Bool {
        switch key {
        case "dir" where directory == nil: directory = string()
        case "name" where name == nil: name = string()
        case "st_size" where size == nil: size = number()
        case "st_mode" where mode == nil: mode = number()
        case "st_mtime" where modified == nil: modified = number()
        default: return false
        }
        return switch key {
        case "dir": directory != nil
        case "name": name != nil
        case "st_size": size != nil
        case "st_mode": mode != nil
        default: modified != nil
        }
    }

    private mutating func skipSpaces() {
        while at < bytes.endIndex, bytes[at] == 0x20 || bytes[at] == 0x09 { at += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpaces()
        guard at < bytes.endIndex, bytes[at] == byte else { return false }
        at += 1
        skipSpaces()
        return true
    }

    private mutating func string() -> String? {
        guard at < bytes.endIndex, bytes[at] == UInt8(ascii: "\"") else { return nil }
        var end = at + 1
        while end < bytes.endIndex, bytes[end] != UInt8(ascii: "\"") {
            if bytes[end] < 0x20 || bytes[end] == UInt8(ascii: "\\") { return nil }
            end += 1
        }
        guard end < bytes.endIndex, let text = String(validating: bytes[(at + 1)..<end], as: UTF8.self) else {
            return nil
        }
        at = end + 1
        return text
    }

    private mutating func number() -> Int? {
        let start = at
        var value = 0
        while at < bytes.endIndex, (0x30...0x39).contains(bytes[at]), at - start < 18 {
            value = value * 10 + Int(bytes[at] - 0x30)
            at += 1
        }
        // No sign, fraction, exponent or leading zero: whatever follows is not a delimiter then.
        guard at > start, at < bytes.endIndex, bytes[start] != 0x30 || at == start + 1 else { return nil }
        return value
    }
}
