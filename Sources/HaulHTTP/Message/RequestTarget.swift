/// The target of a request line taken apart (RFC 9112, 3.2; RFC 3986).
struct RequestTarget {
    var path = "/"
    var segments: [String] = []
    var query: [(name: String, value: String)] = []
    /// An escape that is none, or bytes that are no UTF-8.
    var isMalformed = false
    /// `%00` or a raw NUL: never of use, often an attack.
    var hasNUL = false

    init(_ raw: String) {
        var target = Substring(raw)
        // Absolute form, which a server has to accept: the authority is not ours to judge.
        if let scheme = target.range(of: "://", before: "/?") {
            let rest = target[scheme.upperBound...]
            target = rest.firstIndex { $0 == "/" || $0 == "?" }.map { rest[$0...] } ?? "/"
        }
        let mark = target.firstIndex(of: "?")
        path = String(target[..<(mark ?? target.endIndex)])
        if path.isEmpty { path = "/" }
        var pieces = path.split(separator: "/", omittingEmptySubsequences: false)
        if pieces.first == "" { pieces.removeFirst() }
        if pieces.last == "" { pieces.removeLast() }
        segments = pieces.map { decode($0, plusIsSpace: false) }
        guard let mark else { return }
        for pair in target[target.index(after: mark)...].split(separator: "&") {
            let equals = pair.firstIndex(of: "=")
            let name = decode(pair[..<(equals ?? pair.endIndex)], plusIsSpace: true)
            let value = equals.map { decode(pair[pair.index(after: $0)...], plusIsSpace: true) } ?? ""
            query.append((name, value))
        }
    }

    private mutating func decode(_ text: Substring, plusIsSpace: Bool) -> String {
        if !text.utf8.contains(where: { $0 == 0x25 || $0 == 0x2b || $0 >= 0x80 || $0 == 0 }) { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+"), plusIsSpace {
                bytes.append(0x20)
            } else if byte != UInt8(ascii: "%") {
                bytes.append(byte)
            } else if let high = rest.first.flatMap(Self.hex), let low = rest.dropFirst().first.flatMap(Self.hex) {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                isMalformed = true
                bytes.append(byte)
            }
        }
        if bytes.contains(0) { hasNUL = true }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        isMalformed = true
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Substring {
    /// Where `text` first stands, if none of `stops` comes before it.
    fileprivate func range(of text: String, before stops: String) -> Range<Index>? {
        guard let first = firstIndex(where: { text.first == $0 || stops.contains($0) }),
            self[first...].hasPrefix(text)
        else { return nil }
        return first..<index(first, offsetBy: text.count)
    }
}
