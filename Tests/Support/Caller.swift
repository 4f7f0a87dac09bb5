public import HaulHTTP
public import HaulModel
import HaulWire

/// A client of a live server under one token.
public struct Caller: Sendable {
    public let server: LiveServer
    /// Nil sends none.
    public var token: String?

    public init(server: LiveServer, token: String?) {
        self.server = server
        self.token = token
    }

    public func get(_ path: String, headers: HTTPHeaders = [:]) async throws -> Answer {
        try await send("GET", path, headers: headers)
    }

    public func post(_ path: String, _ document: JSONValue, headers: HTTPHeaders = [:]) async throws -> Answer {
        try await send("POST", path, Array(document.text.utf8), headers: headers)
    }

    public func put(_ path: String, _ document: JSONValue, headers: HTTPHeaders = [:]) async throws -> Answer {
        try await send("PUT", path, Array(document.text.utf8), headers: headers)
    }

    /// - Parameter path: below the API's root.
    public func send(
        _ method: String, _ path: String, _ body: [UInt8] = [], headers: HTTPHeaders = [:]
    ) async throws -> Answer {
        var fields = headers
        if let token, fields["Authorization"] == nil, fields["X-Token"] == nil {
            fields.set("Authorization", "Bearer \(token)")
        }
        if !body.isEmpty, fields["Content-Type"] == nil { fields.set("Content-Type", "application/json") }
        let response = try await server.client.send(
            HTTPClientRequest(
                method: method, url: server.url + WirePath.root + path, headers: fields, body: body, timeout: 120,
                maxBody: 512 << 20))
        return Answer(status: response.status, headers: response.headers, body: response.body)
    }

    /// The same token at another server.
    public func at(_ other: LiveServer) -> Caller { Caller(server: other, token: token) }

    /// The same place with another token.
    public func with(_ token: String?) -> Caller { Caller(server: server, token: token) }
}

/// What a server answered.
public struct Answer: Sendable, CustomStringConvertible {
    public var status: Int
    public var headers: HTTPHeaders
    public var body: [UInt8]

    public init(status: Int, headers: HTTPHeaders, body: [UInt8]) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }

    public var text: String { String(decoding: body, as: UTF8.self) }
    /// The body as strict JSON; null for what is none.
    public var json: JSONValue { (try? JSONReader.value(body)) ?? .null }
    /// The values of an NDJSON body.
    public var lines: [JSONValue] {
        body.split(separator: 0x0A).map { (try? JSONReader.value(Array($0))) ?? .null }
    }
    public subscript(_ key: String) -> JSONValue? { json[key] }
    public subscript(_ index: Int) -> JSONValue? { json[index] }
    public var description: String { "\(status) \(text.prefix(2000))" }
}

extension JSONValue {
    /// A field of an object.
    public subscript(_ key: String) -> JSONValue? { object?[key] }

    /// An item of an array.
    public subscript(_ index: Int) -> JSONValue? {
        guard let array, array.indices.contains(index) else { return nil }
        return array[index]
    }

    /// The names of an object's fields.
    public var keys: Set<String> { Set((object ?? [:]).keys) }
}

extension JSONValue {
    /// The value as JSON, keys sorted, without Foundation's ideas of numbers and slashes.
    public var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let value): Self.quoted(value)
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .object(let fields):
            "{"
                + fields.sorted { $0.key < $1.key }.map { Self.quoted($0.key) + ":" + $0.value.text }.joined(
                    separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
