import Dispatch
import Foundation
import HaulModel
import HaulStore
import Support
import Testing

@Suite struct ReadTests {
    /// Questions at a reader that is busy wait for it, and no thread of the pool waits with them.
    @Test(.timeLimit(.minutes(5))) func askedWhileItIsRead() async throws {
        let folder = try TemporaryStore.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try Store(at: StoreLocation(try await TestDatabase.make(file: folder + "/haul.sqlite")), readers: 1)
        {
            Issue.record("fsync failed: \($0)")
        }
        let (began, goesOn) = (AsyncStream.makeStream(of: Void.self), DispatchSemaphore(value: 0))
        try await withThrowingTaskGroup { group in
            group.addTask {
                try await store.read { reader in
                    began.continuation.finish()
                    goesOn.wait()
                    return try reader.user(named: "nobody") == nil
                }
            }
            for await _ in began.stream {}
            for _ in 0..<64 { group.addTask { try await store.ask { try $0.user(named: "nobody") == nil } } }
            // Runs though all of those have begun.
            let release = Task { _ = goesOn.signal() }
            await release.value
            for try await isNobody in group { #expect(isNobody) }
        }
    }

    /// A question that fails leaves its reader as it was.
    @Test func aQuestionThatFails() async throws {
        struct Refused: Error {}
        let folder = try TemporaryStore.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try Store(at: StoreLocation(try await TestDatabase.make(file: folder + "/haul.sqlite")), readers: 1)
        {
            Issue.record("fsync failed: \($0)")
        }
        for _ in 0..<3 {
            await #expect(throws: Refused.self) {
                try await store.ask { reader in
                    _ = try reader.user(named: "nobody")
                    throw Refused()
                }
            }
            #expect(try await store.ask { try $0.user(named: "nobody") } == nil)
            #expect(try await store.read { try $0.user(named: "nobody") } == nil)
        }
        // It holds no old moment: what is written since is seen.
        let user = try await store.write { try $0.user(named: "somebody", now: TemporaryStore.now) }
        #expect(try await store.ask { try $0.user(named: "somebody") }?.id == user.id)
        #expect(try await store.read { try $0.user(named: "somebody") }?.id == user.id)
    }
}
