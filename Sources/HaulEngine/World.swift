import Foundation
import HaulCrypto
public import HaulModel

/// Time and randomness, passed in, so that a simulation can have its own.
public struct World: Sendable {
    public var now: @Sendable () -> Timestamp
    /// Unpredictable bytes.
    public var random: @Sendable (Int) -> [UInt8]
    /// What `now` goes by, where it has to be kept.
    var clock: DatabaseClock?

    public init(now: @escaping @Sendable () -> Timestamp, random: @escaping @Sendable (Int) -> [UInt8]) {
        self.now = now
        self.random = random
    }

    /// A clock that several servers share, and the kernel's randomness.
    public init(clock: DatabaseClock) {
        self.init(now: { clock.now() }, random: Self.real.random)
        self.clock = clock
    }

    /// The machine's clock and the kernel's randomness.
    public static let real = World(
        now: { Timestamp(milliseconds: Int((Date().timeIntervalSince1970 * 1000).rounded(.down))) },
        random: { Random.bytes($0) })

    /// A number in 0..<1.
    var chance: Double {
        let bits = random(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return Double(bits) / 4_294_967_296
    }
}
