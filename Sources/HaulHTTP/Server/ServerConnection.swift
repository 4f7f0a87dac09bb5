import CAnswers
import CGnuTLS
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
        /// What the handshake borrowed.
        var lent: ServerCertificate?
        /// What the client's certificate was worth, and who said so.
        var client: (by: ClientAuthorities, certificate: ClientCertificate)?
        /// The client may still send what nobody will read.
        var isCut = false
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
        if let session = haul_mhd_tls(connection) { haul_tls_name_no_authorities(session) }
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

    /// The head is in: makes the exchange. It may be parked already when this returns.
    /// - Returns: what it is refused with, or nil.
    func headArrived(method: String, headers: HTTPHeaders) -> HTTPResponse? {
        let peer = ListenSocket.name(of: haul_mhd_peer(connection))
        let address = core.configuration.proxies?.client(of: headers, peer: peer) ?? peer
        let certificate = clientCertificate()
        let (exchange, hasNUL) = state.withLock { state in
            let target = state.target ?? RequestTarget("/")
            var head = HTTPRequestHead(method: method, target: target, headers: headers, remoteAddress: address)
            head.outside = Outside(headers, isTLS: isTLS, proxies: core.configuration.proxies, peer: peer)
            if case .good(let subject, _) = certificate { head.clientSubject = subject }
            let exchange = Exchange(head: head, core: core, connection: connection)
            state.exchange = exchange
            return (exchange, target.hasNUL)
        }
        core.exchangeBegan()
        let refusal =
            core.refusal(of: exchange.head, hasNUL: hasNUL, certificate)
            ?? (ServerCore.hasBody(exchange.head) ? exchange.admit() : nil)
        if refusal != nil {
            exchange.refuse()
            cutsBody()
        }
        return refusal
    }

    /// The certificate for this connection's handshake, kept until it is closed.
    func lendCertificate() -> ServerCertificate? {
        let certificate = core.tls?.certificate
        state.withLock { $0.lent = certificate }
        return certificate
    }

    /// What the client showed: looked at once, and again when the authorities were read anew.
    private func clientCertificate() -> ClientCertificate {
        guard let authorities = core.tls?.authorities else { return .none }
        let known = state.withLock { $0.client.flatMap { $0.by === authorities ? $0.certificate : nil } }
        let certificate = known ?? authorities.look(at: haul_mhd_tls(connection))
        if known == nil { state.withLock { $0.client = (authorities, certificate) } }
        if case .good(_, let expires) = certificate, time(nil) > expires { return .bad("its time is over") }
        return certificate
    }

    /// A body is not read to its end: the client may still send it when the connection closes.
    func cutsBody() { state.withLock { $0.isCut = true } }

    /// libmicrohttpd gives a request up: it can't be parsed, or is too long for its memory.
    ///
    /// What it finds wrong once the head is whole (Content-Length, cookies past its memory) 0.9.75 answers with the head
    /// of its answer twice. There the answer goes to the socket here, and libmicrohttpd closes without another. Of a first
    /// line without any space, libmicrohttpd tells nobody: that connection closes without an answer.
    /// - Parameters:
    ///   - length: the head's Content-Length, where that much was read; `hasCookie` likewise.
    /// - Returns: what libmicrohttpd has to send; nil: it closes.
    func failed(_ status: Int, length: String?, hasCookie: Bool) -> HTTPResponse? {
        let head = state.withLock { state in
            state.isCut = true
            return state.exchange?.head
        }
        let answer = core.failure(status, head, length: length)
        let isLengthBad = length.map { !ServerCore.isNumber($0) } ?? false
        guard head == nil, status == 413 || isLengthBad || (status == 431 && hasCookie) else { return answer }
        if isTLS {
            let bytes = Self.bytes(of: answer)
            _ = bytes.withUnsafeBytes { haul_tls_send(haul_mhd_tls(connection), $0.baseAddress, $0.count) }
        } else {
            sendNow(answer)
        }
        return nil
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
            if !isWhole || state.isCut || haul_unread(socket) > 0 { LingeringClose.takeOver(socket) }
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
            cut(&state, core.errorBody(408, "the request took too long to arrive", state.exchange?.head))
            return nil
        }
    }

    /// Answers a request that has not come in whole, and gives the connection up.
    /// - Parameter response: given its head, where that is in.
    func cutIncomplete(_ response: (HTTPRequestHead?) -> HTTPResponse) {
        state.withLock { state in
            guard !state.isClosed, state.exchange?.isReceiving ?? (state.began != nil) else { return }
            cut(&state, response(state.exchange?.head))
        }
    }

    private func cut(_ state: inout State, _ response: HTTPResponse) {
        state.began = nil
        state.isCut = true
        sendNow(response)
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Puts an answer on the socket where libmicrohttpd takes none: in the middle of a request. Plain HTTP only, as a TLS
    /// session is not to be written to but on its own thread.
    func sendNow(_ response: HTTPResponse) {
        guard !isTLS else { return }
        // What does not fit the socket's buffer is lost: an error's body is small.
        let flags = Int32(Int(MSG_NOSIGNAL) | Int(MSG_DONTWAIT))
        _ = Self.bytes(of: response).withUnsafeBytes { send(socket, $0.baseAddress, $0.count, flags) }
    }

    private static func bytes(of response: HTTPResponse) -> [UInt8] {
        let body = response.bytes ?? []
        let reason = MHD_get_reason_phrase_for(UInt32(clamping: response.status)).map { String(cString: $0) } ?? ""
        var text = "HTTP/1.1 \(response.status) \(reason)\r\n"
        for field in response.headers.fields where response.headers.areWellFormed {
            text += "\(field.name): \(field.value)\r\n"
        }
        text += "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        return Array(text.utf8) + body
    }
}
