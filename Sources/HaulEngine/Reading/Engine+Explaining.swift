public import HaulModel
import HaulStore

extension Engine {
    /// Workers, and elements that wait between two tries, that an explanation looks at.
    private static let lookedAt = 10_000

    /// Why a job is not further than it is.
    ///
    /// - Throws: `.notFound` for a job that is not there.
    public func explain(job id: Int) async throws -> Explanation {
        try await store.read { [self] reader in
            let now = world.now()
            guard let state = try reader.jobState(id) else { throw EngineError.noJob(id) }
            if state.isEnded { return Explanation(blockers: [.init(.ended, "It is \(state.job.status.name).")]) }
            if state.job.status == .new {
                return Explanation(blockers: [.init(.uncommitted, "It is not committed: POST /jobs/\(id)/commit.")])
            }
            var found = Self.underWay(state)
            if let place = found.firstIndex(where: { $0.code == .running }),
                let attempt = try reader.liveAttempt(ofElement: 0, ofJob: id), attempt.isPopped
            {
                found[place] = .init(.popped, "User \(attempt.worker) popped it.")
            }
            if state.offered > 0 { found += try blockers(of: state, reader, now: now) }
            found += try Self.waiting(state, reader)
            guard let lane = try reader.lane(ofJob: id) else { return Explanation(blockers: found) }
            let place = try reader.ahead(of: lane, job: id)
            // Its turn is all that it waits for.
            let isFree = found.allSatisfy { [.running, .backoff, .expanding, .waitsForChildren].contains($0.code) }
            if state.offered > 0, isFree {
                let verb = place.all == 1 ? "goes" : "go"
                found.append(
                    .init(
                        .waitsForTurn,
                        "\(Self.count(state.ready, "element")) can be handed out, \(place.all) \(verb) before, at least."
                    ))
            }
            return Explanation(
                blockers: found, ahead: state.ready > 0 ? place.all : nil,
                estimate: estimate(
                    found, lane: lane.id, waiting: state.offered, before: place.inLane, ahead: place.all,
                    open: state.knowsAll ? state.open : nil, now: now))
        }
    }

    /// Why an element is not further than it is.
    ///
    /// - Throws: `.notFound` for an element that is not there.
    public func explain(element number: Int, ofJob id: Int) async throws -> Explanation {
        try await store.read { [self] reader in
            let now = world.now()
            guard let state = try reader.jobState(id), let element = try reader.element(number, ofJob: id) else {
                throw EngineError.noElement(number, ofJob: id)
            }
            switch element.phase {
            case .done, .failed, .cancelled:
                return Explanation(blockers: [.init(.ended, "It is \(element.status.name).")])
            case .leased, .running:
                let attempt = try reader.liveAttempt(ofElement: number, ofJob: id)
                let code: Explanation.Code = element.isUnwanted || state.intent?.shuts == true ? .cancelling : .running
                return Explanation(
                    blockers: [.init(code, "It is with worker \(attempt?.worker ?? "?").")],
                    estimate: estimate(element, attempt, now: now))
            case .popped:
                let attempt = try reader.liveAttempt(ofElement: number, ofJob: id)
                return Explanation(blockers: [.init(.popped, "User \(attempt?.worker ?? "?") popped it.")])
            case .held:
                return Explanation(blockers: [
                    .init(.waitsForChildren, "What is below this directory has to go first.")
                ])
            case .delayed:
                let blocker = Self.backoff(element)
                return Explanation(
                    blockers: [blocker],
                    estimate: estimate(
                        [blocker], lane: state.laneID, waiting: 0, before: 0, ahead: 0, open: 1, now: now))
            case .ready:
                guard let lane = try reader.lane(ofJob: id) else { return Explanation(blockers: []) }
                var found = try blockers(of: state, element: element, reader, now: now)
                let before = try reader.ready(ofJob: id, before: number, most: Self.lookedAt)
                let place = try reader.ahead(of: lane, job: id)
                let isFree = found.isEmpty
                let ahead = place.all + before
                if isFree {
                    let verb = ahead == 1 ? "goes" : "go"
                    found.append(
                        .init(.waitsForTurn, "\(Self.count(ahead, "element")) \(verb) before it, at least."))
                }
                return Explanation(
                    blockers: found, ahead: isFree ? ahead : nil,
                    estimate: estimate(
                        found, lane: lane.id, waiting: 1, before: place.inLane + before, ahead: ahead, open: 1, now: now
                    ))
            }
        }
    }

