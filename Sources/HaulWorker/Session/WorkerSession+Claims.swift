import HaulModel
import HaulProtocol
import HaulWire

// Asking for work.
extension WorkerSession {
    /// Work is asked for when it could start at once, and while the server takes what was done: results that pile up
    /// unanswered are held in memory.
    private var mayClaim: Bool {
        freeSlots > 0 && waiting.isEmpty && !isPausedByServer
            && held.count + refused.count < 4 * shop.config.claimLimit
    }

    /// When it will have had nothing to do for as long as it may; nil while it has, or where it may for ever.
    private var idleEnd: ContinuousClock.Instant? {
        guard let seconds = shop.config.exitIdleSeconds, held.isEmpty, refused.isEmpty else { return nil }
        return busy + .seconds(seconds)
    }

    /// Ends, if that time has come. To be asked only when the server was heard: what it does not answer may be work.
    private func endIdle() -> Bool {
        guard let idleEnd, clock.now >= idleEnd else { return false }
        log("idle", ["seconds": shop.config.exitIdleSeconds ?? 0])
        drain()
        return true
    }

    /// Claims until the order to end comes.
    func claimWork() async {
        var backoff = pace.backoff
        while true {
            // One that the server told to pause hears of it with each heartbeat.
            await wait(until: idleEnd) { mayClaim || isDraining }
            guard !isDraining, end == nil else { return }
            guard mayClaim else {
                if endIdle() { return }
                continue
            }
            let asked = clock.now
            do {
                let jobs = try await server.claim(request())
                await take(Claimed.read(jobs))
                if jobs.isEmpty, endIdle() { return }
                // A server that does not park (it is about to end, or too busy to) is not asked without a pause.
                if jobs.isEmpty, clock.now - asked < .seconds(min(1, pace.claimWait / 2)) {
                    await wait(until: clock.now + .seconds(backoff.next())) { isDraining }
                } else {
                    backoff.reset()
                }
            } catch {
                switch error {
                case .cancelled: continue
                case .unreachable: await wait(until: clock.now + .seconds(backoff.next())) { isDraining }
                case .refused(let status, let detail) where status == 404 || status == 409:
                    finish(.lost("the server does not know session \(document.session): \(detail)"))
                case .refused(let status, let detail) where error.isUnauthorized:
                    finish(.refused("\(status) \(detail)"))
                case .refused(let status, let detail):
                    log("claim-refused", ["status": status, "detail": detail])
                    await wait(until: clock.now + .seconds(backoff.next())) { isDraining }
                }
            }
        }
    }

    private func request() -> ClaimRequest {
        let config = shop.config
        // Each slot's share of a claim: what keeps a backend busy, or for a second at the pace of the last ones.
        let second = throughput.rate(at: clock.now).map { Int($0) / max(1, runners.count) } ?? 0
        let share = max(config.concurrency, second)
        // Only for a batch that is nearly through: what comes much later has to wait for a slot.
        var wait = runners.count < config.slots ? pace.claimWait : min(1, pace.claimWait)
        if let seconds = shop.config.exitIdleSeconds {
            // What is only on its way to the server now is no work by then.
            wait = min(wait, idleEnd.map { max(0, ($0 - clock.now).seconds) } ?? seconds)
        }
        return ClaimRequest(
            types: config.types.map(\.rawValue), protocols: shop.catalog.usable.map(\.manifest.name),
            sites: config.sites.isEmpty ? nil : config.sites, session: document.session,
            limit: min(config.claimLimit, freeSlots * share), bytes: config.claimBytes, wait: wait)
    }

    /// What came is held from now on, then run; what cannot be run is reported.
    private func take(_ claimed: [Claimed]) async {
        guard end == nil, let context else { return }
        var work: [Assignment] = []
        for item in claimed {
            switch item {
            case .work(let assignment):
                guard held[assignment.key.id] == nil else { continue }
                held[assignment.key.id] = AttemptReport(assignment, context: context)
                work.append(assignment)
            case .unusable(let key, let reason):
                guard refused[key.id] == nil else { continue }
                refused[key.id] = key
                let text = "\(reason)\n"
                log("element-unusable", ["element": key.id, "reason": reason])
                await reports?.add(
                    OutcomeDocument(
                        returncode: 1, host: context.host, log: text, timestamp: Timestamp.now.text,
                        errorClass: ErrorClass.invalid.rawValue, reason: reason, transferred: 0), of: key)
            }
        }
        guard !work.isEmpty else { return }
        let shop = shop
        let batches = BatchPlan.batches(work, slots: freeSlots) { shop.capacity(of: $0) }
        log("claimed", ["elements": work.count, "batches": batches.count])
        waiting += batches
        startBatches()
    }
}
