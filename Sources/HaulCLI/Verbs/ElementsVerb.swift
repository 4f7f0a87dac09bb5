import HaulModel
import HaulWire

extension Verb {
    static let elements = Verb(
        name: "elements", summary: "the elements of a job", operands: "JOB", count: 1...1, completes: .job,
        options: [
            .choice("status", Status.allCases.map(\.name), "only these"), .number("limit", "N", "at most so many"),
            .number("after", "ELEMENT", "only those with a higher id"),
        ],
        notes: [
            "Not on a terminal: a line an element, tabs between id, status, type, bytes, attempts/tries, source, "
                + "destination and why it failed."
        ]
    ) { invocation in
        let job = try invocation.id(0, "a job")
        var query = [("listing", "none")]
        if let status = invocation.arguments["status"] { query.append(("status", status)) }
        for name in ["limit", "after"] {
            if let number = try invocation.arguments.number(name, in: 0...Int.max) { query.append((name, "\(number)")) }
        }
        let titles = ["ID", "STATUS", "TYPE", "SIZE", "TRIES", "SOURCE", "DESTINATION", "REASON"]
        let columns = titles.map {
            Table.Column(title: $0, isPath: $0 == "SOURCE" || $0 == "DESTINATION" || $0 == "REASON")
        }
        let isForPeople = invocation.output.isTerminal
        let count = try await Rows.print(columns, "/jobs/\(job)/elements", query, ElementDocument.self, invocation) {
            element in
            let reason = [element.errorClass, element.reason].compactMap { $0 }.joined(separator: ": ")
            return [
                "\(element.id)", element.status, element.type,
                isForPeople ? Human.size(Double(element.size)) : "\(element.size)",
                "\(element.attempts)/\(element.maxTries)", element.sourcePath, element.destinationPath ?? "-",
                reason.isEmpty ? "-" : reason,
            ]
        }
        // The API answers an empty list for a job that is not there, too: its status tells the two apart.
        if count == 0 { _ = try await invocation.server().get("/jobs/\(job)/status") }
        return .ok
    }
}
