import HaulHTTP
import HaulModel
import HaulWire

extension Verb {
    static let launch = Verb(
        name: "launch", summary: "workers of a queue's own: have some started, see them, end them", operands: "QUEUE",
        count: 1...1,
        options: [
            .value("workers", "N", "open the queue to workers, and have so many started for it alone"),
            .flag("end", "end those that there are"), .value("user", "NAME", "whose queue it is, for operators"),
        ],
        notes: [
            "A line a worker: its name, state, how often it was started, where it runs, what went wrong last. Each ends",
            "when it has had nothing to do for a while.",
        ]
    ) { invocation in
        let arguments = invocation.arguments
        let workers = try arguments.number("workers", in: 1...10_000)
        guard workers == nil || !arguments.has("end") else {
            throw CLIError.usage("--workers and --end at once", hint: "choose one")
        }
        let query = arguments["user"].map { [("user", $0)] } ?? []
        let path = "/queues/\(ServerConnection.escape(arguments.operands[0]))/launch"
        let changed = path + ServerConnection.of(arguments["user"])
        let server = try await invocation.server()
        if arguments.has("end") { _ = try await server.change("DELETE", changed) }
        if let workers {
            do { _ = try await server.once("POST", changed, Array(#"{"workers":\#(workers)}"#.utf8)) } catch let error
                as CLIError where error.code == .unreachable
            {
                throw CLIError(
                    code: .unreachable, message: error.message,
                    hint: "it may have been done all the same: haul launch \(arguments.operands[0]) shows the workers")
            }
        }
        let columns = ["WORKER", "STATE", "STARTS", "PLACE", "REASON"].map { Table.Column(title: $0) }
        try await Rows.print(columns, path, query, LaunchDocument.self, invocation) { worker in
            [worker.worker, worker.state, String(worker.starts), worker.place ?? "-", worker.reason ?? "-"]
        }
        return .ok
    }
}
