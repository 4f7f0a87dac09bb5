import CCurl
import Foundation
import HaulModel
import HaulMulti
import HaulProtocol
import Synchronization

/// One thread for any number of requests: runs libcurl's multi interface, and sleeps until a socket or a task has
/// something to say. Tasks that wait for requests most of the time can run on it themselves: then nothing passes from
/// thread to thread between two requests.
final class CurlLoop: TaskExecutor {
    enum Command {
        case start(CurlJob)
        case cancel(CurlJob)
        /// One that streams has room again, or something to send.
        case goOn(CurlJob)
    }

    private struct State {
        var commands: [Command] = []
        var jobs: [UnownedJob] = []
        /// The thread sleeps, or about to be, and has to be woken.
        var sleeps = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let bell = SocketWatch.Bell()

    private static let global = haul_curl_global()

    /// - Parameter idle: Connections that are kept without a request.
    init(idle: Int) {
        guard Self.global == CURLE_OK, let multi = curl_multi_init() else {
            state.withLock { $0.isClosed = true }
            return
        }
        haul_curl_set_idle_connections(multi, idle)
        nonisolated(unsafe) let own = multi  // Of the thread alone.
        let thread = Thread { [self] in run(own) }
        thread.name = "haul-curl"
        thread.start()
    }

    func send(_ command: Command) {
        let isTaken = state.withLock { state in
            guard !state.isClosed else { return false }
            state.commands.append(command)
            if state.sleeps {
                state.sleeps = false
                bell.ring()
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
                bell.ring()
            }
            return true
        }
        // Whatever becomes of requests, tasks run on.
        if !isTaken { DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) } }
    }

    /// Ends the thread; what runs fails. Does not wait.
    func close() {
        state.withLock { $0.isClosed = true }
        bell.ring()
    }

    private static let closed = BackendFailure(.backend, "libcurl cannot be started, or was ended")

    private func run(_ multi: UnsafeMutableRawPointer) {
        blockBrokenPipe()
        let watch = SocketWatch(multi, bell: bell)
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
                case .goOn(let job): lanes.goOn(job)
                }
            }
            if isClosed { break }
            // What was held back came as it went on.
            lanes.flush()
            let rests = state.withLock { state in
                state.sleeps = state.commands.isEmpty && state.jobs.isEmpty && !state.isClosed
                return state.sleeps
            }
            watch.wait(isPatient: rests)
            if rests { state.withLock { $0.sleeps = false } }
            lanes.flush()
            lanes.answer()
        }
        lanes.end(Self.closed)
        // Its last sockets are taken from the watch.
        withExtendedLifetime(watch) { _ = curl_multi_cleanup(multi) }
    }

    /// A server that hangs up in the middle of a TLS write must not end the process.
    private func blockBrokenPipe() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
