import Foundation
import HaulHTTP
import HaulModel
import Support

/// A client of a face other than the native one, under one token.
struct FaceClient: Sendable {
    let server: LiveServer
    /// Stands before each path.
    let root: String
    var token: String?
    var headers: HTTPHeaders = [:]

    init(_ caller: Caller, _ root: String) { (server, token, self.root) = (caller.server, caller.token, root) }

    func at(_ other: LiveServer) -> FaceClient {
        var client = FaceClient(Caller(server: other, token: token), root)
        client.headers = headers
        return client
    }

    func send(_ method: String, _ path: String, _ body: [UInt8] = [], type: String? = nil) async throws -> Answer {
        let response = try await server.client.send(request(method, path, body, type: type))
        return Answer(status: response.status, headers: response.headers, body: response.body)
    }

    func request(_ method: String, _ path: String, _ body: [UInt8] = [], type: String? = nil) -> HTTPClientRequest {
        var fields = headers
        if let token, fields["Authorization"] == nil { fields.set("Authorization", "Bearer \(token)") }
        if let type { fields.set("Content-Type", type) }
        return HTTPClientRequest(
            method: method, url: server.url + root + path, headers: fields, body: body, timeout: 120,
            maxBody: 512 << 20)
    }

    func get(_ path: String) async throws -> Answer { try await send("GET", path) }

    func form(_ method: String, _ path: String, _ form: KeyValuePairs<String, String>) async throws -> Answer {
        try await send(method, path, Self.form(form), type: "application/x-www-form-urlencoded")
    }

    func json(_ method: String, _ path: String, _ document: JSONValue) async throws -> Answer {
        try await send(method, path, Array(document.text.utf8), type: "application/json")
    }

    static func form(_ form: KeyValuePairs<String, String>) -> [UInt8] {
        Array(form.map { "\(escaped($0))=\(escaped($1))" }.joined(separator: "&").utf8)
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}
