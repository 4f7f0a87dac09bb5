public import Foundation

extension Data {
    /// Whether it is UTF-8. Foundation's XML parser ends the process where the name of an element is not, so it may be
    /// given nothing else.
    public var isUTF8: Bool {
        withUnsafeBytes { bytes in
            var decoder = UTF8()
            var iterator = bytes.makeIterator()
            while true {
                switch decoder.decode(&iterator) {
                case .scalarValue: continue
                case .emptyInput: return true
                case .error: return false
                }
            }
        }
    }

    /// Whether Foundation's XML parser may be given it, which also ends the process over a processing instruction that
    /// is cut off, and over a document type that declares attributes: what has any, behind its declaration, is no answer
    /// of a file server. Nor is what could be another text to the parser than it is here, by an encoding of its own.
    public var isSafeXML: Bool {
        let isDeclared = starts(with: "<?xml ".utf8)
        if isDeclared {
            guard let end = range(of: Data("?>".utf8)), self[..<end.lowerBound].isPlainDeclaration else { return false }
            // What stands there as text may have been the declaration's.
            let next = self[end.upperBound...].first { !" \t\r\n".utf8.contains($0) }
            guard next ?? UInt8(ascii: "<") == UInt8(ascii: "<") else { return false }
        }
        return isUTF8 && !contains(0) && !dropFirst(isDeclared ? 2 : 0).holdsMarkup
    }

    /// Says of no other encoding.
    private var isPlainDeclaration: Bool {
        guard !dropFirst().contains(UInt8(ascii: "<")) else { return false }
        let word = Data("encoding".utf8)
        guard let place = range(of: word) else { return true }
        let value = self[place.upperBound...]
        let name = value.drop { " \t\r\n=\"'".utf8.contains($0) }.prefix(8).map {
            (65...90).contains($0) ? $0 | 32 : $0
        }
        return value.range(of: word) == nil && (name.starts(with: "utf-8".utf8) || name.starts(with: "us-ascii".utf8))
    }

    /// A processing instruction, or a document type.
    private var holdsMarkup: Bool {
        withUnsafeBytes { bytes in
            var place = 0
            while let base = bytes.baseAddress, place < bytes.count,
                let found = memchr(base + place, Int32(UInt8(ascii: "<")), bytes.count - place)
            {
                place = UnsafeRawPointer(found) - base + 1
                let next = bytes[place...].prefix(2)
                if next.first == UInt8(ascii: "?") || next.elementsEqual("!D".utf8) { return true }
            }
            return false
        }
    }
}
