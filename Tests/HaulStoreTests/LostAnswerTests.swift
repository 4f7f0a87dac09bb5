import HaulModel
import Support
import Synchronization
import Testing

@testable import HaulStore

/// A commit whose answer is lost may be on disk, and has told the other servers; its own has to hear of it too.
@Suite(.timeLimit(.minutes(5))) struct LostAnswerTests {
    @Test func isHeardOf() async throws {
        let heard = Mutex<[StoreChange]>([])
        let isLosing = Mutex(false)
        let store = try Store(
            at: StoreLocation(try await TestDatabase.makePostgreSQL()), readers: 1, rewriting: nil,
            committed: { if isLosing.withLock({ $0 }) { throw StoreError.unavailable("the answer was lost") } }
        ) { Issue.record("fsync failed: \($0)") }
        store.listen { change in heard.withLock { $0.append(change) } }
        // Its first look: anything may have happened before it listened.
        try await eventually("it listens") { heard.withLock { $0 } == [.anything] }
        // What it did itself and knows of it is not told again.
        try await store.write { $0.tell(StoreChange(.work)) }
        try await store.write { $0.tell(StoreChange(.work)) }
        #expect(heard.withLock { $0 } == [.anything])
        isLosing.withLock { $0 = true }
        await #expect(throws: StoreError.self) { try await store.write { $0.tell(StoreChange(.work)) } }
        isLosing.withLock { $0 = false }
        try await eventually("it is heard of") { heard.withLock { $0.dropFirst().contains(.anything) } }
        // One that gets there after that look is not missed: for a while its own ones are told it as others' are.
        try await store.write { $0.tell(StoreChange(.sweep)) }
        try await eventually("its own is heard") { heard.withLock { $0.contains(StoreChange(.sweep)) } }
    }
}
