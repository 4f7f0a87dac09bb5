import HaulLogs
public import HaulModel
import HaulStore

extension Engine {
    /// Keeps what a running attempt moved so far; the first word marks its element RUNNING.
    ///
    /// - Parameter progress: `transferred` -1 is the element's size.
    /// - Throws: `.conflict` once the lease has ended, `.forbidden` for another element's token.
    public func progress(_ progress: Attempt.Progress, job: Int, element: Int, token: String) async throws {
        let id = try proven(token, job: job, element: element)
        try await transact { writer, ledger in
            let lease = try Fence(writer.reader, now: ledger.now).lease(id)
            guard lease.isLive else { throw EngineError.leaseEnded }
            if lease.element.phase != .running, try ledger.apply(.progressed, to: lease.element) == nil {
                throw EngineError.leaseEnded
            }
            var kept = progress
            if kept.transferred < 0 { kept.transferred = lease.element.size }
            if kept.transferred > 0 { try ledger.moves(lease.element) }
            try writer.setProgress(kept, of: id)
        }
    }

    /// Appends a piece of a running attempt's log.
    ///
    /// - Returns: bytes that the server has now.
    /// - Throws: `.conflict` with the right offset for a wrong one, and once the lease has ended.
    public func appendLog(
        _ bytes: [UInt8], at offset: Int, job: Int, element: Int, token: String
    ) async throws -> Int {
        let lease = try await liveLease(token, job: job, element: element)
        let have = try await logging { try await logs.appendGrowing(lease.key, offset: offset, bytes: bytes) }
        followers.ring(lease.id)
        return have
    }

    /// Appends a piece of a running LIST's listing, in its NDJSON form.
    ///
    /// - Returns: bytes that the server has now.
    /// - Throws: `.conflict` with the right offset for a wrong one, and once the lease has ended.
    public func appendListing(
        _ bytes: [UInt8], at offset: Int, job: Int, element: Int, token: String
    ) async throws -> Int {
        let lease = try await liveLease(token, job: job, element: element)
        guard lease.element.type == .list else {
            throw EngineError(
                .invalid, code: "no_listing_here", detail: "Element \(element) is no LIST: it has no listing.",
                hint: "Send what it prints to .../log.")
        }
        return try await logging { try await logs.appendListing(lease.key, offset: offset, bytes: bytes) }
    }

    private func liveLease(_ token: String, job: Int, element: Int) async throws -> Lease {
        let id = try proven(token, job: job, element: element)
        let now = world.now()
        let lease = try await store.read { try Fence($0, now: now).lease(id) }
        guard lease.isLive else { throw EngineError.leaseEnded }
        return lease
    }
}
