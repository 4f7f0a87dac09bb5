import HaulModel
import Testing

@testable import HaulAPI

/// How many requests of a user are too many.
@Suite struct RequestMeterTests {
    private let start = ContinuousClock.now

    private func limits(_ rate: Double?, burst: Double? = nil) -> UserLimits {
        var limits = UserLimits()
        limits.requestsPerSecond = rate
        limits.burst = burst
        return limits
    }

    /// Requests that get through in a time when one is tried each millisecond.
    private func passed(_ meter: RequestMeter, _ limits: UserLimits, seconds: ClosedRange<Int>) -> Int {
        (seconds.lowerBound * 1000..<seconds.upperBound * 1000).count {
            meter.take(1, limits, now: start + .milliseconds($0)) == nil
        }
    }

    @Test func aBurstThenTheRate() {
        let meter = RequestMeter()
        let limits = limits(10, burst: 25)
        #expect((0..<100).count { _ in meter.take(1, limits, now: start) == nil } == 25)
        #expect(passed(meter, limits, seconds: 0...10) == 99, "10 a second")
        #expect((0..<100).count { _ in meter.take(1, limits, now: start + .seconds(100)) == nil } == 25, "full again")
        #expect((0..<100).count { _ in meter.take(2, self.limits(10), now: start) == nil } == 20, "two seconds' worth")
    }

    /// What it says to wait is what one has to wait, and a request that was one too many does not put it off.
    @Test func saysHowLong() throws {
        let meter = RequestMeter()
        let limits = limits(0.5, burst: 1)
        #expect(meter.wait(1, limits, now: start) == nil)
        #expect(meter.take(1, limits, now: start) == nil)
        for _ in 0..<10 { #expect(meter.take(1, limits, now: start) == 2) }
        #expect(meter.wait(1, limits, now: start + .milliseconds(500)) == 1.5)
        #expect(meter.take(1, limits, now: start + .milliseconds(1999)) != nil)
        #expect(meter.wait(1, limits, now: start + .seconds(2)) == nil)
        #expect(meter.take(1, limits, now: start + .seconds(2)) == nil)
    }

    @Test func usersAreAlone() {
        let meter = RequestMeter()
        let limits = limits(1, burst: 1)
        #expect(meter.take(1, limits, now: start) == nil && meter.take(1, limits, now: start) != nil)
        #expect(meter.take(2, limits, now: start) == nil)
        #expect((0..<1000).allSatisfy { _ in meter.take(3, self.limits(nil), now: start) == nil })
        #expect(meter.count == 2, "without a limit nothing is kept")
    }

    /// However many users come, it keeps a bounded number, and forgets those who are idle first.
    @Test func isBounded() {
        let meter = RequestMeter(most: 100)
        let limits = limits(1, burst: 1)
        for user in 0..<100 { _ = meter.take(user, limits, now: start) }
        let later = start + .milliseconds(1500)
        #expect(meter.take(7, limits, now: later) == nil)
        for user in 1000..<1050 { #expect(meter.take(user, limits, now: later) == nil) }
        #expect(meter.take(7, limits, now: later) != nil, "it was in use")
        for user in 2000..<4000 { #expect(meter.take(user, limits, now: later) == nil) }
        #expect(meter.count <= 100)
    }
}
