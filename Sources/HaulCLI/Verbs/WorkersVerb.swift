import HaulModel
import HaulWire

extension Verb {
    static let workers = Verb(
        name: "workers", summary: "the workers; for operators: show one, drain it, let it go on, or end its session",
        operands: "[show WORKER | drain WORKER | resume WORKER | end WORKER]", count: 0...2,
        completes: .words(["show", "drain", "resume", "end"]),
        notes: [
            "A line a worker: its name, state (alive, gone), whether it is drained, elements that it holds and its slots, load,",
            "host, version, protocols, and when it was heard of last. A drained one ends what it has and gets no more; with",
            "the end of its session what it holds is handed out again at once.",
        ]
    ) { invocation in
        let words = invocation.arguments.operands
        guard words.count == 2 else {
            guard words.isEmpty else { throw unclear }
            let titles = ["NAME", "STATE", "DRAINED", "HOLDING", "LOAD", "HOST", "VERSION", "PROTOCOLS", "SEEN"]
            let columns = titles.map { Table.Column(title: $0, isPath: $0 == "PROTOCOLS") }
            try await Rows.print(columns, "/workers", [], WorkerDocument.self, invocation, row: row)
            return .ok
        }
        let server = try await invocation.server()
        let path = "/workers/\(ServerConnection.escape(words[1]))"
        let answer =
            switch words[0] {
            case "show": try await server.get(path)
            case "drain": try await server.change("PATCH", path, Array(#"{"drained":true}"#.utf8))
            case "resume": try await server.change("PATCH", path, Array(#"{"drained":false}"#.utf8))
            case "end": try await server.change("DELETE", path + "/session")
            default: throw unclear
            }
        if invocation.isJSON {
            await invocation.output.bytes(answer + [0x0A])
        } else {
            let cells = row(try ServerConnection.decode(WorkerDocument.self, answer))
            await invocation.output.line(cells.map(Printable.line).joined(separator: "\t"))
        }
        return .ok
    }

    private static let unclear = CLIError.usage(
        "say what to do with which worker", hint: "haul help workers shows how")

    @Sendable private static func row(_ worker: WorkerDocument) -> [String] {
        [
            worker.name, worker.alive ? "alive" : "gone", worker.drained ? "drained" : "-",
            "\(worker.holding)/\(worker.slots)", worker.load.map { "\($0)" } ?? "-", worker.host ?? "-",
            worker.version ?? "-",
            worker.protocols.joined(separator: ","), worker.seen,
        ]
    }
}
