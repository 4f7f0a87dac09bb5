import CCurl
import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// One thread for any number of requests: runs libcurl's multi interface, and sleeps in poll until a socket or a task
/// has something to say. Tasks that wait for requests most of the time can run on it themselves: then nothing passes from
/// thread to thread between two requests.
final class CurlLoop: TaskExecutor {
    enum Command {
        case start(CurlJob)
        case cancel(CurlJob)
    }

    private struct State {
        var commands: [Command] = []
        var jobs: [UnownedJob] = []
        /// The thread is in poll, or about to be, and has to be woken.
        var sleeps = false
        var isClosed = false
        var isOver = false
    }

    private let state = Mutex(State())
    // libcurl's handle belongs to the thread; others only call curl_multi_wakeup, under the lock and before `isOver`.
    nonisolated(unsafe) private let multi: UnsafeMutableRawPointer?

    private static let global = haul_curl_global()

    /// - Parameter idle: Connections that are kept without a request.
    init(idle: Int) {
        multi = Self.global == CURLE_OK ? curl_multi_init() : nil
        guard let multi else {
            state.withLock { ($0.isClosed, $0.isOver) = (true, true) }
            return
        }
        haul_curl_set_idle_connections(multi, idle)
        let thread = Thread { [self] in run() }
        thread.name = "haul-curl"
        thread.start()
    }

    func send(_ command: Command) {
        let isTaken = state.withLock { state in
            guard !state.isClosed else { return false }
            state.commands.append(command)
            if state.sleeps {
                state.sleeps = false
                curl_multi_wakeup(multi)
            }
            return true
        }
        if !isTaken, case .start(let job) = command { job.finish(.failure(Self.closed)) }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isTaken = state.withLock { state in
            guard !state.isClosed else { return false }
            state.jobs.append(job)
            if state.sleeps {
                state.sleeps = false
                curl_multi_wakeup(multi)
            }
            return true
        }
        // Whatever becomes of requests, tasks run on.
        if !isTaken { DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) } }
    }

    /// Ends the thread; what runs fails. Does not wait.
    func close() {
        state.withLock { state in
            state.isClosed = true
            if !state.isOver { curl_multi_wakeup(multi) }
        }
    }

    private static let closed = BackendFailure(.backend, "libcurl cannot be started, or was ended")

    private func run() {
        blockBrokenPipe()
        var lanes = CurlLanes(multi: multi)
        let executor = asUnownedTaskExecutor()
        while true {
            let (jobs, isClosed) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.isClosed)
            }
            for job in jobs { job.runSynchronously(on: executor) }
            let commands = state.withLock { state in
                defer { state.commands = [] }
                return state.commands
            }
            for command in commands {
                switch command {
                case .start(let job): lanes.add(job)
                case .cancel(let job): lanes.cancel(job)
                }
            }
            if isClosed { break }
            lanes.perform()
            let rests = state.withLock { state in
                state.sleeps = state.commands.isEmpty && state.jobs.isEmpty && !state.isClosed
                return state.sleeps
            }
            guard rests else { continue }
            curl_multi_poll(multi, nil, 0, 60_000, nil)
            state.withLock { $0.sleeps = false }
        }
        lanes.end(Self.closed)
        state.withLock { state in
            state.isOver = true
            curl_multi_cleanup(multi)
        }
    }

    /// A server that hangs up in the middle of a TLS write must not end the process.
    private func blockBrokenPipe() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