    /// What is being done with a job right now.
    private static func underWay(_ state: JobState) -> [Explanation.Blocker] {
        var found: [Explanation.Blocker] = []
        let out = state.out
        let stillRun = "\(count(out, "element")) still \(out == 1 ? "runs" : "run")"
        switch state.intent {
        case .cancel: found.append(.init(.cancelling, "It is being cancelled; \(stillRun)."))
        case .expire: found.append(.init(.cancelling, "Its deadline has passed; \(stillRun)."))
        case .destroy: found.append(.init(.cancelling, "It is being removed; \(stillRun)."))
        case .retry: found.append(.init(.retrying, "What failed is being made ready again."))
        case nil: break
        }
        if state.expansion != nil {
            found.append(
                .init(
                    .expanding,
                    "Its listing is being turned into elements, of which there are \(state.job.counts.total) by now."))
        }
        if out > 0, state.intent?.shuts != true {
            found.append(
                .init(.running, out == 1 ? "1 element is with a worker." : "\(out) elements are with workers."))
        }
        return found
    }

    /// What of a job waits for something else than its turn.
    private static func waiting(_ state: JobState, _ reader: StoreReader) throws -> [Explanation.Blocker] {
        var found: [Explanation.Blocker] = []
        if let next = try reader.nextDue(ofJob: state.job.id, scanned: lookedAt) { found.append(backoff(next)) }
        let held = try reader.waiting(ofJob: state.job.id, in: .held, most: lookedAt)
        if held > 0 {
            let directories = held == 1 ? "1 directory waits" : "\(held) directories wait"
            found.append(
                .init(
                    .waitsForChildren,
                    "\(directories)\(held == lookedAt ? ", or more," : "") until what is below is gone."))
        }
        return found
    }

    private static func backoff(_ element: Element) -> Explanation.Blocker {
        guard let errorClass = element.errorClass else {
            return .init(
                .backoff,
                "Element \(element.id) was taken back from a worker, and waits until that one has stopped for certain.",
                until: element.notBefore)
        }
        let reason = [errorClass.rawValue, element.reason].compactMap(\.self).joined(separator: ": ")
        return .init(
            .backoff,
            "Element \(element.id) is tried again after \(reason) (\(element.tries) of "
                + "\(count(element.maxTries, "try").replacing("trys", with: "tries"))).",
            until: element.notBefore)
    }

    /// What keeps a job's ready elements, or one of them, from every worker.
    private func blockers(
        of state: JobState, element: Element? = nil, _ reader: StoreReader, now: Timestamp
    ) throws -> [Explanation.Blocker] {
        let sites = rules.sites
        guard let lane = try reader.lane(ofJob: state.job.id) else { return [] }
        var found: [Explanation.Blocker] = []
        if let since = try reader.pause(ofJob: state.job.id) {
            found.append(.init(.queuePaused, "Queue \"\(lane.queue)\" is paused since \(since.text)."))
        }
        if lane.type == .task {
            return found + [.init(.poppedAlone, "It is a TASK, which no worker gets: POST /queues/\(lane.queue)/pop.")]
        }
        if try reader.queue(lane.queue, ofUser: lane.userID)?.queue.isPopped == true {
            found.append(
                .init(
                    .poppedAlone, "Queue \"\(lane.queue)\" is handed out by pop alone: no worker gets anything of it."))
        }
        for ban in try reader.bans() where lane.places.contains(ban.siteID) {
            let name = sites[ban.siteID]?.name ?? "\(ban.siteID)"
            found.append(.init(.siteBanned, "Site \(name) is closed since \(ban.made.text): \(ban.reason)"))
        }
        found += try Gates(reader, self, now: now).hindrances(lane).map { Self.blocker($0, lane, sites) }
        let workers = try reader.liveWorkers(now: now, limit: Self.lookedAt)
        let missing = try MissingWorker(lane, sites).blocker(among: workers) {
            if let element { return element.type == .mkdir }
            return try !reader.hasReady(ofJob: state.job.id, otherThan: .mkdir, most: Self.lookedAt)
        }
        if let missing { found.append(missing) }
        return found
    }

    private static func blocker(
        _ hindrance: Gates.Hindrance, _ lane: Lane, _ sites: SiteDirectory
    ) -> Explanation.Blocker {
        func name(_ site: Int) -> String { sites[site]?.name ?? "\(site)" }
        switch hindrance {
        case .limit(let scope, let limit, let out):
            let so = "\(out) of \(limit) elements are with workers, which is the limit"
            switch scope.kind {
            case .siteOut: return .init(.siteLimit, "Site \(name(scope.id)), out: \(so).")
            case .siteIn: return .init(.siteLimit, "Site \(name(scope.id)), in: \(so).")
            case .queue: return .init(.queueLimit, "Queue \"\(lane.queue)\": \(so).")
            case .user: return .init(.userLimit, "User \(lane.user): \(so).")
            }
        case .breaker(let breaker):
            let key = breaker.key
            let place =
                key.isRoute ? "From site \(name(key.siteID)) to \(name(key.otherID))" : "Site \(name(key.siteID))"
            let failures = "\(count(breaker.failures, "attempt")) in a row failed, the last with "
            let next =
                breaker.probe == nil
                ? "one element tries again after that" : "one element is trying whether it is there again"
            return .init(
                .siteDown, "\(place): \(failures)\(breaker.errorClass?.rawValue ?? "unknown"); \(next).",
                until: breaker.until)
        }
    }
}
