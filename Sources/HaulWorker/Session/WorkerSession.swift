import Foundation
import HaulModel
import HaulProtocol
import HaulWire

/// How a session ended.
enum SessionEnd: Sendable, Equatable {
    /// All work is done and reported after the order to end.
    case drained
    /// The leases ran out or the server knows the session no more: all backends are stopped; a new one may start.
    case lost(String)
    /// The server does not accept this worker's token.
    case refused(String)
    /// Stopped at once, by a second order to end.
    case killed
}

/// One session: claims work while slots are free, runs it, reports, renews the leases.
///
/// All that it holds ends with it: when ``run()`` returns no backend is left, and nothing is sent any more.
actor WorkerSession {
    let document: SessionDocument
    let shop: Workshop
    let server: any WorkerServer
    let pace: Pace
    let log: WorkerLog
    let clock = ContinuousClock()

    /// Every attempt that the session has a lease on, until its outcome is acknowledged.
    var held: [String: AttemptReport] = [:]
    /// Attempts that cannot be run, until the server knows: a lease on them is kept up like on any other.
    var refused: [String: AttemptKey] = [:]
    /// Running batches, by the number that each got.
    var runners: [Int: any BatchRunner] = [:]
    /// Which batch runs an attempt.
    var runnerOf: [String: Int] = [:]
    /// Attempts that the server wants stopped and that were told so.
    var stopping: Set<String> = []
    /// Batches that wait for a slot.
    var waiting: [Batch] = []
    /// Running batches that take more of the same errand, each by its number.
    var extendable: [Int: Errand] = [:]
    /// What is on its way to a running batch, and whether it was cancelled meanwhile.
    var joining: [String: PendingCancel?] = [:]
    /// Why nothing more is started, once that is so.
    var closing: String?
    /// The server wants no more work to be asked for.
    var isPausedByServer = false
    var isDraining = false
    var end: SessionEnd?
    /// When the last heartbeat that was answered was sent: the leases last from then.
    var renewed: ContinuousClock.Instant { didSet { allowBackends() } }
    var started = 0
    /// When it had something to do last.
    var busy: ContinuousClock.Instant
    var throughput = Throughput()
    private let changes = ChangeSignal()
    private var claims: Task<Void, Never>?
    private(set) var reports: ReportQueue?
    private(set) var context: ReportContext?

    /// - Parameter registered: When the registration was sent.
    init(
        _ document: SessionDocument, registered: ContinuousClock.Instant, shop: Workshop, server: any WorkerServer,
        pace: Pace, log: WorkerLog
    ) {
        self.document = document
        self.shop = shop
        self.server = server
        self.pace = pace
        self.log = log
        renewed = registered
        busy = registered
    }

    func run() async -> SessionEnd {
        allowBackends()
        let gone: @Sendable (AttemptKey) async -> Void = { [weak self] in await self?.leaseEnded($0.id) }
        let reports = ReportQueue(server: server, backoff: pace.backoff, log: log) { [weak self] key, status, detail in
            await self?.settled(key, status: status, detail: detail)
        }
        self.reports = reports
        context = ReportContext(
            server: server, worker: shop.config.name, host: ProcessInfo.processInfo.hostName, pace: pace,
            post: ProgressPost(server: server, gone: gone) { [weak self] key, isWatched in
                await self?.held[key.id]?.watch(isWatched)
            }, workerLog: log, gone: gone)
        let beats = Task { await sendHeartbeats() }
        let ticks = Task { await keepTime() }
        let claims = Task { await claimWork() }
        self.claims = claims
        if isDraining || end != nil { claims.cancel() }
        await claims.value
        if end == nil { await drainWork() }
        let end = end ?? .drained
        beats.cancel()
        ticks.cancel()
        await stopAll(end)
        await reports.close()
        await beats.value
        await ticks.value
        if end == .drained { await sayGoodbye() }
        return end
    }

    /// No more work; what runs may go on for `drain_seconds`.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        claims?.cancel()
        changes.fire()
    }

    /// Ends the session with all that it runs.
    func finish(_ how: SessionEnd) {
        guard end == nil else { return }
        end = how
        claims?.cancel()
        changes.fire()
    }

    /// Returns once `condition` holds, the session has ended, or the time is over.
    func wait(until deadline: ContinuousClock.Instant? = nil, _ condition: () -> Bool) async {
        while !condition(), end == nil {
            let left = deadline.map { $0 - clock.now } ?? .seconds(3600)
            guard left > .zero else { return }
            await changes.wait(at: left)
        }
    }

    func changed() { changes.fire() }

    /// Returns when a batch may have ended, or after so many seconds.
    func waitForBatch(atMost seconds: Double) async { await changes.wait(at: .seconds(max(0.05, seconds))) }

    /// An attempt has its result: the rest of its log goes up, then its outcome.
    func ended(_ report: AttemptReport, _ result: ElementResult) {
        var result = result
        // What this worker cut off because it was told to end goes back.
        if closing != nil, result.errorClass == .interrupted { result.errorClass = .drained }
        let key = report.assignment.key
        runnerOf[key.id] = nil
        throughput.ended(at: clock.now)
        guard end == nil || end == .drained else { return }
        Task {
            guard let outcome = await report.finish(result) else { return forget(key.id) }
            await reports?.add(outcome, of: key, isListing: report.assignment.errand.elementType == .list)
        }
    }

    private func settled(_ key: AttemptKey, status: Int, detail: String?) {
        forget(key.id)
        if !(200..<300).contains(status) {
            log("outcome-dropped", ["element": key.id, "status": status, "detail": detail ?? ""])
        }
    }

    func forget(_ id: String) {
        held[id] = nil
        refused[id] = nil
        stopping.remove(id)
        busy = clock.now
        changes.fire()
    }
}
