import HaulProtocol
import Support
import Synchronization
import Testing

/// Work that may come too late.
@Suite(.timeLimit(.minutes(5))) struct AbandonableTests {
    private final class Closed: Sendable {
        let all = Mutex<Set<Int>>([])
    }

    /// Each value is either given back or told to `late`, never both, whoever of the two is first.
    @Test func whatComesTooLateIsClosed() async throws {
        let closed = Closed()
        var given: Set<Int> = []
        for number in 0..<200 {
            let (open, gate) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                try await Abandonable.run {
                    for await _ in open { break }
                    return number
                } late: { value in
                    closed.all.withLock { _ = $0.insert(value) }
                }
            }
            if number % 2 == 0 {
                task.cancel()
                gate.yield()
            } else {
                gate.yield()
                task.cancel()
            }
            if let value = try? await task.value { given.insert(value) }
        }
        let kept = given
        try await eventually("each has gone one way") { closed.all.withLock { $0.union(kept).count } == 200 }
        #expect(closed.all.withLock { $0.isDisjoint(with: kept) })
        #expect(closed.all.withLock { !$0.isEmpty })
    }

    @Test func theLimitIsOneOfTheWays() async throws {
        let closed = Closed()
        let (open, gate) = AsyncStream.makeStream(of: Void.self)
        await #expect(throws: Abandonable.Late.self) {
            try await Abandonable.run(limit: .milliseconds(20)) {
                for await _ in open { break }
            } late: {
                closed.all.withLock { _ = $0.insert(1) }
            }
        }
        gate.yield()
        try await eventually("it is told") { closed.all.withLock { $0 } == [1] }
    }
}
