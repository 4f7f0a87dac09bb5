import CAnswers
import CMicroHTTPD

/// Hands an answer to libmicrohttpd, on its thread.
enum Reply {
    static func queue(_ response: HTTPResponse, to exchange: Exchange, on connection: OpaquePointer) -> MHD_Result {
        var response = response
        if !(200...599).contains(response.status) || !response.headers.areWellFormed {
            response = exchange.unsendable()
        }
        guard let reply = make(response, for: exchange, on: connection) else { return .NO }
        defer { MHD_destroy_response(reply) }
        addHeaders(of: response, to: reply)
        return haul_answer(connection, UInt32(response.status), reply) == 0 ? .NO : .YES
    }

    /// An answer of bytes as libmicrohttpd has it, the caller's to free; nil when memory is short.
    static func make(_ response: HTTPResponse) -> OpaquePointer? {
        let bytes = response.bytes ?? []
        guard let reply = bytes.withUnsafeBytes({ haul_mhd_response($0.baseAddress, $0.count) }) else { return nil }
        addHeaders(of: response, to: reply)
        return reply
    }

    private static func addHeaders(of response: HTTPResponse, to reply: OpaquePointer) {
        for field in response.headers.fields where !field.value.isEmpty && !isOurs(field.name) {
            MHD_add_response_header(reply, field.name, field.value)
        }
    }

    private static func make(
        _ response: HTTPResponse, for exchange: Exchange, on connection: OpaquePointer
    ) -> OpaquePointer? {
        switch response.body {
        case .bytes(let bytes):
            return bytes.withUnsafeBytes { haul_mhd_response($0.baseAddress, $0.count) }
        case .stream(let produce):
            let stream = BodyStream(connection: connection)
            let pointer = Unmanaged.passRetained(stream).toOpaque()
            let reply = haul_mhd_stream(
                { cls, _, buffer, size in
                    guard let cls else { return haul_mhd_end_with_error() }
                    let stream = Unmanaged<BodyStream>.fromOpaque(cls).takeUnretainedValue()
                    return stream.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
                }, pointer,
                { cls in
                    if let cls { Unmanaged<BodyStream>.fromOpaque(cls).takeRetainedValue().abandon() }
                })
            guard let reply else {
                Unmanaged<BodyStream>.fromOpaque(pointer).release()
                return nil
            }
            let hasBody = exchange.head.method != "HEAD" && response.status != 204 && response.status != 304
            if hasBody {
                exchange.sends(stream)
                stream.start(produce)
            } else {
                // A length that nobody knows and a body that does not come: the end of the connection leaves no doubt.
                MHD_add_response_header(reply, "Connection", "close")
            }
            return reply
        }
    }

    private static func isOurs(_ name: String) -> Bool {
        ["content-length", "transfer-encoding", "date"].contains(name.lowercased())
    }
}
