extension Verb {
    static let wait = Verb(
        name: "wait", summary: "wait until jobs have ended, with progress", operands: "JOB...", count: 1...10_000,
        completes: .job, options: [.number("timeout", "SECONDS", "how long at most")],
        notes: [
            "Ctrl-C ends the waiting alone: the jobs go on. The exit code says how they ended (haul help exit-codes)."
        ]
    ) { invocation in
        let jobs = try invocation.arguments.operands.indices.map { try invocation.id($0, "a job") }
        return try await JobWaiter(invocation, jobs: jobs, timeout: try invocation.arguments.seconds("timeout")).run()
    }
}
