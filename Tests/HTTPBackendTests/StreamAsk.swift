import Foundation
import HaulModel
import HaulProtocol

@testable import HaulCurl

/// A request whose body, or whose answer's, streams.
struct StreamAsk: CurlRequest {
    let server: String
    var method = "GET"
    let path: String
    var sent = CurlCall.Sent.nothing
    var from = 0
    var bandwidth: Int?
    var stallSeconds = 20

    func call() -> CurlCall {
        var call = CurlCall(
            method: method, url: "http://\(server)\(path)", connection: CurlConnection(), stallSeconds: stallSeconds
        )
        (call.sent, call.from, call.bandwidth) = (sent, from, bandwidth)
        if method == "GET" { call.kept = .stream }
        return call
    }

    static func pool(_ connections: CurlConnections = CurlConnections()) -> CurlPool {
        CurlPool(roof: 1 << 20, most: .max, connections: connections)
    }

    static func put(_ server: StreamServer, _ path: String, _ length: Int?) -> StreamAsk {
        StreamAsk(server: server.endpoint, method: "PUT", path: path, sent: .stream(length: length))
    }

    static func all(_ stream: CurlStream) async -> Data {
        var data = Data()
        while let piece = await stream.read() { data += piece }
        return data
    }

    static func md5(_ data: Data) throws -> String {
        let hash = try StreamHash(.md5)
        data.withUnsafeBytes { hash.update($0) }
        return String(hash.finish().dropFirst("md5:".count))
    }
}
