import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// One transfer between two servers, as a ``Lane`` runs it.
struct LaneJob: Sendable {
    /// For the server that sends: `RETR /a`.
    var retrieve: String
    /// For the server that receives: `STOR /b`.
    var store: String
    /// For the server that receives, behind ``store``: `MFMT 20200101000000 /b`. What is said to these says nothing of
    /// the bytes: whoever relies on their effect looks.
    var after: [String] = []
    var bytes: Int
    /// For reasons.
    var source: String
    var target: String
    /// Is told how many bytes of it have arrived, as often as the server says so.
    var onBytes: (@Sendable (Int) -> Void)?
}

/// A control connection to each of two servers with a data connection between those (extended block mode, which keeps it
/// open from file to file). Jobs are sent to both ahead of their turn.
///
/// The servers know nothing of each other's commands: where one of them fails a job, the other goes on with the next,
/// and **the next file's bytes end up in this one's place** (seen: a missing source, and its destination holds the file
/// after it). So a job is done only when both servers have said so of it and of every job before it; after the first
/// failure the lane takes no more, lets the servers go through what they were sent (``Standstill``), ends, waits until
/// both have let go, and the jobs behind that one are run again elsewhere.
final class Lane: Sendable {
    /// The job did not fail by itself: run it again on another lane.
    struct Again: Error {}

    private struct Running {
        let job: LaneJob
        var finish: (@Sendable (Result<Void, any Error>) -> Void)?
        var isRetrieved = false
        var isStored = false
        var isAbandoned = false
    }

    private struct State {
        var waiting: [Int] = []
        var jobs: [Int: Running] = [:]
        /// Of jobs that ended before anybody waited for them.
        var results: [Int: Result<Void, any Error>] = [:]
        var next = 0
        var sent = 0
        var sentBytes = 0
        var isPumping = false
        var standstill = Standstill()
        /// Cancelled jobs whose turn is waited for: nothing is sent meanwhile.
        var holds = 0
        /// The job that failed first, and what the two servers said of it.
        var failed: (id: Int, retrieve: (any Error)?, store: (any Error)?)?
        var isEnding = false

        /// The other server would not say better what is wrong.
        var knows: Bool { failed.map { Lane.rank(Lane.better($0.retrieve, $0.store)) > 3 } ?? false }

        /// Takes a job out.
        /// - Returns: What tells whoever waits; to be called without the lock.
        mutating func end(_ id: Int, _ result: Result<Void, any Error>) -> @Sendable () -> Void {
            guard let finish = jobs.removeValue(forKey: id)?.finish else {
                results[id] = result
                return {}
            }
            return { finish(result) }
        }
    }

    /// Jobs, and their bytes, that are sent ahead.
    private static let window = 32
    private static let windowBytes = 256 << 20
    /// A server that sends says nothing until it is done, however long that takes: the worker looks whether an element
    /// moves, and cancels it.
    private static let patience = Duration.seconds(86_400)

    private let source: ControlConnection
    private let target: ControlConnection
    private let state = Mutex(State())

    init(source: ControlConnection, target: ControlConnection) {
        self.source = source
        self.target = target
    }

    /// Jobs that are not done; nil once no more are taken.
    var load: Int? { state.withLock { $0.failed != nil || $0.isEnding ? nil : $0.jobs.count } }

    /// Runs a job; returns once all its bytes are there.
    /// - Throws: As ``wait(for:)``.
    func run(_ job: LaneJob) async throws { try await wait(for: try begin(job)) }

    /// Begins a job: jobs run in the order in which they began.
    /// - Returns: For ``wait(for:)``, which must follow.
    /// - Throws: ``Again`` where no more are taken.
    func begin(_ job: LaneJob) throws -> Int {
        let id: Int? = state.withLock { state in
            guard state.failed == nil, !state.isEnding else { return nil }
            defer { state.next += 1 }
            state.jobs[state.next] = Running(job: job)
            state.waiting.append(state.next)
            return state.next
        }
        guard let id else { throw Again() }
        pump()
        return id
    }

