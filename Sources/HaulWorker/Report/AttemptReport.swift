import Foundation
import HaulModel
import HaulProtocol
import HaulWire

/// What the server is told of one attempt while it runs, and in the end: its log, its listing, how far it is, its outcome.
actor AttemptReport {
    nonisolated let assignment: Assignment
    private let context: ReportContext
    private let log: PieceUpload
    private let listing: PieceUpload
    private let clock = ContinuousClock()
    /// When the backend was first heard of the element.
    private var began: ContinuousClock.Instant?
    private var warnings: [String] = []
    private var hasListed = false
    private var isLogClosed = false
    private var isAbandoned = false
    private var isLogFlushing = false
    private var throttle: ProgressThrottle
    /// Waits until what is held back is due, while somebody waits for it.
    private var waker: Task<Void, Never>?
    /// Bytes of the listing, and of them those that were told.
    private var listed = (all: 0, told: 0)
    /// The backend counts what it does itself.
    private var isCounted = false

    /// The most bytes of a log that are kept until the outcome, and of one of its pieces.
    static let logPiece = 64 << 10
    static let listingPiece = 1 << 20
    /// Of a listing the rest is worth nothing; of a log it is.
    private static let restartNotice = Data("haul: the server that had what came before of this log is gone\n".utf8)

    init(_ assignment: Assignment, context: ReportContext) {
        self.assignment = assignment
        self.context = context
        throttle = ProgressThrottle(context.pace)
        let (server, key, backoff) = (context.server, assignment.key, context.pace.backoff)
        log = PieceUpload(pieceBytes: Self.logPiece, backoff: backoff, restartNotice: Self.restartNotice) {
            piece, offset throws(ServerFailure) in
            try await server.piece(piece, at: offset, of: .log, attempt: key)
        }
        listing = PieceUpload(pieceBytes: Self.listingPiece, backoff: backoff) { piece, offset throws(ServerFailure) in
            try await server.piece(piece, at: offset, of: .listing, attempt: key)
        }
    }

    /// Somebody waits for its progress, or nobody does any more.
    func watch(_ isWatched: Bool) async {
        throttle.isWatched = isWatched
        await tellDue()
    }

    /// Puts lines at the top of the log.
    func warn(_ lines: [String]) { warnings += lines }

    /// The element is in work.
    func begin() async {
        guard began == nil else { return }
        began = clock.now
        await write(
            AttemptText.header(assignment, worker: context.worker) + warnings.map { "warning: \($0)\n" }.joined())
    }

    /// Puts a line of the worker's own into the log.
    func note(_ line: String) async {
        if began == nil { warnings.append(line) } else { await write(line + "\n") }
    }

    /// Takes what a backend said of the element, but its result. Waits while the server is behind.
    func take(_ event: BackendEvent) async {
        await begin()
        switch event {
        case .log(_, let text): await write(text.hasSuffix("\n") ? text : text + "\n")
        case .progress(_, let progress):
            isCounted = true
            await tell(progress, notBefore: clock.now)
        case .entries(_, let directory, let entries):
            hasListed = true
            let lines = ListingLines.data(directory: directory, entries: entries)
            if (try? await listing.append(lines)) != nil { await count(lines.count) }
        // Between two backends, not for the log.
        case .result, .ask, .answer: break
        }
    }

    /// Called every ``Pace/tick``: sends what was held back, and the log of what runs long.
    func tick() async {
        guard let began, !isAbandoned else { return }
        let age = clock.now - began
        await tellDue()
        if throttle.told == nil, throttle.due == nil, age > .seconds(context.pace.progress) {
            // A connection that takes its time has no bytes to count, but runs.
            let nothing = TransferProgress(transferred: 0, elapsed: age.seconds, instant: 0, average: 0)
            await tell(nothing, notBefore: began)
        }
        guard age > .seconds(context.pace.liveLog), !isLogClosed, !isLogFlushing else { return }
        isLogFlushing = true
        Task {
            await checkLog { () throws(ServerFailure) in try await log.flush() }
            isLogFlushing = false
        }
    }

    /// Ends the attempt: what is left of log and listing goes up. Returns the outcome, or nil where the lease is gone.
    func finish(_ result: ElementResult) async -> OutcomeDocument? {
        await begin()
        throttle.drop()
        await context.post.forget(assignment.key)
        let result = await withListing(result)
        let seconds = began.map { clock.now - $0 }?.seconds ?? 0
        await write(AttemptText.footer(result, seconds: seconds))
        let text = await log.takeAll()
        if text == nil, !isLogClosed { await checkLog { () throws(ServerFailure) in try await log.flush() } }
        guard !isAbandoned else { return nil }
        return OutcomeDocument(
            returncode: result.isOK ? 0 : result.returncode == 0 ? 1 : result.returncode, host: context.host,
            log: text.map { String(decoding: $0, as: UTF8.self) }, timestamp: Timestamp.now.text,
            errorClass: result.errorClass?.rawValue,
            errorSite: result.isOK ? nil : result.siteID, reason: result.isOK ? nil : result.reason,
            checksum: result.checksum, transferred: result.transferred)
    }

    /// The lease is gone: nothing more is sent.
    func abandon() async {
        isAbandoned = true
        await context.post.forget(assignment.key)
        await log.abandon()
        await listing.abandon()
    }

    /// Counts what came of a listing: that is how far it is. Nothing is told of one that is through sooner than anybody
    /// could look.
    private func count(_ bytes: Int) async {
        listed.all += bytes
        guard let began, !isCounted else { return }
        let now = clock.now
        let (age, interval) = ((now - began).seconds, (now - (throttle.told ?? began)).seconds)
        await tell(
            TransferProgress(
                transferred: listed.all, elapsed: age,
                instant: interval > 0 ? Double(listed.all - listed.told) / interval : 0,
                average: age > 0 ? Double(listed.all) / age : 0),
            notBefore: began + .seconds(context.pace.watchedProgress))
    }

    private func tell(_ progress: TransferProgress, notBefore: ContinuousClock.Instant) async {
        throttle.hold(progress, notBefore: notBefore)
        await tellDue()
    }

    /// Tells what is held back as soon as it is due: at that moment while somebody waits for it, else with what comes next
    /// or at the next ``tick()``.
    private func tellDue() async {
        if let progress = throttle.take(at: clock.now) { return await post(progress) }
        guard throttle.isWatched, waker == nil, !isAbandoned, let due = throttle.due else { return }
        waker = Task {
            try? await clock.sleep(until: due, tolerance: .zero)
            waker = nil
            await tellDue()
        }
    }

    private func post(_ progress: TransferProgress) async {
        guard !isAbandoned else { return }
        if !isCounted { listed.told = progress.transferred }
        await context.post.post(
            ProgressDocument(
                transferred: progress.transferred, elapsed: progress.elapsed, instant: progress.instant,
                average: progress.average), of: assignment.key)
    }

    private func write(_ text: String) async {
        guard !isLogClosed, !isAbandoned else { return }
        await checkLog { () throws(ServerFailure) in try await log.append(Data(text.utf8)) }
    }

    /// A log that the server will not have ends there; the attempt goes on.
    private func checkLog(_ send: () async throws(ServerFailure) -> Void) async {
        do {
            try await send()
        } catch {
            isLogClosed = true
            await refused(error, what: "log")
        }
    }

    /// A LIST whose listing did not arrive is none.
    private func withListing(_ result: ElementResult) async -> ElementResult {
        guard assignment.errand.elementType == .list else { return result }
        var result = result
        if !isCounted, result.transferred == 0 { result.transferred = listed.all }
        guard result.isOK else { return result }
        do {
            try await listing.flush()
        } catch {
            await refused(error, what: "listing")
            guard case .refused(let status, _) = error, status != PieceUpload.outOfStep else {
                return .failed(.interrupted, "the listing did not reach the server: \(error.text)")
            }
            return .failed(.invalid, "the server did not take the listing: \(error.text)")
        }
        return !hasListed ? .failed(.backend, "the backend said ok, but sent no listing") : result
    }

    private func refused(_ failure: ServerFailure, what: String) async {
        if case .refused(status: 409, _) = failure { await context.gone(assignment.key) }
        guard failure != .cancelled else { return }
        context.workerLog("\(what)-refused", ["element": assignment.key.id, "reason": failure.text])
    }
}

/// What the reports of a session share.
struct ReportContext: Sendable {
    var server: any WorkerServer
    /// The worker's name, and its machine's.
    var worker: String
    var host: String
    var pace: Pace
    var post: ProgressPost
    var workerLog: WorkerLog
    /// Is told of a lease that the server says has ended.
    var gone: @Sendable (AttemptKey) async -> Void
}

extension Duration {
    /// As a number of seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

extension Timestamp {
    static var now: Timestamp { Timestamp(milliseconds: Int(Date().timeIntervalSince1970 * 1000)) }
}
