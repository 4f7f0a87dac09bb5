import HaulLogs
public import HaulModel
import HaulStore
import Synchronization

extension Engine {
    /// Keeps what a running attempt moved so far; the first word marks its element RUNNING. Who watches its job is told
    /// within a second (``ProgressTeller``).
    ///
    /// - Parameter progress: `transferred` -1 is the element's size.
    /// - Returns: Whether somebody waits for it, and it is to be told more often.
    /// - Throws: `.conflict` once the lease has ended, `.forbidden` for another element's token.
    @discardableResult
    public func progress(
        _ progress: Attempt.Progress, job: Int, element: Int, token: String
    ) async throws -> Bool {
        let id = try proven(token, job: job, element: element)
        let isWatched = try await transact { writer, ledger in
            let lease = try Fence(writer.reader, now: ledger.now).lease(id)
            guard lease.isLive else { throw EngineError.leaseEnded }
            if lease.element.phase != .running, try ledger.apply(.progressed, to: lease.element) == nil {
                throw EngineError.leaseEnded
            }
            let kept = lease.moved(progress)
            // A listing that comes says that its site is there, whatever it is for.
            if kept.transferred > 0 || progress.transferred > 0 { try ledger.moves(lease.element) }
            try writer.setProgress(kept, of: id)
            return try writer.reader.isWatched(job, now: ledger.now)
        }
        moved.withLock { _ = $0.insert(job) }
        return isWatched
    }

    /// Appends a piece of a running attempt's log.
    ///
    /// - Returns: bytes that the server has now.
    /// - Throws: `.conflict` with the right offset for a wrong one, and once the lease has ended.
    public func appendLog(
        _ bytes: [UInt8], at offset: Int, job: Int, element: Int, token: String
    ) async throws -> Int {
        try await append(bytes, at: offset, to: .log, under: liveLease(token, job: job, element: element))
    }

    /// Appends a piece of a running LIST's listing, in its NDJSON form.
    ///
    /// - Returns: bytes that the server has now.
    /// - Throws: `.conflict` with the right offset for a wrong one, and once the lease has ended.
    public func appendListing(
        _ bytes: [UInt8], at offset: Int, job: Int, element: Int, token: String
    ) async throws -> Int {
        try await append(bytes, at: offset, to: .listing, under: liveLease(token, job: job, element: element))
    }

    /// Appends a piece that another server handed on.
    ///
    /// - Returns: bytes that the server has now.
    /// - Throws: as `appendLog`; `.unavailable` where the attempt is not this server's.
    public func append(
        _ bytes: [UInt8], at offset: Int, to stream: AttemptStream, of id: AttemptID
    ) async throws -> Int {
        let lease = try await liveLease(id)
        try checkIsOwn(lease)
        return try await keep(bytes, at: offset, of: stream, lease)
    }

    private func append(
        _ bytes: [UInt8], at offset: Int, to stream: AttemptStream, under lease: Lease
    ) async throws -> Int {
        guard stream == .log || lease.element.type == .list else {
            throw EngineError(
                .invalid, code: "no_listing_here",
                detail: "Element \(lease.id.elementID) is no LIST: it has no listing.",
                hint: "Send what it prints to .../log.")
        }
        let holder = try await holder(of: lease)
        if holder != identity.id {
            let have = try await asking(holder, about: [lease.id]) {
                try await others.append(bytes, at: offset, to: stream, of: lease.id, at: $0)
            }
            if let have { return have }
        }
        return try await keep(bytes, at: offset, of: stream, lease)
    }

    private func keep(
        _ bytes: [UInt8], at offset: Int, of stream: AttemptStream, _ lease: Lease
    ) async throws -> Int {
        let have = try await logging {
            switch stream {
            case .log: try await logs.appendGrowing(lease.key, offset: offset, bytes: bytes)
            case .listing: try await logs.appendListing(lease.key, offset: offset, bytes: bytes)
            }
        }
        if stream == .log { followers.ring(lease.id) }
        return have
    }

    private func liveLease(_ token: String, job: Int, element: Int) async throws -> Lease {
        try await liveLease(proven(token, job: job, element: element))
    }

    private func liveLease(_ id: AttemptID) async throws -> Lease {
        let now = world.now()
        let lease = try await store.read { try Fence($0, now: now).lease(id) }
        guard lease.isLive else { throw EngineError.leaseEnded }
        return lease
    }
}
