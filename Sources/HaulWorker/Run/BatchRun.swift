import Foundation
import HaulModel
import HaulProtocol

/// A batch whose backend does the whole errand.
actor BatchRun: BatchRunner {
    private let errand: Errand
    private let shop: Workshop
    private let settle: BatchLedger.Settle
    private var ledger: BatchLedger
    private var backend: BackendRun?
    private var stopReason: String?

    init(_ errand: Errand, _ reports: [AttemptReport], in shop: Workshop, settle: @escaping BatchLedger.Settle) {
        self.errand = errand
        self.shop = shop
        self.settle = settle
        ledger = BatchLedger(reports)
    }

    func run() async {
        do {
            let plugIn = try shop.plugIn(errand.source, for: errand.operation)
            let scratch = try await shop.folder.makeScratch()
            await run(plugIn, scratch: scratch)
            await shop.folder.remove(scratch)
        } catch let failure as Unrunnable {
            await settleAll(failure.result)
        } catch {
            await settleAll(.failed(.backend, "this worker has no scratch folder: \(error.localizedDescription)"))
        }
    }

    func cancel(_ id: String, reason: String, keep: Bool) async {
        ledger.cancel(id, reason: reason, keep: keep)
        await backend?.cancel(id, reason: reason, keep: keep)
    }

    func stop(reason: String) async {
        stopReason = stopReason ?? reason
        await backend?.terminate(reason: reason)
    }

    func kill() async {
        stopReason = stopReason ?? "the worker was killed"
        if let backend { ProcessGroup.kill(backend.pid) }
    }

    private func run(_ plugIn: PlugIn, scratch: String) async {
        let (source, refused) = await shop.site(errand.source, plugIn)
        var warnings = refused
        var destination: SiteSpec?
        if let station = errand.destination {
            let other = await shop.site(station, plugIn)
            destination = other.spec
            warnings += other.warnings
        }
        warnings += plugIn.found.manifest.unknownOptions(in: errand.options)
            .map { "option \($0) is not known to protocol \(plugIn.found.manifest.name)" }
        for report in ledger.order { await report.warn(warnings) }
        let batch = shop.batch(
            errand.operation, of: errand, with: plugIn, source: source, destination: destination, scratch: scratch)
        if let stopReason { return await settleAll(.failed(.interrupted, stopReason)) }
        do {
            let backend = try await shop.start(plugIn, batch) { [weak self] in await self?.take($0) }
            self.backend = backend
            await feed(backend, concurrency: batch.concurrency)
            await backend.wait()
        } catch {
            await settleAll(.failed(.backend, "the backend did not start: \(error)"))
        }
        backend = nil
        // Every element has had its result by now; this holds even if not.
        await settleAll(.failed(.backend, "the backend ended without a result for this element"))
    }

    private func feed(_ backend: BackendRun, concurrency: Int) async {
        if let stopReason { return await backend.terminate(reason: stopReason) }
        for report in ledger.beginning(concurrency) { await report.begin() }
        for report in ledger.unsettled {
            await backend.add(report.assignment.spec)
            if stopReason != nil { break }
        }
        // What was cancelled while it was not there yet.
        for (id, reason) in ledger.cancelled where ledger[id] != nil {
            await backend.cancel(id, reason: reason, keep: ledger.keeps(id))
        }
        if let stopReason { return await backend.terminate(reason: stopReason) }
        await backend.finish()
    }

    private func take(_ event: BackendEvent) async {
        guard case .result(let id, let result) = event else {
            await ledger[event.id]?.take(event)
            return
        }
        guard let report = ledger.close(id) else { return }
        await settle(report, result)
        for next in ledger.beginning(1) { await next.begin() }
    }

    private func settleAll(_ result: ElementResult) async {
        for report in ledger.unsettled {
            if let report = ledger.close(report.assignment.key.id) { await settle(report, result) }
        }
    }
}

/// A backend leads a process group of its own, with all that it started in it.
enum ProcessGroup {
    /// SIGKILL to all of a backend's group.
    static func kill(_ pid: Int32) {
        if pid > 1 { _ = Foundation.kill(-pid, SIGKILL) }
    }
}
