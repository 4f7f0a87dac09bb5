import Foundation
import HaulWire

/// Asks for jobs until they have ended, and shows how far they are. The first of those that go on is asked for so that the
/// server answers when it changes: who waits for one job hears of its end at once.
struct JobWaiter {
    let invocation: Invocation
    let jobs: [Int]
    /// Seconds; nil waits on.
    let timeout: Double?
    private let clock = ContinuousClock()

    init(_ invocation: Invocation, jobs: [Int], timeout: Double?) {
        self.invocation = invocation
        self.jobs = jobs
        self.timeout = timeout
    }

    /// - Returns: how the jobs ended; a failed one outweighs a cancelled one.
    func run() async throws -> ExitCode {
        let ended = try await withInterrupt {
            try await follow()
        }
        guard let ended else {
            await invocation.errors.endProgress()
            let names = jobs.prefix(20).map { String($0) }.joined(separator: " ")
            await invocation.errors.line("haul: no longer waiting; the work goes on: haul wait \(names)")
            return .interrupted
        }
        return ended
    }

    private func follow() async throws -> ExitCode {
        let server = try await invocation.server()
        let start = clock.now
        let deadline = timeout.map { start + .seconds($0) }
        var view = ProgressView(invocation.errors)
        var pause = 0.0
        var last: [Int: JobDocument] = [:]
        var waiting = jobs
        while true {
            var open: [Int] = []
            for (index, id) in waiting.enumerated() {
                let until = clock.now + .seconds(index == 0 ? pause : 0)
                let job = try await look(id, last[id], until: deadline.map { min($0, until) } ?? until, server)
                last[id] = job
                if !["DONE", "FAILED", "CANCELLED"].contains(job.status) { open.append(id) }
            }
            waiting = open
            let known = jobs.compactMap { last[$0] }
            await view.show(known, bytes: try await bytes(known, server), isOver: open.isEmpty)
            if open.isEmpty { break }
            if let deadline, clock.now >= deadline {
                await invocation.errors.endProgress()
                throw CLIError(
                    code: .timeout,
                    message: "not done after \(Human.time(timeout ?? 0)): \(open.count) of \(jobs.count) jobs go on",
                    hint: "haul wait \(open.prefix(20).map { String($0) }.joined(separator: " "))")
            }
            pause = min(2, pause + 1)
        }
        return try await conclude(jobs.compactMap { last[$0] }, server)
    }

    /// The job when its status is another than before, or as it is at that time.
    private func look(
        _ id: Int, _ before: JobDocument?, until: ContinuousClock.Instant, _ server: ServerConnection
    ) async throws -> JobDocument {
        guard let before else { return try await server.get(JobDocument.self, "/jobs/\(id)") }
        while true {
            // In whole seconds; what is left of a deadline is slept through.
            let seconds = Int((until - clock.now) / .seconds(1) + 0.01)
            guard seconds > 0 else { break }
            let job = try await server.get(JobDocument.self, "/jobs/\(id)", [("wait", "\(seconds)")])
            if job.status != before.status || clock.now >= until { return job }
            // A server that is about to end answers early; it is not asked as fast as it can.
            try await clock.sleep(until: min(until, clock.now + .seconds(0.2)))
        }
        try await clock.sleep(until: until)
        return try await server.get(JobDocument.self, "/jobs/\(id)")
    }

    /// Bytes done and in all, where a person watches and the elements are few enough to ask for each.
    private func bytes(_ jobs: [JobDocument], _ server: ServerConnection) async throws -> ProgressView.Bytes? {
        let elements = jobs.reduce(0) { $0 + ($1.counts?.elements ?? 0) }
        guard invocation.errors.isTerminal, elements <= 1000, jobs.contains(where: { $0.type == "COPY" }) else {
            return nil
        }
        var sum = ProgressView.Bytes()
        for job in jobs where job.type == "COPY" {
            let all = try await server.get([ElementDocument].self, "/jobs/\(job.id)/elements", [("listing", "none")])
            for element in all where element.type == "COPY" {
                sum.total += Double(element.size)
                if element.status == "DONE" { sum.done += Double(element.size) }
            }
            for element in all.filter({ $0.type == "COPY" && $0.status == "RUNNING" }).prefix(4) {
                let status = try await server.get(
                    ElementStatusDocument.self, "/jobs/\(job.id)/elements/\(element.id)/status")
                sum.done += min(Double(element.size), status.transferred.value ?? 0)
            }
        }
        return sum
    }

    private func conclude(_ jobs: [JobDocument], _ server: ServerConnection) async throws -> ExitCode {
        await invocation.errors.endProgress()
        for job in jobs {
            if invocation.isJSON {
                await invocation.output.bytes(try await server.get("/jobs/\(job.id)") + [0x0A])
            } else {
                let counts = job.counts.map { ", \($0.done) of \($0.elements) elements done" } ?? ""
                await invocation.errors.line("job \(job.id) is \(Printable.line(job.status))\(counts)")
            }
            if job.status == "FAILED" { try await showFailures(job, server) }
        }
        if jobs.contains(where: { $0.status == "FAILED" }) { return .jobFailed }
        return jobs.contains { $0.status == "CANCELLED" } ? .jobCancelled : .ok
    }

    private func showFailures(_ job: JobDocument, _ server: ServerConnection) async throws {
        let failed = try await server.get(
            [ElementDocument].self, "/jobs/\(job.id)/elements",
            [("status", "FAILED"), ("limit", "5"), ("listing", "none")])
        for element in failed.prefix(5) {
            let reason = [element.errorClass, element.reason].compactMap { $0 }.joined(separator: ": ")
            await invocation.errors.line(
                "  element \(element.id) \(Printable.line(element.sourcePath)): \(Printable.line(reason)) "
                    + "(haul output \(job.id) \(element.id))")
        }
        let more = (job.counts?.failed ?? 0) - failed.count
        if more > 0 { await invocation.errors.line("  and \(more) more: haul elements \(job.id) --status FAILED") }
    }

    /// Runs the work until it ends or somebody presses Ctrl-C, which gives nil.
    private func withInterrupt(_ work: @escaping @Sendable () async throws -> ExitCode) async throws -> ExitCode? {
        let task = Task { try await work() }
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: DispatchQueue(label: "haul.interrupt"))
        source.setEventHandler { task.cancel() }
        source.resume()
        defer {
            source.cancel()
            signal(SIGINT, SIG_DFL)
        }
        do {
            return try await task.value
        } catch is CancellationError {
            return nil
        }
    }
}
