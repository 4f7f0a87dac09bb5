/// The checksum of zlib (RFC 1950, section 8), which grid storage compares files by. Weak against intent, good against
/// accidents.
struct Adler32: Sendable {
    private static let base: UInt32 = 65_521
    /// The most bytes after which the sums, begun below ``base``, still fit into 32 bits.
    private static let most = 5_552
    private static let lanes = 32
    /// How often each byte of a stretch counts in the second sum.
    private static let weights = SIMD32<UInt16>((0..<32).map { UInt16(32 - $0) })

    private var low: UInt32 = 1
    private var high: UInt32 = 0

    /// The sum as four bytes, the most significant first.
    var bytes: [UInt8] { [high, low].flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] } }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let weights = Self.weights
        var start = 0
        while start < bytes.count {
            // The remainder once a block, not once a byte.
            let end = min(bytes.count, start + Self.most)
            while end - start >= Self.lanes {
                let stretch = SIMD32<UInt16>(
                    truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: start, as: SIMD32<UInt8>.self))
                high &+= low &* UInt32(Self.lanes)
                // At most 32 * 255, and 255 * (1 + ... + 32) in two halves: each fits into 16 bits, twice.
                let weighted = stretch &* weights
                high &+= UInt32(weighted.lowHalf.lowHalf.wrappedSum()) &+ UInt32(weighted.lowHalf.highHalf.wrappedSum())
                high &+=
                    UInt32(weighted.highHalf.lowHalf.wrappedSum()) &+ UInt32(weighted.highHalf.highHalf.wrappedSum())
                low &+= UInt32(stretch.wrappedSum())
                start += Self.lanes
            }
            while start < end {
                low &+= UInt32(bytes[start])
                high &+= low
                start += 1
            }
            low %= Self.base
            high %= Self.base
        }
    }
}
