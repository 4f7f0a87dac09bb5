import HaulModel
import Support
import Synchronization
import Testing

@testable import HaulStore

/// Writes of one kind that come together are done together, and what goes wrong with one is its own.
@Suite struct GatheringTests {
    private struct Refused: Error {}

    /// How many items each call of the body had.
    private final class Calls: Sendable {
        private let sizes = Mutex<[Int]>([])
        var all: [Int] { sizes.withLock { $0 } }
        func note(_ size: Int) { sizes.withLock { $0.append(size) } }
    }

    /// Keeps settings under these names; one that begins with "bad" is refused, once others were kept.
    private static func keep(_ calls: Calls) -> Gathering<String, Int>.Body {
        { writer, names in
            calls.note(names.count)
            for name in names { _ = try writer.setting(name, initially: [1]) }
            if names.contains(where: { $0.hasPrefix("bad") }) { throw Refused() }
            return names.map(\.utf8.count)
        }
    }

    private static func kept(_ store: Store, _ names: [String]) async throws -> [String] {
        try await store.read { reader in try names.filter { try reader.setting($0) != nil } }
    }

    /// Each hears of its own outcome; no more than may be go together.
    @Test func oneCallForMany() async throws {
        let store = try await TemporaryStore().store
        let (calls, gathering) = (Calls(), Gathering<String, Int>(most: 40))
        let names = (0..<100).map { "n" + String(repeating: "x", count: $0) }
        let outcomes = Mutex<[String: Int]>([:])
        let all = names.map { name in
            { @Sendable () async throws in
                let outcome = try await store.write(name, among: gathering, Self.keep(calls))
                outcomes.withLock { $0[name] = outcome }
            }
        }
        let errors = try await together(all, at: store) {
            gathering.waitingCount == 100 && store.writes.waitingCount == 1
        }
        #expect(errors.allSatisfy { $0 == nil })
        #expect(calls.all == [40, 40, 20])
        #expect(outcomes.withLock { $0 } == Dictionary(names.map { ($0, $0.utf8.count) }) { first, _ in first })
        #expect(try await Self.kept(store, names) == names)
    }

    /// What a few are refused for is done for all others, and nothing is kept of those.
    @Test func refusedOnes() async throws {
        let store = try await TemporaryStore().store
        let (calls, gathering) = (Calls(), Gathering<String, Int>(most: 100))
        let names = (0..<20).map { $0 % 7 == 3 ? "bad\($0)" : "good\($0)" }
        let all = names.map { name in
            { @Sendable () async throws in _ = try await store.write(name, among: gathering, Self.keep(calls)) }
        }
        let errors = try await together(all, at: store) {
            gathering.waitingCount == 20 && store.writes.waitingCount == 1
        }
        for (name, error) in zip(names, errors) { #expect((error is Refused) == name.hasPrefix("bad"), "\(name)") }
        #expect(calls.all == [20] + [Int](repeating: 1, count: 20))
        #expect(try await Self.kept(store, names) == names.filter { $0.hasPrefix("good") })
        #expect(try await store.write("after", among: gathering, Self.keep(calls)) == 5)
    }

    /// Where it can't be known whether they are on disk, nobody is told that they are, and nothing is done twice.
    @Test func aLostAnswer() async throws {
        let folder = try TemporaryStore.makeFolder()
        let isLost = Mutex(false)
        let store = try Store(
            at: StoreLocation(try await TestDatabase.make(file: folder + "/haul.sqlite")), readers: 1, rewriting: nil,
            committed: { if isLost.withLock({ $0 }) { throw StoreError.unavailable("lost") } }
        ) { Issue.record("fsync failed: \($0)") }
        let (calls, gathering) = (Calls(), Gathering<String, Int>(most: 100))
        let all = (0..<9).map { number in
            { @Sendable () async throws in _ = try await store.write("n\(number)", among: gathering, Self.keep(calls)) }
        }
        let errors = try await together(all, at: store) {
            guard gathering.waitingCount == 9, store.writes.waitingCount == 1 else { return false }
            isLost.withLock { $0 = true }
            return true
        }
        // They hear it, and nobody is tried once more.
        #expect(errors.allSatisfy { $0 != nil } && calls.all == [9])
        isLost.withLock { $0 = false }
        #expect(try await store.write("l", among: gathering, Self.keep(calls)) == 1)
        #expect(calls.all == [9, 1])
    }

    /// A transaction that can't even begin fails all who wait for it, and none after it.
    @Test func noTransaction() async throws {
        let folder = try TemporaryStore.makeFolder()
        let isOut = Mutex(false)
        let store = try Store(
            at: .sqlite(path: folder + "/haul.sqlite"), readers: 1,
            rewriting: { sql in
                if sql.hasPrefix("BEGIN IMMEDIATE"), isOut.withLock({ $0 }) { throw StoreError.failed("out") }
                return sql
            }
        ) { Issue.record("fsync failed: \($0)") }
        let (calls, gathering) = (Calls(), Gathering<String, Int>(most: 100))
        isOut.withLock { $0 = true }
        try await withThrowingTaskGroup { group in
            for number in 0..<20 {
                group.addTask {
                    await #expect(throws: StoreError.self) {
                        try await store.write("n\(number)", among: gathering, Self.keep(calls))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(calls.all == [])
        isOut.withLock { $0 = false }
        #expect(try await store.write("after", among: gathering, Self.keep(calls)) == 5)
    }

    /// Many at once, small and large, good and bad, beside other writes: each is done once or not at all.
    @Test func allAtOnce() async throws {
        let store = try await TemporaryStore().store
        let (calls, gathering) = (Calls(), Gathering<String, Int>(most: 16))
        let names = (0..<300).map { $0 % 13 == 0 ? "bad\($0)" : "good\($0)" }
        try await withThrowingTaskGroup { group in
            for (number, name) in names.enumerated() {
                group.addTask {
                    do {
                        let outcome = try await store.write(name, among: gathering, Self.keep(calls))
                        #expect(outcome == name.utf8.count && name.hasPrefix("good"))
                    } catch is Refused { #expect(name.hasPrefix("bad")) }
                }
                group.addTask { _ = try await store.write { try $0.setting("other\(number)", initially: [2]) } }
            }
            try await group.waitForAll()
        }
        #expect(try await Self.kept(store, names) == names.filter { $0.hasPrefix("good") })
        #expect(try await Self.kept(store, names.indices.map { "other\($0)" }).count == names.count)
        #expect(gathering.waitingCount == 0)
    }
}
