import Foundation
import HaulModel
import HaulWire

extension Verb {
    static let queues = Verb(
        name: "queues", summary: "your queues; with a name, change one", operands: "[NAME]", count: 0...1,
        options: [
            .flag("pause", "nothing of it is handed out, what runs goes on"), .flag("resume", "it goes on"),
            .value("limit", "N|none", "elements of it that may be with workers at once"),
        ],
        notes: ["A line a queue: its name, open or paused, its limit."]
    ) { invocation in
        let arguments = invocation.arguments
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
            try await Rows.print(columns, "/queues", [], QueueDocument.self, invocation, row: row)
            return .ok
        }
        guard !change.isEmpty else {
            throw CLIError.usage("nothing is to be changed", hint: "haul help queues shows what can be")
        }
        let answer = try await invocation.server().change(
            "PATCH", "/queues/\(ServerConnection.escape(name))", Array(try JSONEncoder().encode(change)))
        if invocation.isJSON {
            await invocation.output.bytes(answer + [0x0A])
        } else {
            let cells = row(try ServerConnection.decode(QueueDocument.self, answer))
            await invocation.output.line(cells.map(Printable.line).joined(separator: "\t"))
        }
        return .ok
    }

    @Sendable private static func row(_ queue: QueueDocument) -> [String] {
        [queue.name, queue.paused ? "paused" : "open", queue.limit.map(String.init) ?? "-"]
    }
}
