import CCurl
import Foundation
import HaulMulti
import Synchronization

/// The client's one thread: runs every transfer, and sleeps until a socket or a task has something to say.
final class TransferLoop: Sendable {
    private enum Command {
        case add(Transfer)
        case cancel(Transfer)
        case goOn(Transfer)
    }

    private struct State {
        var commands: [Command] = []
        var isClosed = false
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let configuration: HTTPClientConfiguration
    private let state = Mutex(State())
    private let bell = SocketWatch.Bell()

    private static let global = haul_curl_global()

    init(_ configuration: HTTPClientConfiguration) {
        self.configuration = configuration
        guard Self.global == CURLE_OK, let multi = curl_multi_init() else {
            state.withLock {
                $0.isClosed = true; $0.isOver = true
            }
            return
        }
        nonisolated(unsafe) let own = multi  // Of the thread alone.
        let thread = Thread { [self] in run(own) }
        thread.name = "haul-http-client"
        thread.start()
    }

    func add(_ transfer: Transfer) {
        guard !send(.add(transfer)) else { return }
        transfer.finish(.failure(HTTPClientError(kind: .closed, message: "the HTTP client is closed")))
    }

    func cancel(_ transfer: Transfer) {
        transfer.finish(.failure(HTTPClientError(kind: .cancelled, message: "the request was cancelled")))
        _ = send(.cancel(transfer))
    }

    func goOn(_ transfer: Transfer) { _ = send(.goOn(transfer)) }

    /// Ends the thread; what runs fails as closed. Does not wait.
    func close() {
        state.withLock { $0.isClosed = true }
        bell.ring()
    }

    /// Returns when the thread is over.
    func closed() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiters.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
    }

    private func send(_ command: Command) -> Bool {
        let (isTaken, isFirst) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.commands.append(command)
            return (true, state.commands.count == 1)
        }
        // The thread takes all that there is: it is woken for the first.
        if isFirst { bell.ring() }
        return isTaken
    }

    private func run(_ multi: UnsafeMutableRawPointer) {
        blockBrokenPipe()
        haul_curl_set_idle_connections(multi, configuration.idleConnections)
        let watch = SocketWatch(multi, bell: bell)
        var handles: [ObjectIdentifier: TransferHandle] = [:]
        while true {
            let (commands, isClosed) = state.withLock { state in
                defer { state.commands = [] }
                return (state.commands, state.isClosed)
            }
            for command in commands { perform(command, multi, &handles) }
            if isClosed { break }
            watch.wait()
            var result = CURLE_OK
            while let easy = haul_curl_ended(multi, &result) { ended(easy, result, multi, &handles) }
        }
        for handle in handles.values {
            curl_multi_remove_handle(multi, handle.easy)
            handle.transfer.finish(.failure(HTTPClientError(kind: .closed, message: "the HTTP client was closed")))
        }
        handles = [:]
        // Its last sockets are taken from the watch.
        withExtendedLifetime(watch) { _ = curl_multi_cleanup(multi) }
        let waiters = state.withLock { state in
            state.isOver = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func perform(
        _ command: Command, _ multi: UnsafeMutableRawPointer, _ handles: inout [ObjectIdentifier: TransferHandle]
    ) {
        switch command {
        case .add(let transfer):
            guard let handle = TransferHandle(transfer, configuration),
                curl_multi_add_handle(multi, handle.easy) == CURLM_OK
            else {
                let message = "libcurl refuses the request"
                return transfer.finish(.failure(HTTPClientError(kind: .invalidRequest, message: message)))
            }
            handles[ObjectIdentifier(transfer)] = handle
        case .cancel(let transfer):
            guard let handle = handles.removeValue(forKey: ObjectIdentifier(transfer)) else { return }
            curl_multi_remove_handle(multi, handle.easy)
        case .goOn(let transfer):
            guard let handle = handles[ObjectIdentifier(transfer)] else { return }
            haul_curl_go_on(handle.easy)
        }
    }

    private func ended(
        _ easy: UnsafeMutableRawPointer, _ code: CURLcode, _ multi: UnsafeMutableRawPointer,
        _ handles: inout [ObjectIdentifier: TransferHandle]
    ) {
        guard let context = haul_curl_context(easy) else { return }
        let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        guard let handle = handles.removeValue(forKey: ObjectIdentifier(transfer)) else { return }
        curl_multi_remove_handle(multi, easy)
        transfer.finish(code == CURLE_OK ? .success(()) : .failure(handle.error(code)))
    }

    /// A server that hangs up in the middle of a TLS write must not end the process.
    private func blockBrokenPipe() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
