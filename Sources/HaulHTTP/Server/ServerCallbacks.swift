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

    static let target:
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) -> UnsafeMutableRawPointer? = {
            _, target, mhd in
            if let target { connection(of: mhd)?.requestBegan(target: String(cString: target)) }
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
            guard var refusal, let exchange = connection.exchange else { return .YES }
            // The body, if any, is not read: nothing after it could be told from it.
            refusal.headers.set("Connection", "close")
            return Reply.queue(refusal, to: exchange, on: mhd)
        }
        guard let exchange = connection.exchange else { return .NO }
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
