/// What is looked for in texts, in whatever case: each is read once from its start to its end, whatever it repeats
/// (Knuth, Morris and Pratt).
public struct SoughtWords: Sendable {
    /// Bytes that it may have.
    public static let most = 256

    private let bytes: [UInt8]
    /// Of each byte: how many of the first ones stand before and with it once more.
    private let again: [Int]

    public init(_ text: String) {
        bytes = Array(text.lowercased().utf8)
        var again = [Int](repeating: 0, count: bytes.count)
        var known = 0
        for place in bytes.indices.dropFirst() {
            while known > 0, bytes[place] != bytes[known] { known = again[known - 1] }
            if bytes[place] == bytes[known] { known += 1 }
            again[place] = known
        }
        self.again = again
    }

    public func stand(in text: String) -> Bool {
        if bytes.isEmpty { return true }
        var known = 0
        for byte in text.lowercased().utf8 {
            while known > 0, byte != bytes[known] { known = again[known - 1] }
            if byte == bytes[known] { known += 1 }
            if known == bytes.count { return true }
        }
        return false
    }
}
