import Foundation
import HaulHTTP
import HaulWire

/// The server as verbs see it: answers that are errors become `CLIError`, and a connection that fails is tried again,
/// which is safe because every request that changes something carries an idempotency key.
final class ServerConnection: Sendable {
    private let settings: ServerSettings
    private let client: HTTPClient

    init(_ settings: ServerSettings) {
        self.settings = settings
        var configuration = HTTPClientConfiguration()
        configuration.authoritiesPath = settings.authorities
        configuration.certificatePath = settings.certificate
        configuration.keyPath = settings.key
        configuration.userAgent = "haul/\(HaulProgram.version)"
        client = HTTPClient(configuration: configuration)
    }

    /// Pauses before another try, in seconds.
    private static let pauses = [0.25, 0.75, 2.0]
    /// Seconds that it waits in all where the server says how long to (429).
    private static let patience = 60.0

    /// A limit of the user is reached, and the server says for how long.
    private struct LimitReached: Error {
        var seconds: Double
        var error: CLIError
    }

    /// Reads a document.
    func get(_ path: String, _ query: [(String, String)] = []) async throws -> [UInt8] {
        try await send(request("GET", path, query)).body
    }

    /// Reads a document as a value.
    func get<T: Decodable>(_ type: T.Type, _ path: String, _ query: [(String, String)] = []) async throws -> T {
        try Self.decode(type, try await get(path, query))
    }

    /// Registers; the same key again is answered as the first time.
    func post(_ path: String, _ body: [UInt8], type: String, key: String) async throws -> [UInt8] {
        var request = request("POST", path)
        request.headers.set("Content-Type", type)
        request.headers.set(WirePath.idempotencyHeader, key)
        request.body = body
        return try await send(request).body
    }

    /// Cancels or changes; the same once more has the same effect.
    func change(_ method: String, _ path: String, _ body: [UInt8] = []) async throws -> [UInt8] {
        var request = request(method, path)
        if !body.isEmpty { request.headers.set("Content-Type", "application/json") }
        request.body = body
        return try await send(request).body
    }

    /// Has something done that would be done again if it were sent again: where the answer is lost, that is said.
    func once(_ method: String, _ path: String, _ body: [UInt8]) async throws -> [UInt8] {
        var request = request(method, path)
        request.headers.set("Content-Type", "application/json")
        request.body = body
        return try await send(request, repeats: false).body
    }

    /// Reads a list of any length, an object at a time. Tried again only before the first object came.
    func items(
        _ path: String, _ query: [(String, String)] = [], each: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        var request = request("GET", path, query)
        request.headers.set("Accept", "application/x-ndjson, application/json;q=0.5")
        request.timeout = nil
        try await retrying { [client, request] in
            let reader = ItemReader(each)
            do {
                let head = try await client.stream(request, onHead: { await reader.begin($0) }) {
                    try await reader.take($0)
                }
                if head.status >= 400 { throw Self.refusal(head, await reader.rest) }
                try await reader.finish()
            } catch let error as HTTPClientError {
                guard await reader.count > 0 else { throw error }
                throw CLIError(code: .unreachable, message: "the list broke off: \(error)")
            }
        }
    }

    /// Passes a document, or a text, of any length on as it comes; a text may pause for any time.
    func copy(
        _ path: String, _ query: [(String, String)] = [], to output: Output, isText: Bool = false
    ) async throws {
        var request = request("GET", path, query)
        request.timeout = nil
        if isText {
            request.idleTimeout = nil
            request.headers.set("Accept", "text/plain")
        }
        try await retrying { [client, request] in
            let reader = ItemReader { _ in }
            let head = try await client.stream(request, onHead: { await reader.begin($0) }) { bytes in
                if await reader.isError {
                    try await reader.take(bytes)
                } else if isText, output.isTerminal {
                    await output.text(Printable.lines(String(decoding: bytes, as: UTF8.self)))
                } else {
                    await output.bytes(bytes)
                }
            }
            if head.status >= 400 { throw Self.refusal(head, await reader.rest) }
        }
        if !isText { await output.text("\n") }
    }

