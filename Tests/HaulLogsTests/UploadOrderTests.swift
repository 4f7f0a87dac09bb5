import Testing

@testable import HaulLogs

/// Which files go up next, and how long a bucket that takes none is left alone.
@Suite struct UploadOrderTests {
    @Test func aBucketThatIsDownIsLeftAloneForLongerAndLonger() {
        for line in [UploadOrder.Line.fresh, .failed] {
            var order = UploadOrder()
            var now = 0.0
            var pauses: [Double] = []
            for number in 0..<10 {
                #expect(order.isDue(line, now: now))
                order.note(line, done: [], failed: ["f\(number)"], now: now, chance: 0.999_999)
                let begin = now
                while !order.isDue(line, now: now) { now += 0.25 }
                pauses.append(now - begin)
            }
            #expect(pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30])
            #expect(order.isStuck(line))
            order.note(line, done: ["g"], failed: ["h"], now: now, chance: 0)
            #expect(order.isDue(line, now: now) && !order.isStuck(line), "one went up")
        }
    }

    @Test func whatFailsGoesBehind() {
        var order = UploadOrder()
        order.note(.fresh, done: ["a"], failed: ["b", "c"], now: 0, chance: 0)
        order.note(.fresh, done: [], failed: ["d"], now: 0, chance: 0)
        #expect(order.failed == ["b", "c", "d"] && order.hasFailed("c") && !order.hasFailed("a"))
        order.note(.failed, done: ["c"], failed: ["b"], now: 0, chance: 0)
        #expect(order.failed == ["d", "b"] && !order.hasFailed("c") && order.hasFailed("b"))
        #expect(!order.isDue(.fresh, now: 0) && order.isDue(.failed, now: 0), "each line has its own pause")
    }

    @Test func itsMemoryIsBounded() {
        var order = UploadOrder()
        for number in 0...UploadOrder.most {
            order.note(.fresh, done: [], failed: ["\(number)"], now: 0, chance: 0)
        }
        #expect(order.failed.count == UploadOrder.most)
        #expect(!order.hasFailed("0") && order.hasFailed("1") && order.hasFailed("\(UploadOrder.most)"))
    }
}
