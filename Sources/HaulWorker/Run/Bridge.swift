import Foundation
import HaulModel
import HaulProtocol
import HaulWire

/// A COPY between sites of two protocols: each file is fetched into the spool by the source's backend (`get`) and brought
/// to its destination by the other (`put`), file after file, both backends at work at a time. The spool's space bounds
/// how far the first runs ahead. What an attempt has fetched of a file stays there for the next one, as far as there is room.
actor Bridge: BatchRunner {
    private let errand: Errand
    private let shop: Workshop
    private let settle: BatchLedger.Settle
    private var ledger: BatchLedger
    /// Bytes of the spool that an element holds.
    private var held: [String: Int] = [:]
    /// The folder of the spool that an element's data is in.
    private var folders: [String: String] = [:]
    /// Elements that the spool has no room for after all, and how they end.
    private var tooLarge: [String: ElementResult] = [:]
    /// Elements that are with the putting backend.
    private var putting: Set<String> = []
    private var get: BackendRun?
    private var put: BackendRun?
    private var feeding: Task<Void, Never>?
    /// Elements that have their place in the spool, and are on their way to the getting backend or were there.
    private var begun: Set<String> = []
    /// The element that waits for its place.
    private var queuing: (id: String, task: Task<Bool, Never>)?
    private var stopReason: String?

    init(_ errand: Errand, _ reports: [AttemptReport], in shop: Workshop, settle: @escaping BatchLedger.Settle) {
        self.errand = errand
        self.shop = shop
        self.settle = settle
        ledger = BatchLedger(reports)
    }

    func run() async {
        do {
            let legs = try await shop.legs(of: errand, ledger.order.first?.assignment.key)
            await run(legs)
            for folder in legs.scratch { await shop.folder.remove(folder) }
            await legs.credentials.remove(shop)
        } catch let failure as Unrunnable {
            await settleAll(failure.result)
        } catch {
            await settleAll(.failed(.backend, "the copy through the spool did not start: \(error)"))
        }
        for bytes in held.values { await shop.space.give(bytes) }
    }

    func cancel(_ id: String, reason: String, keep: Bool) async {
        ledger.cancel(id, reason: reason, keep: keep)
        guard begun.contains(id) else {
            // No backend knows of it, and its turn may be hours off.
            if queuing?.id == id { queuing?.task.cancel() }
            return await end(id, .failed(.interrupted, reason))
        }
        await get?.cancel(id, reason: reason, keep: keep)
        await put?.cancel(id, reason: reason, keep: keep)
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

    private func run(_ legs: Legs) async {
        for report in ledger.order { await report.warn(legs.warnings) }
        do {
            let put = try await shop.start(legs.put.plugIn, legs.put.batch) { [weak self] in await self?.takeFromPut($0)
            }
            self.put = put
            let get = try await shop.start(legs.get.plugIn, legs.get.batch) { [weak self] in await self?.takeFromGet($0)
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
            let share = min(bytes, shop.space.capacity)
            guard ledger[id] != nil, await takeSpace(share, for: id) else { continue }
            guard stopReason == nil, ledger[id] != nil else {
                await shop.space.give(share)
                continue
            }
            begun.insert(id)
            held[id] = share
            await report.begin()
            var spec = assignment.spec
            do {
                spec.destination = "\(try await enterFolder(of: assignment))/\(id)"
            } catch {
                await end(id, .failed(.backend, "this worker has no spool folder: \(error.localizedDescription)"))
                continue
            }
            await get.add(spec)
            // Cancelled while it was on its way there.
            if let reason = ledger.cancelled[id] { await get.cancel(id, reason: reason, keep: ledger.keeps(id)) }
        }
    }

    /// Waits for room in the spool; false where the element, or all of them, ended before there was some.
    private func takeSpace(_ bytes: Int, for id: String) async -> Bool {
        let space = shop.space
        let task = Task { await space.take(bytes) }
        queuing = (id, task)
        defer { queuing = nil }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func takeFromGet(_ event: BackendEvent) async {
        let id = event.id
        guard let report = ledger[id] else { return }
        switch event {
        case .progress(_, let progress):
            if await !fits(id, progress.transferred) { await get?.cancel(id, reason: "it does not fit into the spool") }
            await report.take(.progress(id: id, Self.leg(progress, done: 0)))
        case .log, .entries, .ask, .answer: await report.take(event)
        case .result(_, let result):
            guard result.isOK, let put, ledger.cancelled[id] == nil, stopReason == nil else {
                let reason = ledger.cancelled[id] ?? stopReason ?? "cancelled"
                return await end(
                    id,
                    result.isOK ? .failed(.interrupted, reason) : tooLarge[id] ?? at(errand.source, spooling(result)))
            }
            guard await fits(id, result.transferred) else {
                return await end(id, tooLarge[id] ?? .failed(.busy, "the spool is full"))
            }
            await report.take(.log(id: id, text: "\(result.transferred) bytes are in the spool, on to the destination"))
            var spec = report.assignment.spec
            spec.source = "\(folders[id] ?? "")/\(id)"
            spec.size = result.transferred > 0 ? result.transferred : nil
            spec.checksum = result.checksum
            putting.insert(id)
            await put.add(spec)
            // Cancelled since the look above: the putting backend did not know the element then.
            if let reason = ledger.cancelled[id] { await put.cancel(id, reason: reason, keep: ledger.keeps(id)) }
        }
    }

    private func takeFromPut(_ event: BackendEvent) async {
        let id = event.id
        guard let report = ledger[id], putting.contains(id) else { return }
        switch event {
        case .progress(_, let progress):
            await report.take(.progress(id: id, Self.leg(progress, done: report.assignment.size)))
        case .log, .entries, .ask, .answer: await report.take(event)
        case .result(_, let result): await end(id, at(errand.destination ?? errand.source, result))
        }
    }

    /// A failure with the site at which it was: each backend has to do with one.
    private func at(_ station: Station, _ result: ElementResult) -> ElementResult {
        var named = result
        if !result.isOK { named.siteID = station.site.id }
        return named
    }

    /// Each of the two ways counts half, so that the element's progress ends at its size.
    static func leg(_ progress: TransferProgress, done: Int) -> TransferProgress {
        var half = progress
        // What a backend says may be any number.
        half.transferred = done / 2 + progress.transferred / 2 + (done % 2 + progress.transferred % 2) / 2
        return half
    }

    /// Takes an element's folder in the spool. An attempt of which the server knows no more may still be in it: then one of
    /// its own.
    private func enterFolder(of assignment: Assignment) async throws -> String {
        let own = "\(shop.folder.spool)/attempt-\(assignment.key.id)"
        var folder = shop.folder.spool(of: assignment.partSeed) ?? own
        if await !shop.space.enter(folder) {
            folder = own
            _ = await shop.space.enter(own)
        }
        folders[assignment.key.id] = folder
        try await shop.folder.make(folder)
        return folder
    }

    /// Has room in the spool for so many bytes of an element: a file may have grown since it was listed.
    private func fits(_ id: String, _ bytes: Int) async -> Bool {
        guard tooLarge[id] == nil else { return false }
        guard let have = held[id], bytes > have else { return true }
        let hasGrown = await shop.space.grow(by: bytes - have)
        guard held[id] != nil else {
            // It ended meanwhile.
            if hasGrown { await shop.space.give(bytes - have) }
            return false
        }
        if hasGrown {
            held[id] = bytes
            return true
        }
        let size = "the file has \(bytes) bytes and more"
        tooLarge[id] =
            bytes > shop.space.capacity
            ? .failed(.noSpace, "\(size), the worker's spool takes \(shop.space.capacity): raise spool_bytes")
            : .failed(.busy, "\(size), not \(have) as when it was listed, and the worker's spool is full")
        return false
    }

    /// Who fetches a file writes nowhere but into the spool: that is where there is no space.
    private func spooling(_ result: ElementResult) -> ElementResult {
        guard result.errorClass == .noSpace else { return result }
        var named = result
        named.reason = "the disk of this worker's spool: \(result.reason ?? "no space is left")"
        return named
    }

    private func end(_ id: String, _ result: ElementResult) async {
        guard let report = ledger.close(id) else { return }
        putting.remove(id)
        tooLarge[id] = nil
        if let bytes = held.removeValue(forKey: id) { await shop.space.give(bytes) }
        if let folder = folders.removeValue(forKey: id) {
            // Parts alone: a whole file would pass for the source, whatever became of that meanwhile.
            await shop.folder.remove("\(folder)/\(id)")
            let isWorthKeeping = result.errorClass?.isPermanent == false && !report.assignment.isLast
            let bytes = isWorthKeeping ? await shop.folder.bytes(in: folder, of: PartFile.prefix) : 0
            await shop.space.leave(folder, keeping: bytes)
        }
        await settle(report, result)
    }

    private func settleAll(_ result: ElementResult) async {
        for report in ledger.unsettled { await end(report.assignment.key.id, result) }
    }
}
