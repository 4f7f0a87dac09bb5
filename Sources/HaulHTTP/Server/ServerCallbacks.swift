import CAnswers
import CGnuTLS
import CMicroHTTPD

/// What libmicrohttpd calls, on its own threads. `cls` is the server's core, kept alive by whoever started it.
enum ServerCallbacks {
    static let connection: MHD_NotifyConnectionCallback = { cls, mhd, context, code in
        guard let cls, let mhd, let context else { return }
        if haul_mhd_is_start(code) {
            let core = Unmanaged<ServerCore>.fromOpaque(cls).takeUnretainedValue()
            let connection = ServerConnection(connection: mhd, core: core)
            core.add(connection)
            context.pointee = Unmanaged.passRetained(connection).toOpaque()
        } else if let pointer = context.pointee {
            context.pointee = nil
            Unmanaged<ServerConnection>.fromOpaque(pointer).takeRetainedValue().closed()
        }
    }

    /// GnuTLS asks for the certificate of a connection that is being made.
    static let retrieve: haul_tls_retrieve = { session, _, chain, count, ocsp, ocspCount, key, flags in
        guard let mhd = session.flatMap({ gnutls_session_get_ptr($0) }),
            let certificate = connection(of: OpaquePointer(mhd))?.lendCertificate()
        else { return GNUTLS_E_INTERNAL_ERROR }
        return haul_tls_lend(certificate.identity, chain, count, ocsp, ocspCount, key, flags)
    }

    static let target:
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) -> UnsafeMutableRawPointer? = {
            _, target, mhd in
            guard let target else { return nil }
            connection(of: mhd)?.requestBegan(target: String(cString: target))
            // The query is taken apart here; libmicrohttpd would run out of memory over thousands of pairs, and hang.
            haul_mhd_drop_query(target)
            return nil
        }

    static let completed: MHD_RequestCompletedCallback = { _, mhd, _, _ in
        connection(of: mhd)?.exchangeEnded()
    }

    static let access: MHD_AccessHandlerCallback = { _, mhd, _, method, _, data, size, marker in
        guard let mhd, let method, let size, let marker, let connection = connection(of: mhd) else { return .NO }
        guard marker.pointee != nil else {
            marker.pointee = UnsafeMutableRawPointer(mhd)
            let refusal = connection.headArrived(method: String(cString: method), headers: headers(of: mhd))
            guard let refusal, let exchange = connection.exchange else { return .YES }
            return refuse(refusal, exchange, mhd)
        }
        guard let exchange = connection.exchange else { return .NO }
        // Parked at its head, a request is asked about at its head again.
        switch exchange.takeDecision() {
        case .none: break
        case .goOn: return .YES
        case .refuse(let refusal):
            connection.cutsBody()
            return refuse(refusal, exchange, mhd)
        }
        if size.pointee > 0 {
            let count = size.pointee
            size.pointee = 0
            if let refusal = exchange.refusal { return exchange.discard(count, answer: refusal) ? .YES : .NO }
            guard case .refused(let answer) = exchange.receive(UnsafeRawBufferPointer(start: data, count: count)) else {
                return .YES
            }
            if connection.isTLS { return exchange.discard(count, answer: answer) ? .YES : .NO }
            connection.sendNow(answer)
            return .NO
        }
        guard let response = exchange.nextAnswer() else { return .YES }
        return Reply.queue(response, to: exchange, on: mhd)
    }

    /// Answers in the place of libmicrohttpd, which gives a request up.
    static let ownAnswer: haul_own_answer = { mhd, status in
        guard let status, let mhd, let connection = connection(of: mhd) else { return nil }
        let length = haul_mhd_header(mhd, "Content-Length").map { String(cString: $0) }
        let hasCookie = haul_mhd_header(mhd, "Cookie") != nil
        guard let answer = connection.failed(Int(status.pointee), length: length, hasCookie: hasCookie) else {
            return nil
        }
        status.pointee = UInt32(clamping: answer.status)
        return Reply.make(answer)
    }

    private static func refuse(_ response: HTTPResponse, _ exchange: Exchange, _ mhd: OpaquePointer) -> MHD_Result {
        var response = response
        // The body, if any, is not read: nothing after it could be told from it.
        response.headers.set("Connection", "close")
        return Reply.queue(response, to: exchange, on: mhd)
    }

    private static func connection(of mhd: OpaquePointer?) -> ServerConnection? {
        guard let mhd, let pointer = haul_mhd_context(mhd) else { return nil }
        return Unmanaged<ServerConnection>.fromOpaque(pointer).takeUnretainedValue()
    }

    private static func headers(of mhd: OpaquePointer) -> HTTPHeaders {
        var headers = HTTPHeaders()
        withUnsafeMutablePointer(to: &headers) { pointer in
            haul_mhd_each_header(
                mhd,
                { cls, _, name, nameSize, value, valueSize in
                    let headers = cls?.assumingMemoryBound(to: HTTPHeaders.self)
                    headers?.pointee.append(
                        ServerCallbacks.text(name, nameSize), ServerCallbacks.text(value, valueSize))
                    return .YES
                }, pointer)
        }
        return headers
    }

    private static func text(_ bytes: UnsafePointer<CChar>?, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count), as: UTF8.self)
    }
}
