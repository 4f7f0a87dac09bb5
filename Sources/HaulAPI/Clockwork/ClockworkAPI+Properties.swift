import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel

/// The user's dict of a job, under its two names. What is kept is the job's properties.
extension ClockworkAPI {
    func addPropertyRoutes(to router: inout Router) {
        on(&router, "PUT", "/jobs/user_dict_update", .changeJobs, bodyLimit: Self.dictLimit) { _, parameters, who in
            let job = try await owned(parameters, who)
            let pairs = try parameters.object("update_pairs")
            return Self.json(try await engine.changeProperties(ofJob: job.id, pairs))
        }
        on(&router, "GET", "/jobs/user_props/get", .readJobs) { _, parameters, who in
            guard let job = try await seen(parameters, who) else { return Self.nothing }
            return Self.json(try await engine.properties(ofJob: job.id))
        }
        on(&router, "PUT", "/jobs/user_props/set", .changeJobs, bodyLimit: Self.dictLimit) { _, parameters, who in
            let job = try await owned(parameters, who)
            let updates = try parameters.object("updates")
            return Self.json(try await engine.changeProperties(ofJob: job.id, updates))
        }
        on(&router, "PUT", "/jobs/user_props/delete", .changeJobs, bodyLimit: Self.dictLimit) { _, parameters, who in
            let job = try await owned(parameters, who)
            let names = try parameters.names("keys")
            return Self.json(try await engine.changeProperties(ofJob: job.id, [:], removing: names))
        }
    }

    /// The job whose dict is to be changed.
    ///
    /// - Throws: 400 where none is named, 404 for one that is not there, 403 for somebody else's, whoever asks.
    private func owned(_ parameters: ClockworkParameters, _ who: Principal) async throws -> Job {
        guard let job = try await named(parameters) else { throw Refusal.noJob }
        guard job.userID == who.user.id else { throw Refusal.notYours }
        return job
    }
}
