public import HaulModel
import HaulStore

extension Engine {
    /// Workers, and elements that wait between two tries, that an explanation looks at.
    private static let lookedAt = 10_000

    /// Why a job is not further than it is.
    ///
    /// - Throws: `.notFound` for a job that is not there.
    public func explain(job id: Int) async throws -> Explanation {
        try await store.read { [rules] reader in
            guard let state = try reader.jobState(id) else { throw EngineError.noJob(id) }
            if state.isEnded { return Explanation(blockers: [.init(.ended, "It is \(state.job.status.name).")]) }
            var found = Self.underWay(state)
            if state.ready > 0, state.intent?.shuts != true {
                found += try Self.blockers(of: state, reader, rules.sites)
            }
            found += try Self.waiting(state, reader)
            guard state.ready > 0, let lane = try reader.lane(ofJob: id) else { return Explanation(blockers: found) }
            let ahead = try reader.ahead(of: lane, job: id)
            // Its turn is all that it waits for.
            if found.allSatisfy({ [.running, .backoff, .expanding, .waitsForChildren].contains($0.code) }) {
                found.append(
                    .init(.waitsForTurn, "\(state.ready) elements can be handed out, \(ahead) go before them."))
            }
            return Explanation(blockers: found, ahead: ahead)
        }
    }

    /// Why an element is not further than it is.
    ///
    /// - Throws: `.notFound` for an element that is not there.
    public func explain(element number: Int, ofJob id: Int) async throws -> Explanation {
        try await store.read { [rules] reader in
            guard let state = try reader.jobState(id), let element = try reader.element(number, ofJob: id) else {
                throw EngineError.noElement(number, ofJob: id)
            }
            switch element.phase {
            case .done, .failed, .cancelled:
                return Explanation(blockers: [.init(.ended, "It is \(element.status.name).")])
            case .leased, .running:
                let worker = try reader.liveAttempt(ofElement: number, ofJob: id)?.worker ?? "?"
                let code: Explanation.Code = element.isUnwanted || state.intent?.shuts == true ? .cancelling : .running
                return Explanation(blockers: [.init(code, "It is with worker \(worker).")])
            case .held:
                return Explanation(blockers: [
                    .init(.waitsForChildren, "What is below this directory has to go first.")
                ])
            case .delayed: return Explanation(blockers: [Self.backoff(element)])
            case .ready:
                let found = try Self.blockers(of: state, reader, rules.sites)
                guard found.isEmpty, let lane = try reader.lane(ofJob: id) else { return Explanation(blockers: found) }
                let ahead = try reader.ahead(of: lane, job: id)
                return Explanation(
                    blockers: [.init(.waitsForTurn, "\(ahead) elements of other jobs go before it, at least.")],
                    ahead: ahead)
            }
        }
    }

    /// What is being done with a job right now.
    private static func underWay(_ state: JobState) -> [Explanation.Blocker] {
        var found: [Explanation.Blocker] = []
        let out = state.job.counts.submitted + state.job.counts.running
        switch state.intent {
        case .cancel: found.append(.init(.cancelling, "It is being cancelled; \(out) elements still run."))
        case .expire: found.append(.init(.cancelling, "Its deadline has passed; \(out) elements still run."))
        case .retry: found.append(.init(.retrying, "What failed is being made ready again."))
        case nil: break
        }
        if state.expansion != nil {
            found.append(
                .init(.expanding, "Its listing is being turned into elements; \(state.job.counts.total) are there."))
        }
        if out > 0, state.intent?.shuts != true { found.append(.init(.running, "\(out) elements are with workers.")) }
        return found
    }

    /// What of a job waits for something else than its turn.
    private static func waiting(_ state: JobState, _ reader: StoreReader) throws -> [Explanation.Blocker] {
        var found: [Explanation.Blocker] = []
        if let next = try reader.nextDue(ofJob: state.job.id, scanned: lookedAt) { found.append(backoff(next)) }
        let held = try reader.waiting(ofJob: state.job.id, in: .held, most: lookedAt)
        if held > 0 {
            found.append(
                .init(
                    .waitsForChildren,
                    "\(held)\(held == lookedAt ? " or more" : "") directories wait until what is below them is gone."))
        }
        return found
    }

    private static func backoff(_ element: Element) -> Explanation.Blocker {
        let reason = [element.errorClass?.rawValue, element.reason].compactMap(\.self).joined(separator: ": ")
        return .init(
            .backoff,
            "Element \(element.id) is tried again after \(reason) (\(element.tries) of \(element.maxTries) tries).",
            until: element.notBefore)
    }

    /// What keeps a job's ready elements from every worker.
    private static func blockers(
        of state: JobState, _ reader: StoreReader, _ sites: SiteDirectory
    ) throws -> [Explanation.Blocker] {
        guard let lane = try reader.lane(ofJob: state.job.id) else { return [] }
        var found: [Explanation.Blocker] = []
        if let since = try reader.pause(ofJob: state.job.id) {
            found.append(.init(.queuePaused, "Queue \"\(lane.queue)\" is paused since \(since.text)."))
        }
        for ban in try reader.bans() where lane.places.contains(ban.siteID) {
            let name = sites[ban.siteID]?.name ?? "\(ban.siteID)"
            found.append(.init(.siteBanned, "Site \(name) is closed since \(ban.made.text): \(ban.reason)"))
        }
        if let blocker = missingWorker(lane, try reader.liveWorkers(limit: lookedAt), sites) { found.append(blocker) }
        return found
    }

    /// Why none of the workers can take what is in a lane; nil where one can.
    private static func missingWorker(
        _ lane: Lane, _ workers: [KnownWorker], _ sites: SiteDirectory
    ) -> Explanation.Blocker? {
        guard !workers.isEmpty else { return .init(.noWorker, "No worker is connected.") }
        let needed = lane.neededProtocols(sites)
        let able = workers.filter { worker in
            needed.isSubset(of: worker.record.protocols.compactMap { ProtocolName(text: $0) })
        }
        let names = needed.map(\.name).sorted().joined(separator: " and ")
        guard !able.isEmpty else {
            return .init(.noWorkerForProtocol, "None of \(workers.count) workers can run \(names).")
        }
        let reaching = able.filter { $0.record.sites.isEmpty || Set($0.record.sites).isSuperset(of: lane.places) }
        guard !reaching.isEmpty else {
            let places = lane.places.map { sites[$0]?.name ?? "\($0)" }.joined(separator: " and ")
            return .init(.noWorkerForSite, "None of the workers that can run \(names) can reach \(places).")
        }
        guard reaching.contains(where: { $0.drained == nil }) else {
            return .init(
                .workersDrained,
                "Every worker that could take it is drained: "
                    + reaching.prefix(5).map(\.record.name).joined(separator: ", ") + ".")
        }
        return nil
    }
}
