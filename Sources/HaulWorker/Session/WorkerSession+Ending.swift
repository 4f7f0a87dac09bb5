import Foundation
import HaulModel
import HaulProtocol
import HaulWire

// Ending a session in good order, or at once.
extension WorkerSession {
    /// Lets what runs go on for `drain_seconds`, then cancels it; returns when all is reported.
    func drainWork() async {
        log("draining", ["batches": runners.count, "elements": held.count, "seconds": shop.config.drainSeconds])
        let deadline = clock.now + .seconds(shop.config.drainSeconds)
        await wait(until: deadline) { runners.isEmpty && waiting.isEmpty && joining.isEmpty }
        let reason = "the worker was told to end"
        closing = reason
        let left = waiting
        waiting = []
        for assignment in left.flatMap(\.elements) {
            if let report = held[assignment.key.id] { ended(report, .failed(.interrupted, reason)) }
        }
        for runner in runners.values { Task { await runner.stop(reason: reason) } }
        await wait { runners.isEmpty && joining.isEmpty }
        // Their outcomes: until they are acknowledged, or the leases are over. A server that answers heartbeats but takes
        // no outcome holds nobody here for longer than a lease: it hands the elements out again.
        await wait(until: clock.now + .seconds(document.leaseSeconds)) {
            held.isEmpty && refused.isEmpty
        }
        let unanswered = held.count + refused.count
        if end == nil, unanswered > 0 { log("outcomes-dropped", ["elements": unanswered]) }
    }

    /// No backend is left when this returns; what is not reported by now never is, unless all went well.
    func stopAll(_ how: SessionEnd) async {
        waiting = []
        for report in held.values { await report.abandon() }
        await reports?.close()
        let reason: String
        switch how {
        case .drained: reason = "the worker was told to end"
        case .lost(let why), .refused(let why): reason = why
        case .killed: reason = "the worker was told to end at once"
        }
        for runner in runners.values {
            Task { if how == .killed { await runner.kill() } else { await runner.stop(reason: reason) } }
        }
        // Once the leases are over another worker may be at the same files: who does not stop in time is made to.
        let patience = clock.now + .seconds(margin / 2)
        var isForced = how == .drained || how == .killed
        while !runners.isEmpty {
            await waitForBatch(atMost: margin / 8)
            guard !isForced, clock.now >= patience else { continue }
            isForced = true
            for runner in runners.values { Task { await runner.kill() } }
        }
        await shop.warm.endAll()
        held = [:]
        refused = [:]
    }

    /// Tells the server that nothing is held, so that what a lost answer had handed out goes to others at once.
    func sayGoodbye() async {
        _ = try? await server.heartbeat(Heartbeat(session: document.session, holding: []), timeout: 5)
    }
}
