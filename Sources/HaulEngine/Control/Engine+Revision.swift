public import HaulModel
import HaulStore

/// What a user wants of one job at once.
public struct JobRevision: Sendable {
    /// What becomes of the job then.
    public enum Step: Sendable {
        /// It is committed, as this user.
        case commit(SiteUser)
        case cancel
    }

    /// Of a job that is not committed; a null takes a field away.
    public var parameters: [String: JSONValue]
    public var change: JobChange
    public var step: Step?

    public init(parameters: [String: JSONValue] = [:], change: JobChange = JobChange(), step: Step? = nil) {
        (self.parameters, self.change, self.step) = (parameters, change, step)
    }
}

extension Engine {
    /// Does all that is wanted of a job, or nothing of it.
    ///
    /// - Returns: the job as it is now.
    /// - Throws: what ``changeParameters(ofJob:_:by:)``, ``change(job:_:by:)``, ``commit(job:user:by:)`` and
    ///   ``cancel(job:by:)`` throw.
    public func revise(job id: Int, _ revision: JobRevision, by actor: Requester? = nil) async throws -> Job {
        var rules: RegistrationRules?
        // Another server may have changed sites a moment ago.
        if case .commit(let user) = revision.step { rules = try await latestRules().applied(to: user) }
        let committed = rules
        return try await transact(elements: configuration.dutyPiece) { [self] writer, ledger in
            var job = try Self.known(id, writer).job
            if !revision.parameters.isEmpty {
                job = try Self.changeParameters(id, revision.parameters, actor, writer, ledger)
            }
            if revision.change != JobChange() { job = try Self.change(id, revision.change, actor, writer, ledger) }
            switch revision.step {
            case .commit: if let committed { job = try commit(id, committed, actor, writer, ledger) }
            case .cancel: job = try cancel(id, actor, writer, ledger)
            case nil: break
            }
            return job
        }
    }
}
