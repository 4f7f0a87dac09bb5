import Foundation
import HaulModel
import HaulWire

extension Verb {
    static let queues = Verb(
        name: "queues", summary: "your queues; with a name, show or change one", operands: "[NAME]", count: 0...1,
        options: [
            .flag("pause", "nothing of it is handed out, what runs goes on"), .flag("resume", "it goes on"),
            .value("limit", "N|none", "elements of it that may be with workers at once"),
            .value("user", "NAME", "whose, for operators"),
        ],
        notes: ["A line a queue: its name, open or paused, its limit."]
    ) { invocation in
        let arguments = invocation.arguments
        let query = arguments["user"].map { [("user", $0)] } ?? []
        var change: [String: JSONValue] = [:]
        if arguments.has("pause") || arguments.has("resume") {
            guard arguments.has("pause") != arguments.has("resume") else {
                throw CLIError.usage("--pause and --resume at once", hint: "choose one")
            }
            change["paused"] = .bool(arguments.has("pause"))
        }
        if arguments["limit"] == "none" {
            change["limit"] = .null
        } else {
            change["limit"] = try arguments.number("limit", in: 1...1_000_000).map { .int($0) }
        }
        guard let name = arguments.operands.first else {
            guard change.isEmpty else {
                throw CLIError.usage("which queue is to be changed?", hint: "haul queues NAME --limit 10")
            }
            let columns = ["NAME", "STATE", "LIMIT"].map { Table.Column(title: $0) }
            try await Rows.print(columns, "/queues", query, QueueDocument.self, invocation, row: row)
            return .ok
        }
        let server = try await invocation.server()
        guard !change.isEmpty else {
            let all = try await server.get([QueueDocument].self, "/queues", query)
            guard let queue = all.first(where: { $0.name == name }) else {
                throw CLIError(
                    code: .notFound, message: "you have no queue \(name)",
                    hint: "haul queues lists yours; a queue is made with its first job, or when it is changed")
            }
            try await show(queue, try JSONEncoder().encode(queue), invocation)
            return .ok
        }
        let answer = try await server.change(
            "PATCH", "/queues/\(ServerConnection.escape(name))" + ServerConnection.of(arguments["user"]),
            Array(try JSONEncoder().encode(change)))
        try await show(try ServerConnection.decode(QueueDocument.self, answer), Data(answer), invocation)
        return .ok
    }

    private static func show(_ queue: QueueDocument, _ document: Data, _ invocation: Invocation) async throws {
        if invocation.isJSON {
            await invocation.output.bytes(Array(document) + [0x0A])
        } else {
            await invocation.output.line(row(queue).map(Printable.line).joined(separator: "\t"))
        }
    }

    @Sendable private static func row(_ queue: QueueDocument) -> [String] {
        [queue.name, queue.paused ? "paused" : "open", queue.limit.map(String.init) ?? "-"]
    }
}
