import HaulLogs
public import HaulModel
import HaulStore
import Synchronization

extension Engine {
    /// Bytes of one piece.
    private static let followedPiece = 256 << 10
    /// Seconds after which a follower looks even if nothing rang.
    private static let followerPatience = 5.0

    /// The attempt whose log somebody wants to follow: by its number, negative ones counted from the latest; nil is the
    /// latest, which may run.
    public func attempt(toFollow number: Int?, element: Int, ofJob job: Int) async throws -> AttemptID? {
        try await store.read { reader in
            let last = try
                (reader.liveAttempt(ofElement: element, ofJob: job)
                ?? reader.latestAttempt(ofElement: element, ofJob: job))?.number
            guard let last else { return nil }
            let wanted = number.map { $0 < 0 ? last + 1 + $0 : $0 } ?? last
            let id = AttemptID(jobID: job, elementID: element, number: wanted)
            return try reader.attempt(id) == nil ? nil : id
        }
    }

    /// Hands out an attempt's log, what there is and then what comes, until the attempt has ended. Nothing is held but a
    /// parked task.
    ///
    /// - Parameters:
    ///   - start: bytes to leave out.
    ///   - isHandedOn: another server asks: the attempt is this one's, or there is nothing to say.
    public func follow(
        _ id: AttemptID, of job: Job, from start: Int = 0, isHandedOn: Bool = false,
        write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        let key = AttemptKey(logUID: job.logUID, element: id.elementID, attempt: id.number)
        try await followers.withBell(id) { bell in
            var offset = start
            var server: Int?
            while true {
                let heard = bell.rings
                guard let attempt = try await attempt(id) else { return }
                if let before = server, before != attempt.server, try await length(of: attempt, key) < offset {
                    // The server that had it is gone: what there is now began anew.
                    offset = 0
                }
                server = attempt.server ?? server
                if attempt.ended == nil, let holder = attempt.server, holder != identity.id {
                    if isHandedOn { return }
                    let read = try await followElsewhere(id, from: offset, at: holder, write)
                    offset += read
                    if read > 0 { continue }
                    if try await self.attempt(id)?.ended != nil { continue }
                    await bell.wait(after: heard, seconds: Self.followerPatience)
                    try Task.checkCancellation()
                    continue
                }
                // What has ended is read to its end where its row says that it is.
                let place = attempt.ended == nil ? nil : attempt.log
                let (from, count) = (offset, Self.followedPiece)
                let piece = try await logging {
                    if let place {
                        return try await logs.read(job.logUID, place, server: attempt.server, from: from, count: count)
                    }
                    return try await logs.readGrowing(key, from: from, count: count)
                }
                if !piece.isEmpty {
                    offset += piece.count
                    try await write(piece)
                } else if attempt.ended != nil {
                    return
                } else {
                    await bell.wait(after: heard, seconds: Self.followerPatience)
                    try Task.checkCancellation()
                }
            }
        }
    }

    /// Bytes of an attempt's log that are here.
    private func length(of attempt: Attempt, _ key: AttemptKey) async throws -> Int {
        if attempt.ended != nil { return attempt.log?.length ?? 0 }
        return attempt.server == identity.id ? await logs.growingLength(key) : 0
    }

    /// Hands out what another server has of a running attempt's log.
    ///
    /// - Returns: bytes that were handed out; none where the other can't be reached.
    private func followElsewhere(
        _ id: AttemptID, from offset: Int, at holder: Int, _ write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws -> Int {
        guard let server = try await store.read({ try $0.server(holder) }) else { return 0 }
        let read = Atomic(0)
        do {
            try await others.follow(id, from: offset, at: server) { piece in
                try await write(piece)
                read.wrappingAdd(piece.count, ordering: .relaxed)
            }
        } catch is ServerUnreachable {
            // It may come back, or another takes its place: the attempt's row will say.
        } catch let error as EngineError where error.kind == .notFound || error.kind == .unavailable {}
        return read.load(ordering: .relaxed)
    }
}
