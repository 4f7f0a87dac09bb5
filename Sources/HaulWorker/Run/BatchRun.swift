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
    /// Elements of which a backend that had served another batch has said nothing yet.
    private var silent: Set<String> = []
    /// It ended without a word of some of them: they go to another one.
    private var isRefused = false
    /// What the backend said last was a failure that may be its own: of a connection, a tool, a login that it keeps.
    private var isDoubtful = false
    private let nearlyThrough: @Sendable () async -> Void
    private var pace: BatchPace
    private var credentials = UserCredentials()
    private var seat: BackendSeat?
    /// More elements are on their way to the backend.
    private var isExtending = false
    private var extended: CheckedContinuation<Void, Never>?

    /// - Parameter nearlyThrough: Called when ``extend(_:)`` is welcome.
    init(
        _ errand: Errand, _ reports: [AttemptReport], in shop: Workshop, settle: @escaping BatchLedger.Settle,
        nearlyThrough: @escaping @Sendable () async -> Void
    ) {
        self.errand = errand
        self.shop = shop
        self.settle = settle
        self.nearlyThrough = nearlyThrough
        ledger = BatchLedger(reports)
        pace = BatchPace(elements: reports.count)
    }

    func extend(_ reports: [AttemptReport], of errand: Errand) async -> Bool {
        guard !isExtending, let backend = await welcome(errand, reports), !isExtending, mayExtend else { return false }
        isExtending = true
        ledger.add(reports)
        pace = BatchPace(elements: ledger.left)
        let isTaken = await backend.add(reports.map(\.assignment.spec))
        if isTaken {
            for report in ledger.beginning(max(0, backend.concurrency - ledger.taken)) { await report.begin() }
            await cancelCancelled(at: backend)
        } else {
            for report in reports { _ = ledger.close(report.assignment.key.id) }
        }
        isExtending = false
        extended?.resume()
        extended = nil
        return isTaken
    }

    private var mayExtend: Bool {
        seat?.isYoung == true && stopReason == nil && !isRefused && !isDoubtful && ledger.left > 0
    }

    /// The backend, if what it was told still holds: sites may have changed since, or their credentials.
    private func welcome(_ errand: Errand, _ reports: [AttemptReport]) async -> BackendRun? {
        guard mayExtend, credentials.serves(errand), let seat,
            let plugIn = try? shop.plugIn(errand.source, for: errand.operation)
        else {
            return nil
        }
        let order = await order(errand, plugIn)
        guard let kind = try? await shop.kind(plugIn, order.batch), kind == seat.kind, seat === self.seat else {
            return nil
        }
        for report in reports { await report.warn(order.warnings) }
        return seat === self.seat ? seat.backend : nil
    }

    func run() async {
        do {
            let plugIn = try shop.plugIn(errand.source, for: errand.operation)
            if let destination = errand.destination { _ = try shop.plugIn(destination, for: errand.operation) }
            credentials = try await UserCredentials(errand, ledger.order.first?.assignment.key, in: shop)
            await run(plugIn)
            await credentials.remove(shop)
        } catch {
            await settleAll(error.result)
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

    /// What a process is told, and what is to be said of it in the elements' logs.
    private struct Order {
        var plugIn: PlugIn
        var batch: BatchSpec
        var warnings: [String]
    }

    private func order(_ errand: Errand, _ plugIn: PlugIn) async -> Order {
        let (source, refused) = await shop.site(
            errand.source, plugIn, own: credentials.files(isSource: true))
        var warnings = refused
        var destination: SiteSpec?
        if let station = errand.destination {
            let other = await shop.site(station, plugIn, own: credentials.files(isSource: false))
            destination = other.spec
            warnings += other.warnings
        }
        warnings += plugIn.found.manifest.unknownOptions(in: errand.options)
            .map { "option \($0) is not known to protocol \(plugIn.found.manifest.name)" }
        let batch = shop.batch(
            errand.operation, of: errand, with: plugIn, source: source, destination: destination, scratch: "")
        return Order(plugIn: plugIn, batch: batch, warnings: warnings)
    }

    private func run(_ plugIn: PlugIn) async {
        let order = await order(errand, plugIn)
        for report in ledger.order { await report.warn(order.warnings) }
        if let stopReason { return await settleAll(.failed(.interrupted, stopReason)) }
        do {
            for isFirst in [true, false] where isFirst || isRefused && stopReason == nil {
                let seat = try await shop.seat(plugIn, order.batch, isPrivate: !credentials.isEmpty) { [weak self] in
                    await self?.take($0)
                }
                // Who waited for this batch may have ended before it knew of it: then it is for another one, once.
                let isAgain = isRefused
                silent = isFirst && seat.isUsed ? Set(ledger.unsettled.map(\.assignment.key.id)) : []
                isRefused = false
                isDoubtful = false
                backend = seat.backend
                await feed(seat.backend, concurrency: order.batch.concurrency, isAgain: isAgain)
                self.seat = seat
                pace = BatchPace(elements: ledger.left)
                await rest(seat.backend)
                (backend, self.seat) = (nil, nil)
                await shop.warm.give(seat, isSound: !isDoubtful)
            }
        } catch {
            await settleAll(.failed(.backend, "the backend did not start: \(error)"))
        }
        // Every element has had its result by now, but those that were not given to a backend any more.
        await settleAll(
            stopReason.map { .failed(.interrupted, $0) }
                ?? .failed(.backend, "the backend ended without a result for this element"))
    }

    /// - Parameter isAgain: Another one had them and ended without a word: it may have done them all the same, so they
    ///   come to this one as to a later attempt.
    private func feed(_ backend: BackendRun, concurrency: Int, isAgain: Bool) async {
        if let stopReason { return await backend.terminate(reason: stopReason) }
        for report in ledger.beginning(concurrency) { await report.begin() }
        for report in ledger.unsettled {
            var spec = report.assignment.spec
            if isAgain {
                spec.attempt += 1
                await report.note("the backend ended without a word; another one goes on, as a later attempt does")
            }
            await backend.add(spec)
            if stopReason != nil { break }
        }
        await cancelCancelled(at: backend)
        if let stopReason { await backend.terminate(reason: stopReason) }
    }

    /// What was cancelled while it was not there yet.
    private func cancelCancelled(at backend: BackendRun) async {
        for (id, reason) in ledger.cancelled where ledger[id] != nil {
            await backend.cancel(id, reason: reason, keep: ledger.keeps(id))
        }
    }

    /// Returns once the backend has nothing to do and gets nothing more, or is gone.
    private func rest(_ backend: BackendRun) async {
        while true {
            let isUsable = await backend.rest()
            guard isExtending else { return }
            await withCheckedContinuation { extended = $0 }
            if !isUsable { return }
        }
    }

    private func take(_ event: BackendEvent) async {
        guard case .result(let id, let result) = event else {
            silent.remove(event.id)
            await ledger[event.id]?.take(event)
            return
        }
        if silent.contains(id), result.errorClass == .backend {
            isRefused = true
            return
        }
        if ledger.cancelled[id] == nil { isDoubtful = Self.isDoubtful(result.errorClass) }
        guard let report = ledger.close(id) else { return }
        await settle(report, result)
        for next in ledger.beginning(1) { await next.begin() }
        if seat?.isYoung == true, ledger.isLeftSmall, pace.isNearlyThrough(left: ledger.left) {
            await nearlyThrough()
        }
    }

    private static func isDoubtful(_ errorClass: ErrorClass?) -> Bool {
        errorClass == .auth || errorClass == .credentialExpired || errorClass?.isPermanent == false
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
