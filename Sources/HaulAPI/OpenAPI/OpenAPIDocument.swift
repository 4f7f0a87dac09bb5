import HaulHTTP
import HaulModel
import HaulWire

/// `GET /openapi.json`: an OpenAPI 3.1 document of routes, made of what stands beside each.
struct OpenAPIDocument {
    /// Where it is served: at the root, to everybody.
    static let path = "/openapi.json"

    private let entries: [Routes.Entry]

    /// - Parameter root: the path that stands before each pattern.
    init(_ entries: [Routes.Entry], below root: String) {
        let own = Routes.Entry(
            method: "GET", pattern: Self.path,
            route: Route("This document", .everyone, answers: .ok(Schema(["type": "object"]))), bodyLimit: 0)
        self.entries =
            entries.map { entry in
                var entry = entry
                entry.pattern = root + entry.pattern
                return entry
            } + [own]
    }

    var value: JSONValue {
        var paths: [String: JSONValue] = [:]
        for entry in entries {
            let path = entry.pathTemplate
            var item = paths[path]?.object ?? [:]
            item[entry.method.lowercased()] = entry.operation
            if !entry.pathFields.isEmpty { item["parameters"] = .array(entry.pathFields.map { $0.parameter("path") }) }
            paths[path] = .object(item)
        }
        let schemas = [ProblemDocument.schema] + entries.flatMap(\.route.schemas)
        let components = Dictionary(
            schemas.flatMap(\.named).map { ($0.name ?? "", JSONValue.object($0.value)) }
        ) { first, _ in first }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "haul", "version": "1.0",
                "summary": "A file-transfer work queue",
                "description": .string(Self.about),
                "license": ["name": "MIT", "identifier": "MIT"],
            ],
            // Where the document stands, also behind a proxy's prefix.
            "servers": [["url": "./"]],
            "paths": .object(paths),
            "components": [
                "schemas": .object(components),
                "responses": .object(CommonAnswer.components),
                "securitySchemes": [
                    "token": [
                        "type": "http", "scheme": "bearer",
                        "description": "A token: haul login, POST /tokens, or hauld token add.",
                    ],
                    "tokenHeader": ["type": "apiKey", "in": "header", "name": .string(WirePath.tokenHeader)],
                    "password": [
                        "type": "http", "scheme": "basic",
                        "description": "A name, and its password or a token.",
                    ],
                    "elementToken": [
                        "type": "http", "scheme": "bearer",
                        "description": "The token that came with an element: proves its lease.",
                    ],
                    "elementTokenHeader": ["type": "apiKey", "in": "header", "name": .string(WirePath.tokenHeader)],
                ],
            ],
        ]
    }

    private static let about = """
        Errors are application/problem+json with a code for programs and a hint for people. Fields of a request that are \
        not known are passed over unless it is said otherwise, and null counts as a field that is missing, as an empty \
        parameter of the query does. Limits of texts \
        are bytes of UTF-8. What is no HTTP in time, or too much of it, is answered 400, 408, 413, 414, 431, 501 or 505 \
        before any of this.
        """
}

extension Route {
    fileprivate var schemas: [Schema] {
        (body?.types.map(\.schema) ?? []) + answers.flatMap { $0.content?.types.map(\.schema) ?? [] }
            + query.map(\.schema) + headers.map(\.schema)
    }
}

extension Route.Field {
    fileprivate func parameter(_ place: String) -> JSONValue {
        let schema = place == "query" && !isRequired ? Self.orEmpty(schema.use) : schema.use
        return ["name": .string(name), "in": .string(place), "required": .bool(isRequired), "schema": schema]
    }

    /// A parameter without a value is as good as none, also where it has to be one of some words.
    private static func orEmpty(_ schema: JSONValue) -> JSONValue {
        guard var fields = schema.object else { return schema }
        if let words = fields["enum"]?.array {
            fields["enum"] = .array(words + [""])
        } else if let others = fields["anyOf"]?.array {
            fields["anyOf"] = .array(others + [["const": ""]])
        }
        return .object(fields)
    }
}

extension Route.Content {
    fileprivate var value: JSONValue {
        .object(Dictionary(types.map { ($0.type, ["schema": $0.schema.use]) }) { first, _ in first })
    }
}

extension Routes.Entry {
    /// `/jobs/{job}`.
    var pathTemplate: String {
        let segments = pattern.split(separator: "/").map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }
        return "/" + segments.joined(separator: "/")
    }

    fileprivate var pathFields: [Route.Field] {
        pattern.split(separator: "/").filter { $0.hasPrefix(":") }.map { segment in
            let name = String(segment.dropFirst())
            return Route.Field(name, Self.pathSchemas[name] ?? .text(1...Int.max))
        }
    }

    /// What stands at the names in patterns; of any other: a text.
    private static let pathSchemas: [String: Schema] = [
        "job": .integer, "element": .integer, "token": .integer,
        "attempt": .integer.about("From 1; a negative number counts from the latest"),
        "queue": .text(1...64), "site": Schema.text(1...Int.max).about("An id or a name"),
    ]

    fileprivate var operation: JSONValue {
        var operation: [String: JSONValue] = [
            "summary": .string(route.summary), "operationId": .string(operationID), "responses": .object(responses),
            "security": security,
        ]
        let fields = route.query.map { $0.parameter("query") } + route.headers.map { $0.parameter("header") }
        if !fields.isEmpty { operation["parameters"] = .array(fields) }
        if let body = route.body {
            operation["requestBody"] = [
                "required": true, "description": .string("Up to \(bodyLimit) bytes."), "content": body.value,
            ]
        }
        return .object(operation)
    }

    /// `get_jobs_job`: stays as long as the path does.
    private var operationID: String {
        let words = pattern.split(separator: "/").filter { !WirePath.root.split(separator: "/").contains($0) }
        let name = words.map { $0.hasPrefix(":") ? String($0.dropFirst()) : String($0) }.joined(separator: "_")
        return "\(method.lowercased())_\(name)".replacing(".", with: "_")
    }

    private var security: JSONValue {
        switch route.access {
        case .everyone: []
        case .holder: [["elementToken": []], ["elementTokenHeader": []]]
        case .scopes(let scopes):
            // What is known by any scope needs none.
            .array(
                (scopes.count == Scope.allCases.count ? [[]] : scopes.map { [$0] }).flatMap { needed in
                    ["token", "tokenHeader", "password"].map { scheme in
                        .object([scheme: .array(needed.map { .string($0.rawValue) })])
                    }
                })
        }
    }

    private var responses: [String: JSONValue] {
        var responses: [String: JSONValue] = [:]
        for common in CommonAnswer.all(of: self) {
            responses["\(common.status)"] = ["$ref": .string(CommonAnswer.place + common.name)]
        }
        for answer in route.answers {
            var value: [String: JSONValue] = ["description": .string(answer.text)]
            if let content = answer.content { value["content"] = content.value }
            responses["\(answer.status)"] = .object(value)
        }
        return responses
    }
}