    private func request(_ method: String, _ path: String, _ query: [(String, String)] = []) -> HTTPClientRequest {
        var url = settings.base + path
        for (index, (name, value)) in query.enumerated() {
            url += (index == 0 ? "?" : "&") + name + "=" + Self.escape(value)
        }
        var headers: HTTPHeaders = ["Accept": "application/json"]
        if let token = settings.token { headers.set("Authorization", "Bearer \(token)") }
        return HTTPClientRequest(method: method, url: url, headers: headers, timeout: 120, idleTimeout: 120)
    }

    private func send(_ request: HTTPClientRequest, repeats: Bool = true) async throws -> HTTPClientResponse {
        try await retrying(repeats) { [client] in
            let response = try await client.send(request)
            guard response.status < 400 else { throw Self.refusal(response, response.body) }
            return response
        }
    }

    /// - Parameter repeats: also where the server may have done what it was asked for.
    private func retrying<T: Sendable>(_ repeats: Bool = true, _ work: @Sendable () async throws -> T) async throws -> T
    {
        var pauses = Self.pauses[...]
        var patience = Self.patience
        while true {
            do {
                return try await work()
            } catch let limit as LimitReached {
                guard limit.seconds <= patience else { throw limit.error }
                patience -= limit.seconds
                try await Task.sleep(for: .seconds(limit.seconds))
            } catch let error as HTTPClientError {
                if error.kind == .cancelled { throw CancellationError() }
                guard error.isRetryable, repeats || error.kind == .connect, let pause = pauses.popFirst() else {
                    throw Self.unreachable(error)
                }
                try await Task.sleep(for: .seconds(pause))
            }
        }
    }
}

extension ServerConnection {
    static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw CLIError(
                code: .unreachable, message: "the server's answer is not what was asked for",
                hint: "is the URL that of a haul server?")
        }
    }

    static func encode(_ document: some Encodable) throws -> [UInt8] { Array(try JSONEncoder().encode(document)) }

    /// The query by which an operator says whose it is that is changed; nothing for one's own.
    static func of(_ user: String?) -> String { user.map { "?user=\(escape($0))" } ?? "" }

    static func escape(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || "-._~".utf8.contains(byte)
            return isPlain && byte < 0x80
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    private static func unreachable(_ error: HTTPClientError) -> CLIError {
        switch error.kind {
        case .invalidRequest: .usage("the request cannot be sent: \(error)", hint: "look at --url and the token")
        case .tls: CLIError(code: .unreachable, message: "no safe connection: \(error)", hint: "see --ca-file")
        default:
            CLIError(
                code: .unreachable, message: "the server cannot be reached: \(error)",
                hint: "see --url; does hauld run?")
        }
    }

    /// What an answer that is an error is to a verb. Wrong passwords are not tried again.
    private static func refusal(_ head: HTTPClientResponse, _ body: [UInt8]) -> any Error {
        let error = problem(head, body)
        guard head.status == 429, let seconds = head.headers["Retry-After"].flatMap(Double.init), seconds >= 0,
            (try? JSONDecoder().decode(ProblemDocument.self, from: Data(body)))?.code.hasPrefix("too_") == true
        else { return error }
        return LimitReached(seconds: max(1, seconds), error: error)
    }

    private static func problem(_ head: HTTPClientResponse, _ body: [UInt8]) -> CLIError {
        let code = ExitCode(httpStatus: head.status)
        guard let problem = try? JSONDecoder().decode(ProblemDocument.self, from: Data(body)) else {
            return CLIError(code: code, message: "the server answered \(head.status)", hint: hint(head.status, nil))
        }
        // Each thing once: the detail of one wrong field names it, of several they stand a line each.
        var fields = problem.fields ?? [:]
        var message = problem.detail.isEmpty ? problem.title : problem.detail
        if fields.allSatisfy({ message.contains("\($0.key) \($0.value)") }) {
            if fields.count > 1 {
                message = problem.title + (problem.index.map { ": job \($0) of the request, counted from 0" } ?? "")
            } else {
                fields = [:]
            }
        }
        return CLIError(
            code: code, message: message, hint: hint(head.status, problem), fields: fields, index: problem.index)
    }

    /// The server speaks of headers where it wants a token: here it comes from elsewhere.
    private static func hint(_ status: Int, _ problem: ProblemDocument?) -> String? {
        status == 401 && problem?.code != "bad_login"
            ? "haul login; or give a good token: --token-file FILE, HAUL_TOKEN_FILE, HAUL_TOKEN or the config file; operators "
                + "make one with hauld token add" : problem?.hint
    }
}
