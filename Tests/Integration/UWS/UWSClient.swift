import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// A client of the UWS face under one token.
struct UWSClient: Sendable {
    let server: LiveServer
    var token: String?
    var headers: HTTPHeaders = [:]

    init(_ caller: Caller) { (server, token) = (caller.server, caller.token) }

    func send(
        _ method: String, _ path: String, form: KeyValuePairs<String, String>? = nil, body: [UInt8] = [],
        type: String? = nil
    ) async throws -> Answer {
        var fields = headers
        if let token, fields["Authorization"] == nil { fields.set("Authorization", "Bearer \(token)") }
        if form != nil { fields.set("Content-Type", "application/x-www-form-urlencoded") }
        if let type { fields.set("Content-Type", type) }
        let body = form.map { Array($0.map { "\(escaped($0))=\(escaped($1))" }.joined(separator: "&").utf8) } ?? body
        let response = try await server.client.send(
            HTTPClientRequest(
                method: method, url: server.url + "/uws" + path, headers: fields, body: body, timeout: 120))
        return Answer(status: response.status, headers: response.headers, body: response.body)
    }

    func get(_ path: String) async throws -> Answer { try await send("GET", path) }

    /// A form that has to be answered by 303.
    @discardableResult
    func post(_ path: String, _ form: KeyValuePairs<String, String>) async throws -> String {
        let answer = try await send("POST", path, form: form)
        try #require(answer.status == 303, "\(path) \(form): \(answer)")
        return try #require(answer.headers["Location"])
    }

    /// Makes a job.
    ///
    /// - Returns: its path below the face's root.
    func make(_ list: String, _ form: KeyValuePairs<String, String>) async throws -> String {
        let place = try await post("/" + list, form)
        #expect(place.hasPrefix("\(server.url)/uws/\(list)/"), "\(place)")
        return String(place.dropFirst((server.url + "/uws").utf8.count))
    }

    func phase(_ job: String) async throws -> String { try await get(job + "/phase").text }

    private func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            let isPlain = scalar.properties.isAlphabetic && scalar.isASCII || ("0"..."9").contains(scalar)
            return isPlain ? String(scalar) : "%" + String(UInt16(byte) + 256, radix: 16).suffix(2)
        }.joined()
    }
}

extension Answer {
    /// The ids that a list's document refers to, in order.
    var jobrefs: [Int] { text.matches(of: #/<uws:jobref id="(\d+)"/#).compactMap { Int($0.1) } }

    /// The text of the first element of this name.
    func element(_ name: String) -> String? {
        guard let open = text.firstRange(of: "<uws:\(name)>") else { return nil }
        return String(text[open.upperBound...].prefix { $0 != "<" })
    }
}
