import HaulModel
import HaulWire

extension Verb {
    static let token = Verb(
        name: "token", summary: "your tokens; add one, or revoke some", operands: "[add | revoke ID...]",
        count: 0...1000,
        completes: .words(["add", "revoke"]),
        options: [
            .value("name", "TEXT", "add: what you call it"),
            .value(
                "scopes", "SCOPE,...",
                "add: some of jobs.read, jobs.write, credentials, tokens, operate, work; else all of yours"),
            .number("days", "N", "add: for how long it is good; else for ever"),
            .choice("role", Role.allCases.map(\.rawValue), "add: another role than yours (operators)"),
            .value("user", "NAME", "whose, for operators; * lists everybody's"),
            .value("sites", "SITE,...", "add: what a worker's token is restricted to"),
            .value("queues", "NAME,...", "add: likewise"), .value("users", "NAME,...", "add: likewise"),
        ],
        notes: [
            "A new token is printed once; the server keeps a hash of it alone. Whoever has it can do what it lets do."
        ]
    ) { invocation in
        switch invocation.arguments.operands.first {
        case nil: try await list(invocation)
        case "add" where invocation.arguments.operands.count == 1: try await add(invocation)
        case "revoke" where invocation.arguments.operands.count > 1: try await revoke(invocation)
        default: throw CLIError.usage("say nothing, add, or revoke ID...", hint: "haul help token shows how")
        }
        return .ok
    }

    private static func list(_ invocation: Invocation) async throws {
        let columns = ["ID", "USER", "ROLE", "NAME", "SCOPES", "MADE", "EXPIRES", "REVOKED"].map {
            Table.Column(title: $0, isPath: $0 == "NAME")
        }
        let query = invocation.arguments["user"].map { [("user", $0)] } ?? []
        try await Rows.print(columns, "/tokens", query, TokenDocument.self, invocation) { token in
            [
                "\(token.id)", token.user, token.role, token.name.isEmpty ? "-" : token.name,
                token.scopes.joined(separator: ","), token.made, token.expires ?? "-", token.revoked ?? "-",
            ]
        }
    }

    private static func add(_ invocation: Invocation) async throws {
        let arguments = invocation.arguments
        var document: [String: JSONValue] = [:]
        for name in ["name", "role", "user"] { document[name] = arguments[name].map { .string($0) } }
        for name in ["scopes", "sites", "queues", "users"] {
            guard let text = arguments[name] else { continue }
            document[name] = .array(text.split(separator: ",").map { .string(String($0)) })
        }
        if let days = try arguments.number("days", in: 1...3650) { document["duration"] = .int(days * 86_400) }
        let answer = try await invocation.server().change("POST", "/tokens", try ServerConnection.encode(document))
        if invocation.isJSON { return await invocation.output.bytes(answer + [0x0A]) }
        let made = try ServerConnection.decode(TokenDocument.self, answer)
        await invocation.output.line(made.token ?? "")
        // No token lasts longer than the one that it was made with.
        if let expires = made.expires { await invocation.errors.line("haul: the token is good until \(expires)") }
    }

    private static func revoke(_ invocation: Invocation) async throws {
        let ids = try invocation.arguments.operands.indices.dropFirst().map { try invocation.id($0, "a token") }
        let server = try await invocation.server()
        for id in ids {
            let answer = try await server.change("DELETE", "/tokens/\(id)")
            let token = try ServerConnection.decode(TokenDocument.self, answer)
            if invocation.isJSON {
                await invocation.output.bytes(answer + [0x0A])
            } else {
                await invocation.output.line("token \(id) of \(Printable.line(token.user)) is revoked")
            }
        }
    }
}
