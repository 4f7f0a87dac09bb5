import Support
import Synchronization
import Testing

@testable import HaulWorker

@Suite(.timeLimit(.minutes(5))) struct SpoolSpaceTests {
    @Test func servesInOrderAndNeverGivesMoreThanItHas() async throws {
        let space = SpoolSpace(capacity: 10)
        #expect(await space.take(6))
        let big = Task { await space.take(8) }
        try await eventually("the big one waits") { await space.waitingCount == 1 }
        // There is room for it, but it came later.
        let small = Task { await space.take(2) }
        try await eventually("the small one waits") { await space.waitingCount == 2 }
        #expect(await space.free == 4)
        await space.give(6)
        #expect(await big.value)
        #expect(await small.value)
        #expect(await space.free == 0)
    }

    @Test func letsWhoIsCancelledGoAndTheNextIn() async throws {
        let space = SpoolSpace(capacity: 10)
        #expect(await space.take(6))
        let big = Task { await space.take(8) }
        try await eventually("the big one waits") { await space.waitingCount == 1 }
        let small = Task { await space.take(4) }
        try await eventually("the small one waits") { await space.waitingCount == 2 }
        big.cancel()
        #expect(await !big.value)
        #expect(await small.value)
        await space.give(6)
        await space.give(4)
        #expect(await space.free == 10)
    }

    /// What an attempt left is there for the next one, until somebody needs the room.
    @Test func keepsWhatIsLeftUntilTheRoomIsNeeded() async throws {
        let gone = Mutex<[String]>([])
        let space = SpoolSpace(capacity: 10) { folder in gone.withLock { $0.append(folder) } }
        for folder in ["a", "b", "c"] {
            #expect(await space.enter(folder))
            #expect(await !space.enter(folder), "two attempts in one folder")
            await space.leave(folder, keeping: 3)
        }
        #expect(await space.free == 1)
        #expect(await space.keptFolders == ["a", "b", "c"])
        // Its next attempt takes it.
        #expect(await space.enter("b"))
        #expect(await space.free == 4)
        // The oldest goes for whoever waits; what somebody works in does not.
        #expect(await space.take(6))
        #expect(gone.withLock { $0 } == ["a"])
        #expect(await space.grow(by: 4))
        #expect(gone.withLock { $0 } == ["a", "c"])
        #expect(await !space.grow(by: 1))
        // No room to keep it: it goes.
        await space.leave("b", keeping: 1)
        #expect(gone.withLock { $0 } == ["a", "c", "b"])
        #expect(await space.free == 0)
        await space.give(10)
        #expect(await space.free == 10)
    }

    @Test func refusesWhoWasCancelledBefore() async {
        let space = SpoolSpace(capacity: 1)
        #expect(await space.take(1))
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await space.take(1)
        }
        #expect(await !late.value)
        await space.give(1)
        #expect(await space.free == 1)
    }
}
