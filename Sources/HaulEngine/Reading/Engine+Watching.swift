public import HaulModel
import HaulStore

extension Engine {
    /// Answers whoever waits for work or for the end of a state with what there is: the server is about to end.
    public func endWaits() {
        workBell.close()
        watchers.ringAll()
    }

    /// Seconds after which a watcher looks even if nothing rang: another server may have changed the job.
    private static let watcherPatience = 15.0

    /// Waits while a job is in a state, for so many seconds at most. Nothing is held but a parked task.
    ///
    /// - Returns: the job as it is then; nil once it is gone.
    public func wait(
        for id: Int, seconds: Double, while holds: @Sendable (Job) -> Bool
    ) async throws -> Job? {
        var latest: Job?
        let end = ContinuousClock.now + .seconds(seconds)
        try await watchers.withBell(id) { bell in
            while true {
                let heard = bell.rings
                latest = try await job(id)
                guard let job = latest, holds(job) else { return }
                let left = (end - ContinuousClock.now) / .seconds(1)
                guard left > 0, !workBell.isClosed else { return }
                await bell.wait(after: heard, seconds: min(left, Self.watcherPatience))
                try Task.checkCancellation()
            }
        }
        return latest
    }

    /// Hands out where a job stands whenever it has changed since a revision, or more of it has moved, to its end: what
    /// happened in between two is not told one by one. What is ahead of it rings no bell: it is looked at with the rest, and
    /// from time to time. Nothing is held but a parked task.
    ///
    /// - Parameters:
    ///   - revision: what the watcher has seen; 0 is nothing.
    ///   - write: given where it stands; nil where nothing changed for a while, so that the connection is seen to live.
    public func watch(_ id: Int, after revision: Int, write: (Standing?) async throws -> Void) async throws {
        try await watchers.withBell(id) { bell in
            try await looks.standing(by: id) {
                var seen = revision
                var told: Attempt.Progress?
                // Who comes back has seen what is ahead now: that is news once it is another.
                var ahead: Int??
                while true {
                    let heard = bell.rings
                    guard let standing = try await look(at: id, heard: heard) else { return }
                    let isFirst = ahead == nil
                    let isNews =
                        standing.job.revision > seen || (standing.progress != nil && standing.progress != told)
                        || (!isFirst && standing.ahead != nil && standing.ahead != ahead ?? nil)
                    if isNews {
                        (seen, told) = (standing.job.revision, standing.progress)
                        try await write(standing)
                    }
                    if isNews || isFirst { ahead = .some(standing.ahead) }
                    if standing.job.status.isEnded { return }
                    await bell.wait(after: heard, seconds: Self.watcherPatience)
                    try Task.checkCancellation()
                    if bell.rings == heard { try await write(nil) }
                }
            }
        }
    }
}
