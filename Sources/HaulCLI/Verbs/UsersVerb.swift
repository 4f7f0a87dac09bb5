import Foundation
import HaulModel
import HaulWire

extension Verb {
    static let users = Verb(
        name: "users", summary: "the service's users (operators); with a name, show, make or change one",
        operands: "[NAME]", count: 0...1,
        options: [
            .flag("add", "make the user"), .choice("role", Role.allCases.map(\.rawValue), "what their logins are"),
            .flag("password", "ask for a new password, or read it from stdin"),
            .flag("disable", "nobody gets in under the name, and their tokens end"),
            .flag("enable", "they do again"),
            .value("groups", "NAME,...", "what they are a member of; empty for nothing"),
        ]
    ) { invocation in
        let arguments = invocation.arguments
        guard let name = arguments.operands.first else {
            let columns = ["NAME", "ROLE", "PASSWORD", "REGISTERED", "DISABLED", "GROUPS"].map {
                Table.Column(title: $0)
            }
            try await Rows.print(columns, "/users", [], AccountDocument.self, invocation, row: row)
            return .ok
        }
        var change: [String: JSONValue] = [:]
        change["role"] = arguments["role"].map { .string($0) }
        if arguments.has("disable") || arguments.has("enable") {
            guard arguments.has("disable") != arguments.has("enable"), !arguments.has("add") else {
                throw CLIError.usage("--disable, --enable and --add: choose one")
            }
            change["disabled"] = .bool(arguments.has("disable"))
        }
        if let groups = arguments["groups"] {
            change["groups"] = .array(groups.split(separator: ",").map { .string(String($0)) })
        }
        if arguments.has("password") { change["password"] = .string(try SecretPrompt.ask("New password of \(name): ")) }
        let server = try await invocation.server()
        let answer: [UInt8]
        if arguments.has("add") {
            change["name"] = .string(name)
            answer = try await server.change("POST", "/users", try ServerConnection.encode(change))
        } else if change.isEmpty {
            answer = try await server.get("/users/\(ServerConnection.escape(name))")
        } else {
            answer = try await server.change(
                "PATCH", "/users/\(ServerConnection.escape(name))", try ServerConnection.encode(change))
        }
        if invocation.isJSON {
            await invocation.output.bytes(answer + [0x0A])
        } else {
            let cells = row(try ServerConnection.decode(AccountDocument.self, answer))
            await invocation.output.line(cells.map(Printable.line).joined(separator: "\t"))
        }
        return .ok
    }

    @Sendable private static func row(_ user: AccountDocument) -> [String] {
        [
            user.name, user.role, user.password ? "yes" : "-", user.registered, user.disabled ?? "-",
            user.groups?.joined(separator: ",") ?? "-",
        ]
    }
}
