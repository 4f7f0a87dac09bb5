/// How fast a batch goes, to tell when it is nearly through.
struct BatchPace {
    /// More is asked for so long before a batch ends, at most: what is asked for then may have to wait for the end.
    private static let ahead = Duration.seconds(1)

    private let elements: Int
    private let began: ContinuousClock.Instant
    private var wasTold = false

    init(elements: Int, began: ContinuousClock.Instant = .now) {
        self.elements = elements
        self.began = began
    }

    /// True once: less than half is left, and will be through within a second if it goes on like this.
    mutating func isNearlyThrough(left: Int) -> Bool {
        guard !wasTold, left > 0, left <= elements / 2 else { return false }
        guard (ContinuousClock.now - began) / (elements - left) * left < Self.ahead else { return false }
        wasTold = true
        return true
    }
}
