import HaulModel
import HaulStore

extension Engine {
    /// Hands elements out under a lease of the session, in one transaction: lanes by priority, by what their users were
    /// given, and by turn, of each the oldest job's elements. Its cost is lanes visited and elements given.
    ///
    /// - Parameter wait: seconds to park until there is work.
    /// - Returns: nothing where there is none.
    /// - Throws: `EngineError` when the session has ended or is another's, or the token was revoked meanwhile.
    public func claim(_ query: ClaimQuery, wait: Double) async throws -> [Handout] {
        let deadline = world.now().adding(seconds: wait)
        var heard = workBell.rings
        var found = try await look(query, tellsMore: false)
        while found.handouts.isEmpty {
            let left = deadline.seconds(since: world.now())
            guard left > 0, !Task.isCancelled, !workBell.isClosed else { return [] }
            let isWoken = await workBell.wait(after: heard, seconds: left)
            heard = workBell.rings
            // Should the look throw, or its client be gone, those who are parked behind shall look.
            found = Look(hasMore: true)
            defer { if isWoken { workBell.pass(heard: heard, hasMore: found.hasMore) } }
            if Task.isCancelled { return [] }
            found = try await look(query, tellsMore: isWoken)
        }
        return found.handouts
    }

    /// What one look for work found.
    private struct Look: Sendable {
        var handouts: [Handout] = []
        /// Something waits still that may be handed out, be it to others.
        var hasMore = false
    }

    /// Looking first costs a read; only what is likely to find something goes through the writer. A session that found
    /// something finds more, most of the time.
    ///
    /// - Parameter tellsMore: somebody wants to know whether there is more.
    private func look(_ query: ClaimQuery, tellsMore: Bool) async throws -> Look {
        if !fruitful.contains(query.session) {
            let (isLikely, hasMore) = try await store.read { try self.promise(of: query, $0) }
            guard isLikely else { return Look(hasMore: hasMore) }
        }
        var found = Look()
        defer { fruitful.note(query.session, isFruitful: !found.handouts.isEmpty) }
        found = try await take(query, tellsMore: tellsMore)
        return found
    }

    /// Whether a claim would find something, and whether there is something for others.
    private func promise(of query: ClaimQuery, _ reader: StoreReader) throws -> (isLikely: Bool, hasMore: Bool) {
        let now = world.now()
        let (found, bans, breakers, priorities) = try reader.answers(
            to: Ask.claimant(session: query.session), Ask.bans, Ask.breakers, Ask.prioritiesWithWork)
        let claimant = try Self.claimant(found, of: query, now)
        var isLikely = false
        let hasMore = try query.completed(by: claimant).visitLanes(
            reader, sites: rules.sites, Gates(reader, self, now: now, bans, breakers, priorities: priorities)
        ) { _, _ in
            isLikely = true
            return false
        }
        return (isLikely, hasMore)
    }

    private func take(_ query: ClaimQuery, tellsMore: Bool) async throws -> Look {
        try await transact(elements: query.measure.mostElements) { [self] writer, ledger in
            let handouts = try handOut(query, writer, ledger)
            let hasMore = try tellsMore && hasOpenWork(writer.reader, Gates(writer.reader, self, now: ledger.now))
            return Look(handouts: handouts, hasMore: hasMore)
        }
    }

    /// True while something waits that may be handed out: no limit, breaker, ban or pause holds it back. Its cost is the
    /// lanes before the first that is open.
    func hasOpenWork(_ reader: StoreReader, _ gates: Gates) throws -> Bool {
        for priority in gates.priorities {
            for user in try reader.usersWithWork(priority: priority) {
                let lanes = try LanePages(reader, user: user, priority: priority, withTails: false)
                guard try lanes.visit({ try !gates.isOpen($0) }) else { return true }
            }
        }
        return false
    }

    /// - Throws: `.sessionEnded` where the session has, or is another's.
    private static func claimant(
        _ found: Claimant?, of query: ClaimQuery, _ now: Timestamp
    ) throws(EngineError) -> Claimant? {
        guard query.session != nil else { return nil }
        guard let found, found.session.tokenID == query.bearer.id, found.session.isLive(at: now) else {
            throw EngineError.sessionEnded
        }
        return found
    }

