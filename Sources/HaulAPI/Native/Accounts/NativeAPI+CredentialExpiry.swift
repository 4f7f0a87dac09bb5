import HaulAuth
import HaulEngine
import HaulModel

/// What is said of the time that credentials have left for a job.
extension NativeAPI {
    /// What is said with a registration of credentials that may not last: until its end as it is reckoned by now, or else
    /// until it may end at the latest.
    ///
    /// - Parameter last: the last of the jobs that were registered.
    func warnings(_ requests: [JobRequest], last: Job?, of user: User) async throws -> [String] {
        guard let vault else { return [] }
        let credentials = try await vault.list(ofUser: user.id)
        guard credentials.contains(where: { $0.expires != nil }) else { return [] }
        let sites = engine.rules.sites
        var said: [String] = []
        var reckoned: Timestamp??
        for request in requests {
            let places = [request.source.siteID, request.destination?.siteID].compactMap(\.self).compactMap {
                sites[$0]
            }
            guard vault.mayEnd(credentials, at: places) else { continue }
            if reckoned == nil { reckoned = .some(await reckonedEnd(of: last)) }
            let latest = request.maxQueueTime.map { engine.world.now().adding(seconds: Double($0)) }
            let end = reckoned.flatMap(\.self) ?? [request.deadline, latest].compactMap(\.self).min()
            for warning in vault.shortLived(credentials, at: places, until: end) where !said.contains(warning.detail) {
                said.append(warning.detail)
            }
        }
        return said
    }

    private func reckonedEnd(of job: Job?) async -> Timestamp? {
        guard let job else { return nil }
        // It is there, whatever can be said of its end.
        return (try? await engine.explain(job: job.id))?.estimate?.ends
    }

    /// An explanation with what there is to say of the time that the job's credentials have left.
    func withExpiry(_ explanation: Explanation, _ job: Job) async throws -> Explanation {
        guard let vault, !explanation.blockers.contains(where: { $0.code == .ended }) else { return explanation }
        let credentials = try await vault.list(ofUser: job.userID)
        let sites = [job.source.siteID, job.destination?.siteID].compactMap(\.self).compactMap {
            engine.rules.sites[$0]
        }
        // It may last until its deadline where nothing is reckoned.
        let end = explanation.estimate?.ends ?? job.deadline
        var found = explanation
        found.blockers += vault.shortLived(credentials, at: sites, until: end)
        return found
    }
}
