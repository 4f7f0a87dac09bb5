import Foundation
import HaulModel
import HaulProtocol
import HaulWire

// Keeping the leases, and giving up what is lost.
extension WorkerSession {
    /// Renews the leases every `heartbeat_seconds`; after a failure sooner.
    func sendHeartbeats() async {
        var backoff = pace.backoff
        // The server may have taken its time to register this one: what is left of the lease is less then.
        var pause = max(0, document.heartbeatSeconds - (clock.now - renewed).seconds)
        while end == nil, !Task.isCancelled {
            try? await Task.sleep(for: .seconds(pause))
            guard end == nil, !Task.isCancelled else { return }
            let sent = clock.now
            let holding = Set(held.keys).union(refused.keys)
            do {
                let reply = try await server.heartbeat(beat(holding), timeout: max(1, document.heartbeatSeconds))
                renewed = sent
                backoff.reset()
                pause = document.heartbeatSeconds
                await heed(reply, holding: holding)
            } catch {
                pause = min(document.heartbeatSeconds, backoff.next())
                switch error {
                case .refused(let status, let detail) where status == 404 || status == 409:
                    finish(.lost("the server does not know session \(document.session): \(detail)"))
                case .refused(let status, let detail) where error.isUnauthorized:
                    finish(.refused("\(status) \(detail)"))
                case .refused(let status, let detail): log("heartbeat-refused", ["status": status, "detail": detail])
                case .unreachable, .cancelled: break
                }
            }
        }
    }

    private func beat(_ holding: Set<String>) -> Heartbeat {
        var load = 0.0
        let config = shop.config
        return Heartbeat(
            session: document.session, holding: holding.sorted(), load: getloadavg(&load, 1) == 1 ? load : nil,
            slots: config.slots, protocols: shop.catalog.usable.map(\.manifest.name), sites: config.sites)
    }

    private func heed(_ reply: HeartbeatReply, holding: Set<String>) async {
        if isPausedByServer != reply.drain {
            log(reply.drain ? "paused" : "resumed", ["by": "server"])
            isPausedByServer = reply.drain
            changed()
        }
        for id in reply.unknown where holding.contains(id) {
            // What is just being reported has no lease any more once that is done; the answer says which it was.
            if let key = held[id]?.assignment.key ?? refused[id], await reports?.isUnderWay(key) == true { continue }
            await leaseEnded(id)
        }
        // The server repeats itself until it has the outcome.
        for id in reply.stop where held[id] != nil && stopping.insert(id).inserted {
            cancel(id, reason: "cancelled by its user")
        }
    }

    /// The server gave an attempt up: its work is stopped, its report dropped.
    func leaseEnded(_ id: String) async {
        if let key = refused[id] {
            forget(id)
            await reports?.drop(key)
        }
        guard let report = held[id] else { return }
        log("lease-ended", ["element": id])
        forget(id)
        await report.abandon()
        await reports?.drop(report.assignment.key)
        cancel(id, reason: "its lease has ended", keep: true)
    }

    /// Ends an attempt; its result follows, unless it has one by now.
    ///
    /// Not waited for: a batch that hands a neighbour's log to a slow server takes no orders until that is done, and
    /// the heartbeat that brought this one must not wait for that.
    ///
    /// - Parameter keep: Somebody else may have it by now: what there is of its file stays for them.
    func cancel(_ id: String, reason: String, keep: Bool = false) {
        if joining[id] != nil {
            joining[id] = PendingCancel(reason: reason, keep: keep)
        } else if let number = runnerOf[id] {
            let runner = runners[number]
            Task { await runner?.cancel(id, reason: reason, keep: keep) }
        } else if let index = waiting.firstIndex(where: { $0.elements.contains { $0.key.id == id } }) {
            waiting[index].elements.removeAll { $0.key.id == id }
            if waiting[index].elements.isEmpty { waiting.remove(at: index) }
            if let report = held[id] { ended(report, .failed(.interrupted, reason)) }
        }
    }

    /// Seconds before the end of the leases at which everything is stopped.
    var margin: Double { min(pace.leaseMargin, document.leaseSeconds / 3) }

    /// Should this process be stopped, its backends end all the same: later than it would end them itself, and before
    /// another worker is given what they do.
    func allowBackends() {
        shop.guardian?.allow(until: renewed + .seconds(document.leaseSeconds - margin / 4))
    }

    /// Sends what attempts hold back, and stops everything before the leases run out.
    func keepTime() async {
        while end == nil, !Task.isCancelled {
            try? await Task.sleep(for: .seconds(pace.tick))
            guard !Task.isCancelled else { return }
            let silence = (clock.now - renewed).seconds
            if silence >= document.leaseSeconds - margin {
                return finish(.lost("no heartbeat was answered for \(Int(silence)) s"))
            }
            for id in runnerOf.keys { await held[id]?.tick() }
        }
    }
}
