import Support
import Testing

@testable import HaulStore

/// A disk that fills while a group is on its way to it: all of the group fails, and none of it is there.
@Suite(.serialized) struct FullDiskTests {
    private func settings(_ store: Store, _ count: Int) async throws -> [Int] {
        try await store.read { reader in try (0..<count).filter { try reader.setting("s\($0)") != nil } }
    }

    /// - Parameter arguments: KiB a write, writes. The first fill the disk when they are committed; the others are more than
    ///   the cache holds and fill it in the middle of a write.
    @Test(arguments: [(200, 20), (3072, 40)]) func groupCommit(kibibytes: Int, count: Int) async throws {
        guard let disk = TinyDisk.open(kibibytes: 2048) else { return }
        let store = try Store(at: .sqlite(path: disk.root + "/haul.sqlite")) { Issue.record("fsync failed: \($0)") }
        _ = try await store.write { try $0.setting("before", initially: [1]) }
        let bodies = (0..<count).map { number in
            { @Sendable (writer: StoreWriter) in
                _ = try writer.setting("s\(number)", initially: [UInt8](repeating: 7, count: kibibytes << 10))
            }
        }
        let errors = try await writeTogether(store, bodies)
        for error in errors {
            guard case StoreError.unavailable? = error else {
                Issue.record("acknowledged, or refused otherwise: \(String(describing: error))")
                continue
            }
        }
        #expect(try await settings(store, count) == [])
        #expect(try await store.read { try $0.setting("before") } == [1])
        // The store goes on with what fits.
        _ = try await store.write { try $0.setting("after", initially: [2]) }
        #expect(try await store.read { try $0.setting("after") } == [2])
    }

    /// Of a group in which one item is refused for a reason of its own, that one hears its reason, whatever the disk does.
    @Test func refusedAmongLost() async throws {
        struct Refused: Error {}
        guard let disk = TinyDisk.open(kibibytes: 2048) else { return }
        let store = try Store(at: .sqlite(path: disk.root + "/haul.sqlite")) { Issue.record("fsync failed: \($0)") }
        let large: @Sendable (StoreWriter) throws -> Void = { writer in
            _ = try writer.setting("s0", initially: [UInt8](repeating: 7, count: 4 << 20))
        }
        let small: @Sendable (StoreWriter) throws -> Void = { _ = try $0.setting("s1", initially: [1]) }
        let errors = try await writeTogether(store, [small, { _ in throw Refused() }, large])
        #expect(errors[1] is Refused)
        for place in [0, 2] {
            guard case StoreError.unavailable? = errors[place] else {
                Issue.record("\(place): \(String(describing: errors[place]))")
                continue
            }
        }
        #expect(try await settings(store, 2) == [])
    }
}
