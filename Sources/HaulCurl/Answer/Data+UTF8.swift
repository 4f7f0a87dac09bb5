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
    /// is cut off: what has any, behind its declaration, is no answer of a file server.
    public var isSafeXML: Bool {
        let rest = dropFirst(starts(with: "<?xml ".utf8) ? 2 : 0)
        return isUTF8 && rest.range(of: Data("<?".utf8)) == nil
    }
}
