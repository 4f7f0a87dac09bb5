import CCrypto
public import HaulModel

/// A checksum of content that passes by in pieces; its text is `ALGORITHM:HEX`, as the wire has it.
public final class StreamHash {
    /// What can be computed, by the names that manifests and checksums use.
    public typealias Algorithm = CommonOptions.ChecksumAlgorithm

    private enum Engine {
        case digest(OpaquePointer)
        case adler(Adler32)
    }

    public let algorithm: Algorithm
    private var engine: Engine

    /// - Throws: ``BackendFailure`` where libcrypto refuses the algorithm (a FIPS set-up refuses md5).
    public init(_ algorithm: Algorithm) throws {
        self.algorithm = algorithm
        if algorithm == .adler32 {
            engine = .adler(Adler32())
            return
        }
        guard let context = EVP_MD_CTX_new() else { throw Self.refused(algorithm) }
        guard let digest = EVP_get_digestbyname(algorithm.rawValue), EVP_DigestInit_ex(context, digest, nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw Self.refused(algorithm)
        }
        engine = .digest(context)
    }

    deinit { if case .digest(let context) = engine { EVP_MD_CTX_free(context) } }

    public func update(_ bytes: UnsafeRawBufferPointer) {
        switch engine {
        case .digest(let context): EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        case .adler(var sum):
            sum.update(bytes)
            engine = .adler(sum)
        }
    }

    public func update(_ bytes: some Sequence<UInt8>) {
        let array = Array(bytes)
        array.withUnsafeBytes { update($0) }
    }

    /// The checksum of all that was given: `md5:0cc175b9...`. The hash is at its end: call it once.
    public func finish() -> String {
        switch engine {
        case .adler(let sum): return algorithm.rawValue + ":" + Self.hex(sum.bytes)
        case .digest(let context):
            var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
            var count: UInt32 = 0
            EVP_DigestFinal_ex(context, &digest, &count)
            return algorithm.rawValue + ":" + Self.hex(digest.prefix(Int(count)))
        }
    }

    /// Lower-case hexadecimal digits.
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func refused(_ algorithm: Algorithm) -> BackendFailure {
        BackendFailure(.invalid, "the checksum \(algorithm.rawValue) cannot be computed on this machine")
    }
}
