public import HaulModel
import HaulStore

extension Engine {
    /// A page of the record of changes by number, after one of them.
    public func deeds(_ filter: DeedFilter, after: Int, limit: Int) async throws -> [KnownDeed] {
        try await store.read { try $0.deeds(filter, after: after, limit: limit) }
    }
}
