import Foundation
import HaulModel
import HaulProtocol

/// A COPY between sites of two protocols: each file is fetched into the spool by the source's backend (`get`) and brought
/// to its destination by the other (`put`), file after file, both backends at work at a time. The spool's space bounds
/// how far the first runs ahead.
actor Bridge: BatchRunner {
    private let errand: Errand
    private let shop: Workshop
    private let settle: BatchLedger.Settle
    private var ledger: BatchLedger
    /// Bytes of the spool that an element holds.
    private var held: [String: Int] = [:]
    /// Elements that are with the putting backend.
    private var putting: Set<String> = []
    private var get: BackendRun?
    private var put: BackendRun?
    private var feeding: Task<Void, Never>?
    private var spool = ""
    private var stopReason: String?

    init(_ errand: Errand, _ reports: [AttemptReport], in shop: Workshop, settle: @escaping BatchLedger.Settle) {
        self.errand = errand
        self.shop = shop
        self.settle = settle
        ledger = BatchLedger(reports)
    }

    func run() async {
        do {
            let target = errand.destination ?? errand.source
            let from = try shop.plugIn(errand.source, for: .get)
            let to = try shop.plugIn(target, for: .put)
            spool = try await shop.folder.makeSpool()
            let scratch = (try await shop.folder.makeScratch(), try await shop.folder.makeScratch())
            await run(from: from, to: to, target: target, scratch: scratch)
            for folder in [spool, scratch.0, scratch.1] { await shop.folder.remove(folder) }
        } catch let failure as Unrunnable {
            await settleAll(failure.result)
        } catch {
            await settleAll(.failed(.backend, "the copy through the spool did not start: \(error)"))
        }
        for bytes in held.values { await shop.space.give(bytes) }
    }

    func cancel(_ id: String, reason: String) async {
        ledger.cancel(id, reason: reason)
        await get?.cancel(id, reason: reason)
        await put?.cancel(id, reason: reason)
    }

    func stop(reason: String) async {
        stopReason = stopReason ?? reason
        feeding?.cancel()
        let (get, put) = (get, put)
        async let first: Void? = get?.terminate(reason: reason)
        async let second: Void? = put?.terminate(reason: reason)
        _ = await (first, second)
    }

    func kill() async {
        stopReason = stopReason ?? "the worker was killed"
        feeding?.cancel()
        for backend in [get, put] { if let backend { ProcessGroup.kill(backend.pid) } }
    }

    private func run(from: PlugIn, to: PlugIn, target: Station, scratch: (String, String)) async {
        let (source, refused) = await shop.site(errand.source, from)
        let (destination, alsoRefused) = await shop.site(target, to)
        let known = Set(from.found.manifest.unknownOptions(in: errand.options))
            .intersection(to.found.manifest.unknownOptions(in: errand.options))
        let names = "\(from.found.manifest.name) or \(to.found.manifest.name)"
        let warnings = refused + alsoRefused + known.sorted().map { "option \($0) is not known to protocol \(names)" }
        for report in ledger.order { await report.warn(warnings) }
        let getting = shop.batch(.get, of: errand, with: from, source: source, destination: nil, scratch: scratch.0)
        let putting = shop.batch(.put, of: errand, with: to, source: destination, destination: nil, scratch: scratch.1)
        do {
            let put = try await BackendRun.start(to.found, batch: putting, graces: shop.graces) { [weak self] in
                await self?.takeFromPut($0)
            }
            self.put = put
            let get = try await BackendRun.start(from.found, batch: getting, graces: shop.graces) { [weak self] in
                await self?.takeFromGet($0)
            }
            self.get = get
            let feeding = Task { await feed(get) }
            self.feeding = feeding
            if let stopReason { await stop(reason: stopReason) }
            await feeding.value
            await get.finish()
            await get.wait()
        } catch {
            stopReason = stopReason ?? "the other backend did not start"
            await settleAll(.failed(.backend, "a backend did not start: \(error)"))
        }
        await put?.finish()
        await put?.wait()
        (get, put) = (nil, nil)
        let missing = stopReason.map { ElementResult.failed(.interrupted, $0) }
        await settleAll(missing ?? .failed(.backend, "a backend ended without a result for this element"))
    }

    /// Hands elements to the getting backend as the spool has room for them.
    private func feed(_ get: BackendRun) async {
        for report in ledger.order {
            let assignment = report.assignment
            let id = assignment.key.id
            let bytes = max(4096, assignment.size)
            guard assignment.size <= shop.space.capacity else {
                let have = "the file has \(assignment.size) bytes, the worker's spool takes \(shop.space.capacity)"
                await end(id, .failed(.noSpace, "\(have): raise spool_bytes in the worker's configuration"))
                continue
            }
            if let reason = ledger.cancelled[id] {
                await end(id, .failed(.interrupted, reason))
                continue
            }
            let share = min(bytes, shop.space.capacity)
            guard ledger[id] != nil, await shop.space.take(share) else { continue }
            guard stopReason == nil, ledger[id] != nil, ledger.cancelled[id] == nil else {
                await shop.space.give(share)
                await end(id, .failed(.interrupted, stopReason ?? ledger.cancelled[id] ?? "cancelled"))
                continue
            }
            held[id] = share
            await report.begin()
            var spec = assignment.spec
            spec.destination = "\(spool)/\(id)"
            await get.add(spec)
            // Cancelled while it was on its way there.
            if let reason = ledger.cancelled[id] { await get.cancel(id, reason: reason) }
        }
    }

    private func takeFromGet(_ event: BackendEvent) async {
        let id = event.id
        guard let report = ledger[id] else { return }
        switch event {
        case .progress(_, let progress): await report.take(.progress(id: id, leg(progress, of: report, done: 0)))
        case .log, .entries: await report.take(event)
        case .result(_, let result):
            guard result.isOK, let put, ledger.cancelled[id] == nil, stopReason == nil else {
                let reason = ledger.cancelled[id] ?? stopReason ?? "cancelled"
                return await end(id, result.isOK ? .failed(.interrupted, reason) : result)
            }
            await report.take(.log(id: id, text: "\(result.transferred) bytes are in the spool, on to the destination"))
            var spec = report.assignment.spec
            spec.source = "\(spool)/\(id)"
            spec.size = result.transferred > 0 ? result.transferred : nil
            spec.checksum = result.checksum
            putting.insert(id)
            await put.add(spec)
            // Cancelled since the look above: the putting backend did not know the element then.
            if let reason = ledger.cancelled[id] { await put.cancel(id, reason: reason) }
        }
    }

    private func takeFromPut(_ event: BackendEvent) async {
        let id = event.id
        guard let report = ledger[id], putting.contains(id) else { return }
        switch event {
        case .progress(_, let progress):
            await report.take(.progress(id: id, leg(progress, of: report, done: report.assignment.size)))
        case .log, .entries: await report.take(event)
        case .result(_, let result): await end(id, result)
        }
    }

    /// Each of the two ways counts half, so that the element's progress ends at its size.
    private func leg(_ progress: TransferProgress, of report: AttemptReport, done: Int) -> TransferProgress {
        var half = progress
        half.transferred = (done + progress.transferred) / 2
        return half
    }

    private func end(_ id: String, _ result: ElementResult) async {
        guard let report = ledger.close(id) else { return }
        putting.remove(id)
        await shop.folder.remove("\(spool)/\(id)")
        if let bytes = held.removeValue(forKey: id) { await shop.space.give(bytes) }
        await settle(report, result)
    }

    private func settleAll(_ result: ElementResult) async {
        for report in ledger.unsettled { await end(report.assignment.key.id, result) }
    }
}
