public import HaulModel
import HaulStore

/// Where the bytes of an element are, whose job it is, and who has it.
public struct ElementPlaces: Sendable, Hashable {
    public var userID: Int
    /// The user whose token its worker shows; empty where that is gone.
    public var holder: String
    public var token: Int?
    public var source: Site?
    public var destination: Site?
}

extension Engine {
    /// What the holder of a lease may know of its job.
    ///
    /// - Throws: `.unauthorized` and `.forbidden` as ``checkToken(_:job:element:)``; `.conflict` once the lease is over.
    public func places(provenBy token: String, job: Int, element: Int) async throws -> ElementPlaces {
        let id = try proven(token, job: job, element: element)
        let (found, session, holder) = try await store.read { [self] reader in
            let lease = try Fence(reader, now: world.now()).lease(id)
            guard lease.isLive else {
                throw EngineError(
                    .conflict, code: "lease_over", detail: "The lease on element \(element) of job \(job) is over.",
                    hint: "Somebody else may be at it: leave it.")
            }
            guard let job = try reader.job(job) else { throw EngineError.noJob(job) }
            let session = try reader.session(lease.attempt.sessionID)
            return (job, session, try session.flatMap { try reader.token($0.tokenID)?.record.user.name })
        }
        let rules = rules
        return ElementPlaces(
            userID: found.userID, holder: holder ?? "", token: session?.tokenID,
            source: rules.sites[found.source.siteID],
            destination: found.destination.flatMap { rules.sites[$0.siteID] })
    }
}