    func handOut(_ query: ClaimQuery, _ writer: StoreWriter, _ ledger: Ledger) throws -> [Handout] {
        let (found, claims, bans, breakers, priorities) = try writer.reader.answers(
            to: Ask.claimant(session: query.session), Ask.nextClaim, Ask.bans, Ask.breakers, Ask.prioritiesWithWork)
        let claimant = try Self.claimant(found, of: query, ledger.now)
        guard let claims else { throw StoreError.failed("the row of fairness is gone") }
        let gates = Gates(writer.reader, self, now: ledger.now, bans, breakers, priorities: priorities)
        let elements = try choose(query.completed(by: claimant), writer, gates, claims)
        guard !elements.isEmpty else { return [] }
        let lease = try claimant?.session ?? sessionless(query, writer, ledger.now)
        var given: [Int: [Handout.Item]] = [:]
        var order: [Int] = []
        var attempts: [AttemptID] = []
        for case .some(let decision) in try ledger.apply(elements.map { (.claimed, $0, nil) }, all: true) {
            let element = decision.element
            for case .beginAttempt(let number) in decision.actions {
                let id = AttemptID(jobID: element.jobID, elementID: element.id, number: number)
                attempts.append(id)
                if given[element.jobID] == nil { order.append(element.jobID) }
                given[element.jobID, default: []].append(
                    Handout.Item(element: element, attempt: number, token: tokens.token(for: id)))
            }
        }
        try writer.insertAttempts(attempts, session: lease, now: ledger.now)
        let jobs = try ledger.close()
        return order.compactMap { id in
            guard let job = jobs[id], let items = given[id] else { return nil }
            return Handout(
                job: job, source: rules.sites[job.source.siteID],
                destination: job.destination.flatMap { rules.sites[$0.siteID] }, items: items, leaseUntil: lease.expires
            )
        }
    }

    /// Lanes of which the next element is too large for what room is left, after which a claim is as good as full.
    private static let misfits = 10

    /// Takes elements lane after lane until the claim is full, and counts them against their users.
    private func choose(
        _ query: ClaimQuery, _ writer: StoreWriter, _ gates: Gates, _ claims: ClaimClock
    ) throws -> [Element] {
        var chosen: [Element] = []
        var bytes = 0
        // A user who comes back from a pause starts little before where the others are, not where time stood when they
        // left: a few elements go at once, a million share.
        var served: [Int: Int] = [:]
        var lanes: Set<Int> = []
        var latest = claims.time
        var taken: Set<Int> = []
        var misfits = 0
        func left() -> Int {
            switch query.measure {
            case .number: query.measure.mostElements - chosen.count
            case .size(let size): bytes < size || chosen.isEmpty ? ClaimQuery.limit - chosen.count : 0
            }
        }
        guard left() > 0 else { return [] }
        try query.visitLanes(writer.reader, sites: rules.sites, gates) { lane, tails in
            let room = try gates.room(lane, most: left())
            let withoutMkdir = query.session == nil && lane.type == .copy
            let found =
                if let tails {
                    try writer.reader.readyElements(of: tails, withoutMkdir: withoutMkdir, limit: room)
                } else {
                    try writer.reader.readyElements(
                        inLane: lane.id, without: taken, withoutMkdir: withoutMkdir, limit: room)
                }
            for element in found {
                // Sizes are what workers said of their sites: their sum may be more than an integer holds.
                let sum = bytes.addingReportingOverflow(element.size)
                let total = sum.overflow ? Int.max : sum.partialValue
                if case .size(let size) = query.measure, !chosen.isEmpty, total > size {
                    misfits += 1
                    break
                }
                chosen.append(element)
                bytes = total
                if tails != nil { taken.insert(element.jobID) }
                lanes.insert(lane.id)
                try gates.take(element.type, of: lane)
                let start = max(lane.virtualTime, claims.time - configuration.fairnessCredit)
                // The latest of those who are served: one who needs little must not hold the clock for the others.
                latest = max(latest, start)
                served[lane.userID, default: start] += 1
            }
            return left() > 0 && misfits < Self.misfits
        }
        try writer.setTurn(claims.turn, ofLanes: lanes.sorted())
        if latest > claims.time { try writer.setVirtualClock(latest) }
        for (user, time) in served { try writer.setVirtualTime(time, ofUser: user) }
        return chosen
    }

    /// The session of a claim that names none: as long as such a worker may take without a word.
    private func sessionless(_ query: ClaimQuery, _ writer: StoreWriter, _ now: Timestamp) throws -> Session {
        let session = try writer.startSession(
            workerID: nil, tokenID: query.bearer.id, worker: query.host, now: now,
            expires: now.adding(seconds: configuration.sessionlessLeaseSeconds))
        guard let session else { throw EngineError.tokenRevoked }
        return session
    }
}