    /// - Throws: ``Again``, ``BackendFailure``, or a `CancellationError` once nothing of it can still arrive.
    func wait(for id: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if state.jobs[id] == nil { return state.results.removeValue(forKey: id) ?? .failure(Again()) }
                    state.jobs[id]?.finish = { continuation.resume(with: $0) }
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            Task { await self.cancel(id) }
        }
    }

    /// Ends it; what runs is to be run again.
    func close() async { await end() }

    /// One that was not sent is simply dropped. Else it and its neighbours have a moment to end by themselves before all
    /// start over elsewhere.
    private func cancel(_ id: Int) async {
        let dropped = state.withLock { state -> (@Sendable () -> Void)? in
            guard let index = state.waiting.firstIndex(of: id) else {
                state.jobs[id]?.isAbandoned = true
                state.holds += 1
                return nil
            }
            state.waiting.remove(at: index)
            return state.end(id, .failure(CancellationError()))
        }
        if let dropped { return dropped() }
        // Not for long: whoever cancels is answered within five seconds, and there is still something to remove.
        await standstill(limit: .milliseconds(1500)) { $0.jobs[id] == nil }
        let isThere = state.withLock { state in
            state.holds -= 1
            return state.jobs[id] != nil
        }
        if isThere { await end(limit: .seconds(1)) } else { pump() }
    }

    /// Waits until nothing moves.
    /// - Parameter isEnough: Looked at now and then.
    private func standstill(limit: Duration, until isEnough: @Sendable (State) -> Bool = { _ in false }) async {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            let rest = state.withLock { state in
                state.isEnding || isEnough(state) ? nil : state.standstill.rest(knows: state.knows)
            }
            guard let rest else { return }
            try? await Task.sleep(for: min(rest, .milliseconds(20)))
        }
    }

    /// Only one at a time: both servers get the jobs in the same order.
    private func pump() {
        let begins = state.withLock { state in
            defer { state.isPumping = true }
            return !state.isPumping
        }
        guard begins else { return }
        while true {
            let batch: [(Int, LaneJob)] = state.withLock { state in
                var batch: [(Int, LaneJob)] = []
                while let id = state.waiting.first, state.failed == nil, !state.isEnding, state.holds == 0,
                    let running = state.jobs[id]
                {
                    let fits = state.sent < Self.window && state.sentBytes + running.job.bytes <= Self.windowBytes
                    guard fits || state.sent == 0 else { break }
                    state.waiting.removeFirst()
                    state.sent += 1
                    state.sentBytes += running.job.bytes
                    batch.append((id, running.job))
                }
                if batch.isEmpty { state.isPumping = false } else { state.standstill.sent(batch.count) }
                return batch
            }
            if batch.isEmpty { return }
            target.submit(
                batch.map { id, job in
                    .init(
                        commands: [job.store] + job.after, patience: Self.patience,
                        onMark: job.onBytes.map(Self.marks)
                    ) { [self] in took($0, of: id, isStore: true) }
                })
            source.submit(
                batch.map { id, job in
                    .init(commands: [job.retrieve], patience: Self.patience) { [self] in
                        took($0, of: id, isStore: false)
                    }
                })
        }
    }

    private func took(_ result: Result<[FTPReply], any Error>, of id: Int, isStore: Bool) {
        enum Next { case nothing, pump, end }
        let (done, next): ((@Sendable () -> Void)?, Next) = state.withLock { state in
            state.standstill.answered(isStore: isStore)
            guard var running = state.jobs[id], !state.isEnding else { return (nil, .nothing) }
            if let failure = failure(result, running.job, isStore: isStore) {
                // Two servers, two orders: what is seen later may have failed earlier, and all behind it is in doubt. What
                // is done stays done: each server answers in order, so all before it was answered well by both.
                guard let failed = state.failed else {
                    state.failed = (id, isStore ? nil : failure, isStore ? failure : nil)
                    return (nil, .end)
                }
                if failed.id > id {
                    state.failed = (id, isStore ? nil : failure, isStore ? failure : nil)
                } else if failed.id == id {
                    if isStore { state.failed?.store = failure } else { state.failed?.retrieve = failure }
                }
                return (nil, .nothing)
            }
            if isStore { running.isStored = true } else { running.isRetrieved = true }
            // Behind a failure nothing counts: the bytes may be another file's.
            let counts = state.failed.map { id < $0.id } ?? true
            guard counts, running.isStored, running.isRetrieved else {
                state.jobs[id] = running
                return (nil, .nothing)
            }
            state.sent -= 1
            state.sentBytes -= running.job.bytes
            return (state.end(id, running.isAbandoned ? .failure(CancellationError()) : .success(())), .pump)
        }
        done?()
        switch next {
        case .nothing: break
        case .pump: pump()
        case .end:
            Task {
                await standstill(limit: .seconds(10))
                await end()
            }
        }
    }

    private func failure(_ result: Result<[FTPReply], any Error>, _ job: LaneJob, isStore: Bool) -> (any Error)? {
        switch result {
        case .success(let replies):
            guard let reply = replies.first, !reply.isSuccess else { return nil }
            let what = isStore ? "cannot write \(job.target)" : "cannot read \(job.source)"
            let failure = ReplyTable.failure(reply, what)
            return isStore ? RemoteWriter.failure(failure) : failure
        case .failure(let lost as ControlConnection.Lost): return lost.failure
        case .failure(let error): return error
        }
    }

    /// Ends both connections, and every job once the servers have let go. A server whose disk is slow takes its time.
    private func end(limit: Duration = .seconds(10)) async {
        let begins = state.withLock { state in
            guard !state.isEnding else { return false }
            state.isEnding = true
            return true
        }
        guard begins else { return }
        async let one = target.end(limit: limit)
        async let other = source.end(limit: limit)
        let hasLetGo = await (one, other)
        let ended: [@Sendable () -> Void] = state.withLock { state in
            state.waiting = []
            let (jobs, failed) = (state.jobs, state.failed)
            return jobs.map { id, running in
                let error: any Error
                if running.isAbandoned {
                    error = CancellationError()
                } else if let failed, failed.id == id {
                    error = Self.better(failed.retrieve, failed.store)
                } else if hasLetGo == (true, true) {
                    error = Again()
                } else {
                    // Bytes of it may still arrive.
                    error = BackendFailure(
                        .interrupted, "\(running.job.target): the servers hang after another file failed")
                }
                return state.end(id, .failure(error))
            }
        }
        ended.forEach { $0() }
    }

    /// Of what two servers said of one failure: a refusal says more than that the other side has gone.
    static func better(_ one: (any Error)?, _ other: (any Error)?) -> any Error {
        let best = Self.rank(other) > Self.rank(one) ? other : one
        return best ?? BackendFailure(.interrupted, "the transfer ended without a word")
    }

    /// How much a failure says.
    private static func rank(_ error: (any Error)?) -> Int {
        let failure = (error as? CopyWriteFailure)?.failure ?? error as? BackendFailure
        switch failure?.errorClass {
        case nil: return error == nil ? 0 : 1
        case .interrupted: return 1
        case .unknown, .timeout: return 2
        case .connect: return 3
        default: return 4
        }
    }

    /// `112-Perf Marker` of several lines, one of them ` Stripe Bytes Transferred: 134217728`.
    private static func marks(_ told: @escaping @Sendable (Int) -> Void) -> @Sendable (FTPReply) -> Void {
        { reply in
            guard reply.code == 112 else { return }
            let lead = " Stripe Bytes Transferred:"
            for line in reply.text.split(separator: "\n") where line.hasPrefix(lead) {
                if let bytes = Int(line.dropFirst(lead.count).drop { $0 == " " }) { told(bytes) }
            }
        }
    }
}
