import HaulModel
import HaulWire

extension Verb {
    static let output = Verb(
        name: "output", summary: "the logs and listings of a job's attempts", operands: "JOB [ELEMENT [ATTEMPT]]",
        count: 1...3, completes: .job,
        options: [
            .flag("attempts", "every attempt of every element, not only the latest"),
            .flag(
                "follow", short: "f", "the log of a running attempt as it grows, to its end (ELEMENT: 0 if not given)"),
        ],
        notes: ["ATTEMPT counts from 1, or backwards from -1, the latest."]
    ) { invocation in
        var path = "/jobs/\(try invocation.id(0, "a job"))"
        let operands = invocation.arguments.operands
        if operands.count == 1, invocation.arguments.has("follow") { path += "/elements/0" }
        if operands.count > 1 { path += "/elements/\(try invocation.id(1, "an element"))" }
        path += "/output"
        if operands.count > 2 {
            guard let attempt = Int(operands[2]) else {
                throw CLIError.usage("expected the number of an attempt, found \(operands[2])")
            }
            path += "/\(attempt)"
        }
        guard !invocation.arguments.has("attempts") || operands.count == 1 else {
            throw CLIError.usage("--attempts is for a whole job")
        }
        guard !invocation.arguments.has("follow") else {
            try await invocation.server().copy(path, [("follow", "1")], to: invocation.output, isText: true)
            return .ok
        }
        try await OutputVerb.print(invocation, path, invocation.arguments.has("attempts") ? [("attempts", "all")] : [])
        return .ok
    }
}

/// Prints outputs: each log under a header, then what a LIST found.
enum OutputVerb {
    static func print(_ invocation: Invocation, _ path: String, _ query: [(String, String)]) async throws {
        guard !invocation.isJSON else { return try await invocation.server().copy(path, query, to: invocation.output) }
        let output = invocation.output
        try await invocation.server().items(path, query) { bytes in
            let document = try ServerConnection.decode(OutputDocument.self, bytes)
            await output.line(
                "=== job \(document.jobID) element \(document.elementID) attempt \(document.attempt) "
                    + Printable.line("\(document.type) \(document.status)"))
            let log = output.isTerminal ? Printable.lines(document.log) : document.log
            await output.text(log.isEmpty || log.hasSuffix("\n") ? log : log + "\n")
            if let listing = document.listing { await output.text(text(listing, tree: output.isTerminal)) }
        }
    }

    /// The listing of a LIST job that is done, alone.
    static func printListing(_ invocation: Invocation, job: Int) async throws {
        let output = invocation.output
        try await invocation.server().items("/jobs/\(job)/output") { bytes in
            let listing = try ServerConnection.decode(OutputDocument.self, bytes).listing ?? [:]
            await output.text(text(listing, tree: output.isTerminal))
        }
    }

    /// Names under their directory for people, whole paths for programs.
    private static func text(_ listing: [String: [String]], tree: Bool) -> String {
        var text = ""
        for (directory, names) in listing.sorted(by: { $0.key < $1.key }) {
            if tree { text += Printable.line(directory) + ":\n" }
            for name in names.sorted() {
                text += tree ? "  \(Printable.line(name))\n" : Printable.line(TransferPath.join(directory, name)) + "\n"
            }
        }
        return text
    }
}
