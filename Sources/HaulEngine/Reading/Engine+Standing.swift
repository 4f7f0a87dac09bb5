public import HaulModel
import HaulStore

/// Where a job stands, for those who wait for it.
extension Engine {
    public struct Standing: Sendable, Hashable {
        public var job: Job
        /// Elements that are handed out before it, at least; nil once it does not wait as a whole.
        public var ahead: Int?
        /// What its attempts that run moved so far; nil before the first progress.
        public var progress: Attempt.Progress?
    }

    /// Seconds from one look to the next while nothing rings: bytes that move ring only once a second. Of one that waits
    /// all that changes rings, but for what is ahead: the more jobs there are that somebody stands by, the less often it is
    /// looked at without a ring.
    private static let lookEvery = 0.2
    private static let crowd = 256.0
    /// Seconds for which it is good what is ahead of a job: others that are before it in the queue ring no bell of it, and
    /// they may take long to count. No longer than a look, unless that is done for so many jobs that it takes more than a
    /// share of a processor.
    private static let aheadEvery = (most: 3.0, share: 0.1)
    /// Elements of one kind that are counted at most.
    private static let mostAhead = 1000
    /// Seconds after which it is told again even if it has not changed, so that the connection is seen to live.
    private static let silence = 15.0
    /// Seconds for which it stands written that somebody waits for a job that runs, and after which that is written anew.
    private static let watched = (lasts: 15.0, renewed: 5.0)

    /// Hands out where a job stands whenever that has changed, to its end: what happened in between two is not told one by
    /// one. Nothing is held but a parked task, and all who stand by the same job look at it once.
    ///
    /// - Parameter write: given where it stands; nil once it is gone, which is the last.
    public func stand(by id: Int, write: (Standing?) async throws -> Void) async throws {
        try await watchers.withBell(id) { bell in
            try await looks.standing(by: id) {
                var told: Standing?
                var last = ContinuousClock.now
                while true {
                    let heard = bell.rings
                    guard let standing = try await look(at: id, heard: heard) else { return try await write(nil) }
                    if standing != told || ContinuousClock.now - last > .seconds(Self.silence) {
                        try await write(standing)
                        (told, last) = (standing, ContinuousClock.now)
                    }
                    if standing.job.stage.isEnded { return }
                    if standing.job.stage == .executing, looks.shouldNote(id, every: Self.watched.renewed) {
                        let until = world.now().adding(seconds: Self.watched.lasts)
                        try await store.write { try $0.watch(id, until: until) }
                    }
                    let crowd = standing.job.stage == .executing ? 1 : max(1, Double(looks.count) / Self.crowd)
                    await bell.wait(after: heard, seconds: min(Self.lookEvery * crowd, Self.silence))
                    try Task.checkCancellation()
                }
            }
        }
    }

    /// A look for all who stand by: it goes on whoever of them leaves.
    private func lookAt(_ id: Int) -> Task<Standing?, any Error> {
        Task { [self] in
            let known = looks.ahead(of: id, within: Self.aheadLasts(jobs: looks.count, cost: looks.cost))
            let began = ContinuousClock.now
            let standing = try await self.standing(ofJob: id, ahead: known)
            if known == nil || standing?.ahead == nil {
                looks.keep(ahead: standing?.ahead, of: id, took: (ContinuousClock.now - began) / .seconds(1))
            }
            return standing
        }
    }

    /// Seconds for which a count is good where so many jobs are counted for, and each count takes so long.
    static func aheadLasts(jobs: Int, cost: Double) -> Double {
        min(aheadEvery.most, max(lookEvery / 2, Double(jobs) * cost / aheadEvery.share))
    }

    /// Where a job stands, for one who stands by it and heard its bell ring so often: all who heard no more look once.
    func look(at id: Int, heard: Int) async throws -> Standing? {
        try await looks.look(at: id, heard: heard, within: Self.lookEvery / 2) { lookAt(id) }.value
    }

    /// Where a job stands; nil for one that is not there.
    ///
    /// - Parameter known: what is ahead of it, if that is known.
    public func standing(ofJob id: Int, ahead known: Int? = nil) async throws -> Standing? {
        try await store.read { reader in
            guard let job = try reader.job(id) else { return nil }
            var standing = Standing(job: job)
            if job.status == .running { standing.progress = try reader.progress(ofJob: id) }
            guard job.stage == .waiting else { return standing }
            if let known {
                standing.ahead = known
            } else if let lane = try reader.lane(ofJob: id) {
                standing.ahead = try reader.ahead(of: lane, job: id, most: Self.mostAhead).all
            }
            return standing
        }
    }
}
