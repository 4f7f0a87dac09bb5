import CMicroHTTPD
import Foundation
import Synchronization

/// One client's connection, from its first byte to its last.
final class ServerConnection: Sendable {
    private struct State {
        var target: RequestTarget?
        /// When the first byte of a request was seen that has not come in whole yet.
        var began: ContinuousClock.Instant?
        /// Bytes that had arrived when the connection was last seen waiting for a request.
        var received: UInt64?
        var exchange: Exchange?
        var isClosed = false
    }

    let socket: Int32
    private let core: ServerCore
    private let state: Mutex<State>
    // Only used within callbacks of its own.
    nonisolated(unsafe) private let connection: OpaquePointer

    init(connection: OpaquePointer, core: ServerCore) {
        self.connection = connection
        self.core = core
        socket = haul_mhd_socket(connection)
        state = Mutex(State(received: 0))
    }

    var isTLS: Bool { core.configuration.tls != nil }

    var exchange: Exchange? { state.withLock { $0.exchange } }

    /// The request line is in.
    func requestBegan(target: String) {
        let target = RequestTarget(target)
        state.withLock { state in
            state.target = target
            state.began = state.began ?? .now
        }
    }

    /// The head is in: makes the exchange.
    /// - Returns: what it is refused with, or nil.
    func headArrived(method: String, headers: HTTPHeaders) -> HTTPResponse? {
        let address = ListenSocket.name(of: haul_mhd_peer(connection))
        let (exchange, hasNUL) = state.withLock { state in
            let target = state.target ?? RequestTarget("/")
            let head = HTTPRequestHead(method: method, target: target, headers: headers, remoteAddress: address)
            let exchange = Exchange(
                head: head, bodyLimit: core.bodyLimit(head), core: core, connection: connection)
            state.exchange = exchange
            return (exchange, target.hasNUL)
        }
        core.exchangeBegan()
        return core.refusal(of: exchange.head, hasNUL: hasNUL)
    }

    /// The answer is sent, or given up: the connection waits for the next request, or closes.
    func exchangeEnded() {
        let exchange = state.withLock { state in
            defer {
                state.exchange = nil
                state.began = nil
                state.target = nil
                state.received = nil
            }
            return state.exchange
        }
        guard let exchange else { return }
        exchange.end()
        core.exchangeEnded()
    }

    /// libmicrohttpd is about to close the socket.
    func closed() {
        state.withLock { state in
            state.isClosed = true
            // A close while the client still sends would reset the connection and take the answer with it.
            let isWhole = state.exchange == nil && state.began == nil
            if !isWhole || haul_unread(socket) > 0 { LingeringClose.takeOver(socket) }
        }
        exchangeEnded()
        core.remove(self)
    }

    /// Cuts a request that took too long.
    /// - Returns: whether the connection is parked, so that its socket needs watching.
    func check(now: ContinuousClock.Instant) -> Exchange? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            if let exchange = state.exchange, !exchange.isReceiving {
                return exchange.isParked ? exchange : nil
            }
            if state.exchange == nil, state.began == nil {
                let received = haul_tcp_received(socket)
                if let before = state.received, received > before { state.began = now }
                state.received = received
            }
            guard let began = state.began, now - began > .seconds(core.configuration.requestDeadline) else {
                return nil
            }
            state.began = nil
            sendNow(core.errorBody(408, "the request took too long to arrive"))
            shutdown(socket, Int32(SHUT_RDWR))
            return nil
        }
    }

    /// Puts an answer on the socket where libmicrohttpd takes none: in the middle of a request. Plain HTTP only.
    func sendNow(_ response: HTTPResponse) {
        guard core.configuration.tls == nil else { return }
        let body = response.bytes ?? []
        let reason = MHD_get_reason_phrase_for(UInt32(clamping: response.status)).map { String(cString: $0) } ?? ""
        var text = "HTTP/1.1 \(response.status) \(reason)\r\n"
        for field in response.headers.fields where response.headers.areWellFormed {
            text += "\(field.name): \(field.value)\r\n"
        }
        text += "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        let bytes = Array(text.utf8) + body
        // What does not fit the socket's buffer is lost: an error's body is small.
        let flags = Int32(Int(MSG_NOSIGNAL) | Int(MSG_DONTWAIT))
        _ = bytes.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, flags) }
    }
}
