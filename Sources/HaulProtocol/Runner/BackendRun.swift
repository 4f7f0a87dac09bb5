import Foundation
import HaulModel

/// One backend process and the elements that it works on: the worker's side of `protocols/README.md`.
///
/// Every element added gets exactly one `result` event, whatever the backend does: `backend` where the process ends
/// or breaks the contract, `timeout` where an element makes no progress for the batch's `timeout`, `interrupted` where
/// it was cancelled. Reading stops while an event is being handled, so that nothing piles up here.
public actor BackendRun {
    /// How long a backend may take to heed what it is told.
    public struct Graces: Sendable, Hashable {
        /// From a `cancel` to SIGTERM for the process group.
        public var cancel: Duration
        /// From SIGTERM to SIGKILL.
        public var terminate: Duration
        /// From the last result and the end of stdin to the process's end.
        public var exit: Duration

        public init(
            cancel: Duration = .seconds(5), terminate: Duration = .seconds(5), exit: Duration = .seconds(5)
        ) {
            self.cancel = cancel
            self.terminate = terminate
            self.exit = exit
        }
    }

    public typealias Handler = @Sendable (BackendEvent) async -> Void

    /// An element that was sent and has no result yet.
    struct Sent {
        /// By ``BackendRun/ownTime(at:)``.
        var progressed: ContinuousClock.Instant
        var transferred: Int?
        /// True while it waits for somebody else, which is no standstill of its own: for an answer, or for a question.
        var isResting = false
        /// No try is left after this one.
        var isLast = false
        /// Set by ``BackendRun/time(_:counts:)``, until the next question or answer.
        var isTimed: Bool?
        /// Whether its time counts.
        var counts: Bool { isTimed ?? !isResting }
        /// Set once it was cancelled: when, and what its result is should the backend not say.
        var ending: (since: ContinuousClock.Instant, result: ElementResult)?
    }

    let batch: BatchSpec
    let graces: Graces
    let redactor: Redactor
    let handler: Handler
    let child: Child

    var waiting = WaitingElements()
    var sent: [String: Sent] = [:]
    /// Elements that are never sent, and whose result is on its way to the handler.
    var unsent: [String: ElementResult] = [:]
    var finished: Set<String> = []
    var gate = DeliveryGate()
    /// When the event that is being handled was handed over; nil between events.
    var handing: ContinuousClock.Instant?
    /// How long events were being handled, all in all.
    var paused = Duration.zero
    var teardown: Teardown
    /// Why elements without a result failed, where it is known better than by how the process ended.
    var verdict: ElementResult?
    var isFinishing = false
    var idleSince: ContinuousClock.Instant?
    var isTerminating = false
    var lastError = ""
    /// When a pipe last gave something.
    var active = ContinuousClock.now
    var hasEnded = false
    /// It has ended, and every element has had its result.
    private var isOver = false
    private var abandoned: CheckedContinuation<Void, Never>?
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var resters: [CheckedContinuation<Void, Never>] = []

    private static let files = BlockingQueue(label: "haul.run.files")

    /// Starts the backend and tells it the batch.
    /// - Parameter onEvent: Called with one event at a time; the backend waits while it works.
    /// - Throws: ``SpawnError``.
    public static func start(
        _ discovered: DiscoveredProtocol, batch: BatchSpec, graces: Graces = Graces(), onEvent: @escaping Handler
    ) async throws -> BackendRun {
        let redactor = try await files.run { Redactor(batch) }
        return try await start(discovered, batch: batch, graces: graces, redactor: redactor, onEvent: onEvent)
    }

    /// The same, with what is to be taken out of its texts: nothing, for who looks for secrets in them.
    static func start(
        _ discovered: DiscoveredProtocol, batch: BatchSpec, graces: Graces = Graces(), redactor: Redactor,
        onEvent: @escaping Handler
    ) async throws -> BackendRun {
        let child = try await Child.start(
            Command(
                executable: discovered.executable, arguments: discovered.arguments, directory: batch.scratch,
                input: .pipe, newGroup: true))
        let run = BackendRun(batch: batch, graces: graces, redactor: redactor, handler: onEvent, child: child)
        child.input?.post(try BackendCommand.batch(batch).line())
        Task { await run.attend() }
        return run
    }

    private init(batch: BatchSpec, graces: Graces, redactor: Redactor, handler: @escaping Handler, child: Child) {
        self.batch = batch
        self.graces = graces
        self.redactor = redactor
        self.handler = handler
        self.child = child
        teardown = Teardown(grace: graces.terminate)
    }

    /// The backend's process id, for messages.
    public nonisolated var pid: Int32 { child.pid }

    /// Elements that it works on at a time.
    public nonisolated var concurrency: Int { batch.concurrency }

    /// Adds an element; it is sent once fewer than the batch's `concurrency` are without a result. An id that is
    /// known already is ignored.
    public func add(_ element: ElementSpec) {
        guard sent[element.id] == nil, !finished.contains(element.id), unsent[element.id] == nil,
            !waiting.contains(element.id)
        else { return }
        if hasEnded || verdict != nil || isFinishing {
            return drop(element.id, verdict ?? .failed(.backend, "the backend had ended already"))
        }
        waiting.append(element)
        idleSince = nil
        send()
    }

    /// Adds elements, all or none.
    /// - Returns: False where it takes no more.
    public func add(_ elements: [ElementSpec]) -> Bool {
        guard takesMore else { return false }
        for element in elements { add(element) }
        return true
    }

    /// Cancels one element; its neighbours go on. Its result comes as an event: `interrupted`, or what the backend
    /// did before it heard of it.
    public func cancel(_ id: String, reason: String = "cancelled", keep: Bool = false) {
        if waiting.remove(id) {
            drop(id, .failed(.interrupted, reason))
            closeIfFinished()
        } else {
            endElement(id, as: .failed(.interrupted, reason), keep: keep)
        }
    }

    /// Asks a getting backend about an element that was added with ``ElementSpec/pipe``; the answer comes as an event.
    /// - Returns: False where the backend has no such element (any more): no answer comes.
    public func ask(_ id: String, _ question: SourceQuestion) -> Bool {
        say(.ask(id: id, question), of: id)
    }

    /// Tells a putting backend what it asked. False where it has no such element any more.
    @discardableResult
    public func answer(_ id: String, _ answer: SourceAnswer) -> Bool {
        say(.answer(id: id, answer), of: id)
    }

    private func say(_ command: BackendCommand, of id: String) -> Bool {
        guard sent[id] != nil, let line = try? command.line() else { return false }
        sent[id]?.isResting = false
        sent[id]?.isTimed = nil
        sent[id]?.progressed = ownTime()
        child.input?.post(line)
        return true
    }

    /// Says whether a streamed element's time counts while its bytes go from one backend to the other, which may be what
    /// this one waits for. Holds until the bytes are through, and is nothing to an element of which none are asked for.
    public func time(_ id: String, counts: Bool) {
        guard let element = sent[id], element.isResting == (batch.operation == .put), element.counts != counts else {
            return
        }
        sent[id]?.isTimed = counts
        if counts { sent[id]?.progressed = ownTime() }
    }

    /// No more elements come: the backend ends once those that it has are through.
    public func finish() {
        isFinishing = true
        closeIfFinished()
    }

    /// Returns once every element has its result, or the process is gone.
    /// - Returns: Whether it would take more.
    public func rest() async -> Bool {
        // Results that are being handed over have not arrived yet.
        while !isResting { await withCheckedContinuation { resters.append($0) } }
        return takesMore
    }

    private var takesMore: Bool { !hasEnded && verdict == nil && !isFinishing && !teardown.hasBegun && child.runs }

    /// Between two batches: no element of the one before comes again.
    public func forget() {
        finished = []
        lastError = ""
    }

    private var isResting: Bool {
        sent.isEmpty && waiting.isEmpty && unsent.isEmpty && handing == nil && (!hasEnded || isOver)
    }

    /// An event was handed over.
    func restIfDone() {
        guard isResting else { return }
        resters.forEach { $0.resume() }
        resters = []
    }

    /// Returns once every element has its result and the process is gone.
    public func wait() async {
        if isOver { return }
        await withCheckedContinuation { waiters.append($0) }
    }

    /// Cancels everything and ends the process, by force where it must be; returns once it is gone. Not for the event
    /// handler itself, which this waits for.
    public func terminate(reason: String) async {
        isFinishing = true
        isTerminating = true
        for element in waiting.all { drop(element.id, .failed(.interrupted, reason)) }
        waiting.removeAll()
        for id in sent.keys { endElement(id, as: .failed(.interrupted, reason), keep: true) }
        closeIfFinished()
        await wait()
    }

    /// From the start to the end of the process: reads, watches the time, and settles what is left.
    private func attend() async {
        let clock = Task { await watchTime() }
        let output = Task { await readOutput() }
        let errors = Task { await readErrors() }
        await ended()
        // The group is gone with the process; what still holds a pipe has left the group and is not waited for.
        active = .now
        let leftover = Task { await closeQuietPipes() }
        await output.value
        await errors.value
        leftover.cancel()
        clock.cancel()
        child.input?.close()
        child.output?.close()
        child.errors?.close()
        hasEnded = true
        let missing = missingResult()
        for id in sent.keys.sorted() { await settle(id, sent[id]?.ending?.result ?? missing) }
        for element in waiting.all { await settle(element.id, missing) }
        for (id, result) in unsent { await settle(id, result) }
        isOver = true
        waiters.forEach { $0.resume() }
        waiters = []
        restIfDone()
    }

    /// Closes the pipes once nothing has come through them for a while: what was written before the end is still read.
    private func closeQuietPipes() async {
        repeat {
            do { try await Task.sleep(for: .milliseconds(250)) } catch { return }
        } while handing != nil || ContinuousClock.now - active < .seconds(2)
        child.output?.close()
        child.errors?.close()
    }

    /// Returns when the process has ended, or cannot be ended.
    private func ended() async {
        Task {
            _ = await child.wait()
            giveUp()
        }
        await withCheckedContinuation { abandoned = $0 }
    }

    func giveUp() {
        abandoned?.resume()
        abandoned = nil
    }

    private func missingResult() -> ElementResult {
        if let verdict { return verdict }
        let how = child.status.map(\.description) ?? "cannot be ended"
        let said = lastError.isEmpty ? "" : ": \(lastError)"
        return .failed(
            .backend, "the backend \(how) without a result for this element\(said)",
            returncode: child.status.map(\.code) ?? 1)
    }
}
