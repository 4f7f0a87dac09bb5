import Foundation
import HaulModel
import HaulWire

extension Verb {
    static let cancel = Verb(
        name: "cancel", summary: "cancel jobs, or an element of one", operands: "JOB... | JOB --element E",
        count: 1...10_000, completes: .job,
        options: [
            .number("element", "E", "this element of the job alone"),
            .flag("wait", short: "w", "wait until all has stopped"),
            .number("timeout", "SECONDS", "with --wait: how long"),
        ],
        notes: [
            "What waits is cancelled at once; what runs is stopped by its worker, and then reads CANCELLED. A job that can't "
                + "be cancelled is said and the others are; the exit code is the highest of theirs."
        ]
    ) { invocation in
        let server = try await invocation.server()
        let jobs = try invocation.arguments.operands.indices.map { try invocation.id($0, "a job") }
        if let element = try invocation.arguments.number("element", in: 0...Int.max) {
            guard jobs.count == 1, !invocation.arguments.has("wait") else {
                throw CLIError.usage("--element goes with one job, and not with --wait")
            }
            try await show(try await server.change("DELETE", "/jobs/\(jobs[0])/elements/\(element)"), invocation) {
                "element \(element) of job \(jobs[0]) is \(try ServerConnection.decode(ElementDocument.self, $0).status)"
            }
            return .ok
        }
        return try await each(jobs, invocation, whileOpen: "is being cancelled", isDone: .jobCancelled) { job in
            try await server.change("DELETE", "/jobs/\(job)")
        }
    }

    static let retry = Verb(
        name: "retry", summary: "try again what failed or was cancelled", operands: "JOB...", count: 1...10_000,
        completes: .job,
        options: [
            .value("key", "KEY", "Idempotency-Key: the same again tries nothing more for 24 hours"),
            .flag("wait", short: "w", "wait for the end, with progress; the exit code says how it went"),
            .number("timeout", "SECONDS", "with --wait: how long"),
        ],
        notes: [
            "Each element gets as many tries as it had at first; logs of earlier attempts stay. A job of which nothing failed "
                + "is said and the others are tried again; the exit code is the highest of theirs."
        ]
    ) { invocation in
        let server = try await invocation.server()
        let jobs = try invocation.arguments.operands.indices.map { try invocation.id($0, "a job") }
        guard invocation.arguments["key"] == nil || jobs.count == 1 else {
            throw CLIError.usage("--key goes with one job")
        }
        return try await each(jobs, invocation, whileOpen: "is tried again", isDone: .ok) { job in
            let key = invocation.arguments["key"] ?? UUID().uuidString
            return try await server.post("/jobs/\(job)/retry", [], type: "application/json", key: key)
        }
    }

    static let change = Verb(
        name: "change", summary: "change a job's priority, queue, label or deadline", operands: "JOB", count: 1...1,
        completes: .job,
        options: [
            .number("priority", "0-9", "0 is served first"), .value("queue", "NAME", "the queue that it stands in"),
            .value("label", "TEXT", "your own words for it; empty takes them away"),
            .value(
                "deadline", "TIME", "when what has not ended fails: 2026-01-31T12:00Z, or a date; empty takes it away"),
        ]
    ) { invocation in
        let arguments = invocation.arguments
        var change: [String: JSONValue] = [:]
        change["priority"] = try arguments.number("priority", in: 0...9).map { .int($0) }
        change["queue"] = arguments["queue"].map { .string($0) }
        for name in ["label", "deadline"] {
            if let value = arguments[name] { change[name] = value.isEmpty ? .null : .string(value) }
        }
        guard !change.isEmpty else {
            throw CLIError.usage("nothing is to be changed", hint: "haul help change shows what can be")
        }
        let id = try invocation.id(0, "a job")
        let answer = try await invocation.server().change(
            "PATCH", "/jobs/\(id)", Array(try JSONEncoder().encode(change)))
        try await show(answer, invocation) { try state($0, whileOpen: "is changed") }
        return .ok
    }

    /// Asks the same of each job, and waits for their ends where that is wanted. A job of which it can't be asked is said,
    /// and keeps no other from its turn; what no job could be asked then - a server that is gone, a bad token - ends it.
    ///
    /// - Parameter isDone: how jobs end where all went as it was asked.
    /// - Returns: the highest of the exit codes that there would be for each.
    private static func each(
        _ jobs: [Int], _ invocation: Invocation, whileOpen words: String, isDone: ExitCode,
        _ ask: (Int) async throws -> [UInt8]
    ) async throws -> ExitCode {
        let isWaiting = invocation.arguments.has("wait")
        let timeout = try invocation.arguments.seconds("timeout")
        var asked: [Int] = []
        var worst = ExitCode.ok
        for (index, job) in jobs.enumerated() {
            do {
                let answer = try await ask(job)
                asked.append(job)
                if !isWaiting { try await show(answer, invocation) { try state($0, whileOpen: words) } }
            } catch var error as CLIError {
                guard [.notFound, .refused].contains(error.code) else {
                    let rest = jobs[index...].prefix(20).map(String.init).joined(separator: " ")
                    if index > 0 { error.message += "; not asked: \(rest)" }
                    throw error
                }
                for line in error.lines { await invocation.errors.line(line) }
                worst = max(worst, error.code)
            }
        }
        guard isWaiting, !asked.isEmpty else { return worst }
        let ended = try await JobWaiter(invocation, jobs: asked, timeout: timeout).run()
        return max(worst, ended == isDone ? .ok : ended)
    }

    /// A job's answer in words: how it ended, or what becomes of it.
    private static func state(_ answer: [UInt8], whileOpen words: String) throws -> String {
        let job = try ServerConnection.decode(JobDocument.self, answer)
        let isOver = ["DONE", "FAILED", "CANCELLED"].contains(job.status)
        return "job \(job.id) " + (isOver ? "is \(job.status)" : words)
    }

    private static func show(
        _ answer: [UInt8], _ invocation: Invocation, _ words: ([UInt8]) throws -> String
    ) async rethrows {
        if invocation.isJSON {
            await invocation.output.bytes(answer + [0x0A])
        } else {
            await invocation.output.line(Printable.line(try words(answer)))
        }
    }
}
