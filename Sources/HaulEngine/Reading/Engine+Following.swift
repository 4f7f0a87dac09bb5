import HaulLogs
public import HaulModel
import HaulStore

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
    public func follow(
        _ id: AttemptID, of job: Job, write: ([UInt8]) async throws -> Void
    ) async throws {
        let key = AttemptKey(logUID: job.logUID, element: id.elementID, attempt: id.number)
        try await followers.withBell(id) { bell in
            var offset = 0
            while true {
                let heard = bell.rings
                guard let attempt = try await attempt(id) else { return }
                // What has ended is read to its end where its row says that it is.
                let place = attempt.ended == nil ? nil : attempt.log
                let piece = try await logging {
                    if let place {
                        return try await logs.read(
                            job.logUID, place, from: offset, count: Self.followedPiece)
                    }
                    return try await logs.readGrowing(key, from: offset, count: Self.followedPiece)
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
}
