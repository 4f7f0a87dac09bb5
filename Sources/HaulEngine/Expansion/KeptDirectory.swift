import HaulCrypto

/// A directory of a REMOVE that can't become empty, as the store knows it.
enum KeptDirectory {
    /// SHA-256 of a directory's path, byte by byte as its element has it.
    static func hash(_ path: String) -> [UInt8] { Hash.sha256(Array(path.utf8)) }
}
