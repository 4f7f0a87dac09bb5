/// How long wrong passwords keep the next one waiting: not at all at first, then twice as long each time.
public struct LoginDelay: Sendable, Hashable {
    /// Failures that cost nothing.
    public var free: Int
    /// Seconds: the first delay, and the longest.
    public var first: Double
    public var longest: Double

    public init(free: Int, first: Double, longest: Double) {
        self.free = free
        self.first = first
        self.longest = longest
    }

    /// From one address at one name: who guesses. Somebody who types a password wrong a few times feels nothing.
    public static let guesser = LoginDelay(free: 5, first: 1, longest: 900)
    /// At one name from wherever: many machines that guess together. Short, so that nobody is kept out by others for long.
    public static let name = LoginDelay(free: 50, first: 1, longest: 60)
    /// From one address at whatever names; many people may share it.
    public static let address = LoginDelay(free: 100, first: 1, longest: 60)

    /// Seconds after which a failure is forgotten when no other followed.
    public static let memory = 86_400.0

    /// Seconds to wait after that many failures in a row.
    public func seconds(after failures: Int) -> Double {
        guard failures > free else { return 0 }
        let doublings = min(failures - free - 1, 30)
        return min(longest, first * Double(1 << doublings))
    }
}
