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

    /// Hands out a job whenever it has changed since a revision, or more of it has moved, to its end: what happened in
    /// between two is not told one by one. Nothing is held but a parked task.
    ///
    /// - Parameters:
    ///   - revision: what the watcher has seen; 0 is nothing.
    ///   - write: given the job, and what its attempts that run moved so far, all of them together: nil before the first
    ///     progress. A job of nil where nothing changed for a while, so that the connection is seen to live.
    public func watch(
        _ id: Int, after revision: Int, write: (Job?, Attempt.Progress?) async throws -> Void
    ) async throws {
        try await watchers.withBell(id) { bell in
            var seen = revision
            var told: Attempt.Progress?
            while true {
                let heard = bell.rings
                let found = try await store.read { reader -> (job: Job, progress: Attempt.Progress?)? in
                    guard let job = try reader.job(id) else { return nil }
                    return (job, job.status == .running ? try reader.progress(ofJob: id) : nil)
                }
                guard let (job, progress) = found else { return }
                if job.revision > seen || (progress != nil && progress != told) {
                    seen = job.revision
                    told = progress
                    try await write(job, progress)
                }
                if job.status.isEnded { return }
                await bell.wait(after: heard, seconds: Self.watcherPatience)
                try Task.checkCancellation()
                if bell.rings == heard { try await write(nil, nil) }
            }
        }
    }
}
