import HaulModel
import HaulStore

/// Why no worker takes what is in a lane: what ``ClaimQuery`` asks of one who claims, asked of all who are there, one
/// condition after the other, until nobody is left.
struct MissingWorker {
    private let lane: Lane
    private let sites: SiteDirectory
    private let needed: Set<ProtocolName>

    init(_ lane: Lane, _ sites: SiteDirectory) {
        self.lane = lane
        self.sites = sites
        needed = lane.neededProtocols(sites)
    }

    /// - Parameter onlyMkdir: told whether nothing but directories is to be made, which in a COPY is left to workers with
    ///   a session.
    /// - Returns: nil where a worker can take it.
    func blocker(
        among workers: [LiveWorker], onlyMkdir: () throws -> Bool
    ) rethrows -> Explanation.Blocker? {
        guard !workers.isEmpty else { return .init(.noWorker, "No worker is connected.") }
        let able = workers.filter { canRun($0.announced) }
        let what = needed.map(\.name).sorted().joined(separator: " and ")
        guard !able.isEmpty else {
            return .init(.noWorkerForProtocol, "None of \(workers.count) workers can run \(what).")
        }
        let places = lane.places.map { sites[$0]?.name ?? "\($0)" }.joined(separator: " and ")
        let reaching = able.filter { worker in
            guard let announced = worker.announced, !announced.sites.isEmpty else { return true }
            return Set(announced.sites).isSuperset(of: lane.places)
        }
        guard !reaching.isEmpty else {
            return .init(.noWorkerForSite, "None of the workers that can run \(what) can reach \(places).")
        }
        // What their tokens let them.
        let there = reaching.filter { $0.bearer.spec.sites.map { Set($0).isSuperset(of: lane.places) } ?? true }
        guard !there.isEmpty else {
            return .init(
                .noWorkerForSite,
                "None of the workers that can run \(what) and reach \(places) may go there: their tokens are restricted to "
                    + "other sites.")
        }
        let ofUser = there.filter { $0.bearer.spec.users?.contains(lane.user) ?? true }
        guard !ofUser.isEmpty else {
            return .init(
                .noWorkerForUser,
                "None of the workers that could take it may work for user \(lane.user): their tokens are restricted to other "
                    + "users.")
        }
        let ofQueue = ofUser.filter { $0.bearer.spec.queues?.contains(lane.queue) ?? true }
        guard !ofQueue.isEmpty else {
            return .init(
                .noWorkerForQueue,
                "None of the workers that could take it may work on queue \"\(lane.queue)\": their tokens are restricted to "
                    + "other queues.")
        }
        let willing = ofQueue.filter { $0.announced?.isDrained != true }
        guard !willing.isEmpty else {
            return .init(
                .workersDrained,
                "Every worker that could take it is drained: "
                    + ofQueue.prefix(5).map(\.name).joined(separator: ", ") + ".")
        }
        if lane.type == .copy, willing.allSatisfy({ $0.announced == nil }), try onlyMkdir() {
            return .init(
                .noWorker, "No worker with a session is connected, and others make no directories for a COPY.")
        }
        return nil
    }

    private func canRun(_ announced: LiveWorker.Announcement?) -> Bool {
        guard let announced else { return needed.isSubset(of: ProtocolName.documented) }
        return needed.isSubset(of: announced.protocols.compactMap { ProtocolName(text: $0) })
    }
}
