import CAnswers
import CMicroHTTPD
import Foundation
import Synchronization

/// An HTTP/1.1 server. No request waits in a thread: a handler that awaits costs its memory and a socket.
///
/// A handler is a task of its own, cancelled when its client is seen to leave.
/// A started server has to be stopped with `stop(grace:)`.
public final class HTTPServer: Sendable {
    private struct Running: @unchecked Sendable {
        // The daemon is only handed to libmicrohttpd's own thread-safe calls; it is freed by whoever took this out.
        let daemon: OpaquePointer
        let socket: Int32
        let port: Int
        let watch: ConnectionWatch
        let core: Unmanaged<ServerCore>
    }

    private let core: ServerCore
    private let running = Mutex<Running?>(nil)

    /// A server that does not listen yet.
    /// - Parameters:
    ///   - admit: the head hook: whether a body is read, and how long it may be. Called for a request with a body when
    ///     its head is in, before `100 Continue` and before any of the body is read, on the server's thread: no waiting
    ///     there, a gate may `ask`. A request without a body goes to the handler at once.
    ///   - handler: answers a whole request.
    ///   - errorBody: what the server itself answers (400, 408, 413, 414, 431, 500, 501, 503, 505), from a status, a
    ///     reason (what is wrong in a few words, without a capital and a full stop) and the head, where that was in.
    public init(
        configuration: HTTPServerConfiguration, admit: @escaping @Sendable (HTTPRequestHead) -> HTTPAdmission,
        handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
        errorBody: @escaping @Sendable (Int, String, HTTPRequestHead?) -> HTTPResponse = { status, reason, _ in
            HTTPResponse(status: status, text: reason + "\n")
        }
    ) {
        core = ServerCore(configuration: configuration, admit: admit, handler: handler, errorBody: errorBody)
    }

    /// A server that reads every body up to a limit.
    /// - Parameter bodyLimit: bytes that this request's body may have; past it 413.
    public convenience init(
        configuration: HTTPServerConfiguration, bodyLimit: @escaping @Sendable (HTTPRequestHead) -> Int,
        handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
        errorBody: @escaping @Sendable (Int, String, HTTPRequestHead?) -> HTTPResponse = { status, reason, _ in
            HTTPResponse(status: status, text: reason + "\n")
        }
    ) {
        self.init(
            configuration: configuration, admit: { HTTPAdmission(bodyLimit: bodyLimit($0)) }, handler: handler,
            errorBody: errorBody)
    }

    /// The port that it listens on; 0 when it does not.
    public var port: Int { running.withLock { $0?.port ?? 0 } }

    /// Listens and answers from now on; once only, a stopped server does not start again.
    /// - Throws: `HTTPServerError` with one line for the operator.
    public func start() throws(HTTPServerError) {
        guard !core.isStopping else {
            throw HTTPServerError(kind: .system, message: "this HTTP server was stopped; a new one has to be made")
        }
        guard haul_answers_start(ServerCallbacks.ownAnswer) != 0 else {
            throw HTTPServerError(kind: .system, message: "libmicrohttpd is not there as a shared library")
        }
        let configuration = core.configuration
        let descriptors = ListenSocket.raiseDescriptorLimit()
        let tls = try configuration.tls.map { files throws(HTTPServerError) in try ServerTLS(files) }
        core.use(tls)
        let clients = try configuration.tls?.clients.map { clients throws(HTTPServerError) in
            try PEMFile.text(clients.authoritiesPath)
        }
        let socket = try ListenSocket.open(host: configuration.host, port: configuration.port)
        let retained = Unmanaged.passRetained(core)
        var options = haul_mhd_options()
        options.listen_fd = socket
        options.threads = UInt32(max(1, configuration.threads))
        // A connection past the last descriptor would starve the rest of the process: it waits in the kernel instead.
        let room = max(1, descriptors - max(32, min(512, descriptors / 4)))
        options.connection_limit = UInt32(max(1, min(configuration.connectionLimit, room)))
        options.idle_timeout_seconds = UInt32(max(1, configuration.idleTimeout.rounded(.up)))
        options.connection_memory = max(4096, configuration.headerLimit)
        options.access = ServerCallbacks.access
        options.completed = ServerCallbacks.completed
        options.connection = ServerCallbacks.connection
        options.target = ServerCallbacks.target
        options.context = retained.toOpaque()
        if tls != nil {
            options.tls_retrieve = unsafeBitCast(ServerCallbacks.retrieve, to: UnsafeMutableRawPointer.self)
        }
        let daemon = Self.withPointer(clients) { clients in
            options.tls_clients = clients
            return haul_mhd_start(&options)
        }
        guard let daemon else {
            // libmicrohttpd has closed the socket; its number may be somebody else's by now.
            retained.release()
            throw configuration.tls == nil
                ? HTTPServerError(kind: .system, message: "cannot start the HTTP server: out of threads or descriptors")
                : HTTPServerError(kind: .tls, message: "cannot start HTTPS: out of threads or descriptors, or no TLS")
        }
        let isSecond = running.withLock { running in
            guard running == nil else { return true }
            running = Running(
                daemon: daemon, socket: socket, port: ListenSocket.port(of: socket), watch: ConnectionWatch(core: core),
                core: retained)
            return false
        }
        guard isSecond else { return }
        MHD_stop_daemon(daemon)
        retained.release()
        throw HTTPServerError(kind: .system, message: "this HTTP server runs already")
    }

    /// Reads the files of certificates, key and authorities again. Connections that are there keep the certificate that they
    /// were made with; whether a client's is good is asked anew with its next request. Does nothing for plain HTTP.
    /// - Throws: `HTTPServerError` where a file is not usable: all stays as it was.
    public func reloadCertificates() throws(HTTPServerError) { try core.tls?.reload() }

    /// Takes no new requests, lets those that run end within `grace` seconds, then cancels them, gives them up to two
    /// seconds more, answers what is left 503 and closes every connection. Does nothing when not running.
    public func stop(grace: Double = 10) async {
        guard
            let running = running.withLock({ running in
                defer { running = nil }
                return running
            })
        else { return }
        core.beginStopping()
        ListenSocket.silence(running.socket)
        // Whatever such a request would still say, its answer is 503.
        for connection in core.allConnections { connection.cutIncomplete(core.stoppingAnswer) }
        await idle(within: grace)
        for connection in core.allConnections { connection.exchange?.cancel() }
        await idle(within: min(2, max(grace, 0.2)))
        for connection in core.allConnections {
            guard let exchange = connection.exchange else { continue }
            exchange.answer(core.stoppingAnswer(exchange.head))
        }
        await idle(within: 1)
        // A stream whose producer does not end must not be parked when the server stops.
        for connection in core.allConnections { connection.exchange?.clientLeft() }
        running.watch.stop()
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "haul.http.stop").async {
                // It closes the socket too.
                MHD_stop_daemon(running.daemon)
                running.core.release()
                continuation.resume()
            }
        }
    }

    /// Returns when no request is under way, or after so many seconds. Not cut short by cancellation of the caller.
    private func idle(within seconds: Double) async {
        let core = core
        await Task.detached {
            let end = ContinuousClock.now + .seconds(seconds)
            while core.exchangeCount > 0, ContinuousClock.now < end {
                try? await Task.sleep(for: .milliseconds(10))
            }
        }.value
    }

    private static func withPointer<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        guard let text else { return body(nil) }
        return text.withCString { body($0) }
    }
}
