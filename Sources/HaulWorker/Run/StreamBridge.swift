import Foundation
import HaulModel
import HaulProtocol
import HaulWire

/// A COPY between sites of two protocols whose backends both stream: the putting one does the copy, and asks the getting one
/// for what it needs of the source (what is there, a range of bytes, a checksum) as if it were at hand. The bytes go
/// through a pipe, so that nothing of a file stands on this machine, however large it is, and nothing is moved that the
/// destination has. Questions and answers pass through here.
actor StreamBridge: BatchRunner {
    /// Where an element stands that both backends were given.
    private struct Flight {
        var pipe: String
        /// What the putting backend waits for an answer to.
        var asked: SourceQuestion?
        /// What the source failed with, once it has.
        var sourceFailure: ElementResult?
        /// It was asked once more what it is, as whoever failed does to find out why, and that is what it failed at.
        var failedLater = false
        /// It was told what the source is.
        var isKnown = false
        var hasPut = false
        var hasGot = false
        /// The getting backend was asked for bytes, and has opened the pipe for them.
        var isFlowing = false
        /// A look into the pipe that is under way.
        var looking: Task<Void, Never>?

        var isReading: Bool { if case .read? = asked { !hasPut } else { false } }
    }

    private let errand: Errand
    private let shop: Workshop
    private let settle: BatchLedger.Settle
    private var ledger: BatchLedger
    private var flights: [String: Flight] = [:]
    private var window = 1
    /// Elements that have their turn, and are on their way to the backends.
    private var entering = 0
    private var scratch = ""
    private var get: BackendRun?
    private var put: BackendRun?
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
            await settleAll(.failed(.backend, "the copy between two protocols did not start: \(error)"))
        }
    }

    func cancel(_ id: String, reason: String, keep: Bool) async {
        ledger.cancel(id, reason: reason, keep: keep)
        // No backend knows of it, and its turn may be hours off.
        guard flights[id] != nil else { return await end(id, .failed(.interrupted, reason)) }
        await put?.cancel(id, reason: reason, keep: keep)
        await get?.cancel(id, reason: reason, keep: keep)
    }

    func stop(reason: String) async {
        stopReason = stopReason ?? reason
        let (get, put) = (get, put)
        async let first: Void? = get?.terminate(reason: reason)
        async let second: Void? = put?.terminate(reason: reason)
        _ = await (first, second)
    }

    func kill() async {
        stopReason = stopReason ?? "the worker was killed"
        for backend in [get, put] { if let backend { ProcessGroup.kill(backend.pid) } }
    }

    private func run(_ legs: Legs) async {
        for report in ledger.order { await report.warn(legs.warnings) }
        scratch = legs.scratch[0]
        // Both have an element at the same time.
        window = max(1, min(legs.get.batch.concurrency, legs.put.batch.concurrency))
        do {
            let put = try await shop.start(legs.put.plugIn, legs.put.batch) { [weak self] in await self?.takeFromPut($0)
            }
            self.put = put
            let get = try await shop.start(legs.get.plugIn, legs.get.batch) { [weak self] in await self?.takeFromGet($0)
            }
            self.get = get
            let watching = Task { await watchPipes(every: Self.interval(legs)) }
            defer { watching.cancel() }
            if let stopReason { await stop(reason: stopReason) } else { await fill() }
            await put.wait()
            await get.finish()
            await get.wait()
        } catch {
            stopReason = stopReason ?? "the other backend did not start"
            await put?.terminate(reason: "the other backend did not start")
            await settleAll(.failed(.backend, "a backend did not start: \(error)"))
        }
        (get, put) = (nil, nil)
        let missing = stopReason.map { ElementResult.failed(.interrupted, $0) }
        await settleAll(missing ?? .failed(.backend, "a backend ended without a result for this element"))
    }

    /// Hands elements to both while they have room for them.
    private func fill() async {
        while flights.count < window, stopReason == nil, !ledger.isBegun {
            // Cancelled before its turn.
            guard let report = ledger.beginning(1).first else { continue }
            entering += 1
            await enter(report)
            entering -= 1
        }
        // The last one may have its turn already, and not be there yet.
        if ledger.isBegun, entering == 0 { await put?.finish() }
    }

    private func enter(_ report: AttemptReport) async {
        let id = report.assignment.key.id
        let pipe = "\(scratch)/\(id)"
        flights[id] = Flight(pipe: pipe)
        await report.begin()
        let isMade = (try? await shop.folder.look { mkfifo(pipe, 0o600) == 0 }) ?? false
        guard isMade, let get, let put else {
            flights[id] = nil
            return await end(id, .failed(.backend, "this worker can make no pipe in \(scratch)"))
        }
        var spec = report.assignment.spec
        spec.pipe = pipe
        var fetched = spec
        fetched.destination = nil
        await get.add(fetched)
        await put.add(spec)
        // Cancelled while it was on its way there.
        if let reason = ledger.cancelled[id] { await cancel(id, reason: reason, keep: ledger.keeps(id)) }
    }

    private func takeFromPut(_ event: BackendEvent) async {
        let id = event.id
        guard let report = ledger[id] else { return }
        switch event {
        case .log, .progress, .entries: await report.take(event)
        case .answer: break
        case .ask(_, let question):
            if let failure = flights[id]?.sourceFailure { return await answer(id, failure) }
            flights[id]?.asked = question
            if await get?.ask(id, question) != true {
                await answer(id, .failed(.backend, "the backend of the source has ended"))
            }
        case .result(_, let result):
            flights[id]?.hasPut = true
            await endReading(id)
            let flight = flights[id]
            if flight?.hasGot == false {
                // Who is not being asked is told that it is over; who writes into a pipe that nobody reads, too.
                if flight?.asked != nil {
                    await get?.cancel(id)
                    await release(id)
                } else {
                    _ = await get?.ask(id, .end)
                }
            }
            await end(id, blamed(result, flight))
            await land(id)
        }
    }

    private func takeFromGet(_ event: BackendEvent) async {
        let id = event.id
        switch event {
        case .log: await ledger[id]?.take(event)
        case .progress: if flights[id]?.isReading == true { flights[id]?.isFlowing = true }
        case .entries, .ask: break
        case .answer(_, let answer):
            guard let asked = flights[id]?.asked else { return }
            flights[id]?.asked = nil
            await endReading(id)
            let isLook = asked == .facts
            let isKnown = flights[id]?.isKnown == true
            if case .failed(let failure) = answer {
                flights[id]?.failedLater = isLook && isKnown
                flights[id]?.sourceFailure = .failed(failure.errorClass, failure.reason, returncode: failure.returncode)
            } else if isLook {
                flights[id]?.isKnown = true
            }
            await put?.answer(id, answer)
        case .result(_, let result):
            flights[id]?.hasGot = true
            if flights[id]?.hasPut == false {
                // Before anybody said that it was done: it failed.
                let failure = result.isOK ? .failed(.backend, "the backend of the source ended too early") : result
                let known = flights[id]?.sourceFailure
                flights[id]?.sourceFailure = known ?? failure
                if flights[id]?.asked != nil { await answer(id, failure) }
            }
            await land(id)
        }
    }

    /// Tells the putting backend that its source failed.
    private func answer(_ id: String, _ failure: ElementResult) async {
        flights[id]?.asked = nil
        flights[id]?.sourceFailure = failure
        await endReading(id)
        let told = BackendFailure(
            failure.errorClass ?? .unknown, failure.reason ?? "", returncode: failure.returncode)
        await put?.answer(id, .failed(told))
        await release(id)
    }

    /// While bytes go through a pipe both backends are at work, and one of them may wait for the other: the time counts of
    /// the one that the pipe waits for. With bytes in it that is the destination's, else the source's.
    private func watchPipes(every interval: Duration) async {
        while true {
            do { try await Task.sleep(for: interval) } catch { return }
            for (id, flight) in flights where flight.isFlowing && flight.looking == nil {
                flights[id]?.looking = Task { await look(into: flight.pipe, of: id) }
            }
        }
    }

    private func look(into pipe: String, of id: String) async {
        defer { flights[id]?.looking = nil }
        guard let found = try? await shop.folder.look({ PipeContent.holdsBytes(pipe) }) else { return }
        await put?.time(id, counts: found)
        await get?.time(id, counts: !found)
    }

    /// Often enough that nobody's time runs out for another.
    private static func interval(_ legs: Legs) -> Duration {
        min(.seconds(1), .seconds(max(1, min(legs.get.batch.timeout, legs.put.batch.timeout))) / 4)
    }

    /// What is found by a look that is still under way is no longer true after the question.
    private func endReading(_ id: String) async {
        flights[id]?.isFlowing = false
        await flights[id]?.looking?.value
    }

    /// Lets go of a backend that waits for the other end of the pipe to be opened: nobody will.
    private func release(_ id: String) async {
        guard let pipe = flights[id]?.pipe else { return }
        _ = try? await shop.folder.look {
            let descriptor = open(pipe, O_RDWR | O_NONBLOCK | O_CLOEXEC)
            if descriptor >= 0 { close(descriptor) }
        }
    }

    /// A failure with the site at which it was; one that came from the source in the source's own words.
    private func blamed(_ result: ElementResult, _ flight: Flight?) -> ElementResult {
        guard !result.isOK else { return result }
        var named = result
        var failure = flight?.sourceFailure
        // The destination had failed before that, if it says something else.
        if flight?.failedLater == true, result.errorClass != failure?.errorClass { failure = nil }
        if let failure {
            (named.errorClass, named.reason, named.returncode) = (
                failure.errorClass, failure.reason, failure.returncode
            )
        }
        if failure != nil {
            named.siteID = errand.source.site.id
        } else if result.errorClass != .busy {
            // Busy may be either: a source that changed, a destination that somebody else writes.
            named.siteID = errand.destination?.site.id
        }
        return named
    }

    /// An element is through once both backends are done with it: the next one takes its place.
    private func land(_ id: String) async {
        guard let flight = flights[id], flight.hasPut, flight.hasGot else { return }
        flights[id] = nil
        await shop.folder.remove(flight.pipe)
        await fill()
    }

    private func end(_ id: String, _ result: ElementResult) async {
        if let report = ledger.close(id) { await settle(report, result) }
    }

    private func settleAll(_ result: ElementResult) async {
        for report in ledger.unsettled { await end(report.assignment.key.id, result) }
    }
}
