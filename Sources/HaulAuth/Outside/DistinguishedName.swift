/// The subject of a certificate, to be compared: in the form of RFC 4514 (`CN=worker-1,O=site`, the nearest first) or in
/// OpenSSL's of old (`/O=site/CN=worker-1`, the nearest last).
///
/// Two are the same only where they have the same names of the same kinds in the same order, so that a value which holds
/// what looks like another name (`CN=x/CN=worker-1`) is still one value.
public struct DistinguishedName: Sendable, Hashable {
    /// The kind in capitals, and the value as it is.
    private struct Name: Hashable, Comparable {
        var kind: String
        var value: String

        static func < (left: Name, right: Name) -> Bool { (left.kind, left.value) < (right.kind, right.value) }
    }

    /// From the nearest to the root's; names that stand together (`CN=a+UID=b`) in order.
    private var names: [[Name]] = []

    /// - Returns: nil for what is neither.
    public init?(_ text: String) {
        guard let names = text.utf8.first == UInt8(ascii: "/") ? Self.slashes(text) : Self.commas(text), !names.isEmpty
        else {
            return nil
        }
        self.names = names
    }

    private static func name(_ kind: String, _ value: String) -> Name {
        let kind = kind.uppercased()
        return Name(kind: ["EMAIL", "E"].contains(kind) ? "EMAILADDRESS" : kind, value: value)
    }

    private static func isKind(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E: true
                default: false
                }
            }
    }

    /// A slash begins another name where a kind and `=` follow; any other is part of the value (`/CN=host/www.example.org`).
    private static func slashes(_ text: String) -> [[Name]]? {
        var names: [[Name]] = []
        // By bytes: with an accent behind it a sign is to Swift's String another one.
        for bytes in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            let part = Substring(bytes)
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")), isKind(part[..<equals]) {
                names.append([name(String(part[..<equals]), String(part[bytes.index(after: equals)...]))])
            } else if let last = names.indices.last {
                names[last][0].value += "/" + part
            } else {
                return nil
            }
        }
        return names.reversed()
    }

    /// RFC 4514, section 3: values with escapes, as GnuTLS writes them and people do; blanks around names are let pass.
    private static func commas(_ text: String) -> [[Name]]? {
        var names: [[Name]] = [[]]
        var rest = Array(text.utf8)[...]
        while true {
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let kind = Substring(decoding: rest[..<equals], as: UTF8.self).trimmed
            rest = rest[(equals + 1)...]
            guard isKind(kind), let value = value(&rest), names.count <= 64 else { return nil }
            names[names.count - 1].append(name(String(kind), value))
            switch rest.popFirst() {
            case UInt8(ascii: "+"): continue
            case UInt8(ascii: ","): names.append([])
            case nil: return names.map { $0.sorted() }
            default: return nil
            }
        }
    }

    /// A value up to what ends it. Blanks that are not escaped do not count at its ends.
    private static func value(_ rest: inout ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        // Up to where blanks at the end are the value's own.
        var kept = 0
        while let byte = rest.first, byte != UInt8(ascii: ","), byte != UInt8(ascii: "+") {
            rest.removeFirst()
            switch byte {
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst() else { return nil }
                if let high = hex(next), let low = rest.first.flatMap(hex) {
                    rest.removeFirst()
                    bytes.append(high << 4 | low)
                } else if ##" "#,+;<=>\"##.utf8.contains(next) {
                    bytes.append(next)
                } else {
                    return nil
                }
                kept = bytes.count
            case UInt8(ascii: " ") where bytes.isEmpty: continue
            case UInt8(ascii: "\""), UInt8(ascii: ";"), UInt8(ascii: "<"), UInt8(ascii: ">"), 0: return nil
            default:
                bytes.append(byte)
                if byte != UInt8(ascii: " ") { kept = bytes.count }
            }
        }
        return String(validating: bytes[..<kept], as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }
}
