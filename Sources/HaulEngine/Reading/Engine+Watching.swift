public import HaulModel
import HaulStore

extension Engine {
    /// Seconds after which a watcher looks even if nothing rang: another server may have changed the job.
    private static let watcherPatience = 15.0

    /// Hands out a job whenever it has changed since a revision, to its end: what changed in between two is not told one
    /// by one. Nothing is held but a parked task.
    ///
    /// - Parameters:
    ///   - revision: what the watcher has seen; 0 is nothing.
    ///   - write: given nil where nothing changed for a while, so that the connection is seen to live.
    public func watch(
        _ id: Int, after revision: Int, write: (Job?) async throws -> Void
    ) async throws {
        try await watchers.withBell(id) { bell in
            var seen = revision
            while true {
                let heard = bell.rings
                guard let job = try await job(id) else { return }
                if job.revision > seen {
                    seen = job.revision
                    try await write(job)
                }
                if [.done, .failed, .cancelled].contains(job.status) { return }
                await bell.wait(after: heard, seconds: Self.watcherPatience)
                try Task.checkCancellation()
                if bell.rings == heard { try await write(nil) }
            }
        }
    }
}
