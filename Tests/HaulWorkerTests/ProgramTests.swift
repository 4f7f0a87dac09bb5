import Foundation
import HaulProtocol
import HaulWire
import Support
import Testing

/// The real program: its signals, its end, its configuration.
@Suite(.timeLimit(.minutes(6))) struct ProgramTests {
    @Test func drainsOnSIGTERM() async throws {
        let server = try TestServer()
        let program = try await WorkerProgram.start(server)
        server.hand(Claims.job(1, ["/sleep/1.5"]))
        try await eventually("it runs") { !server.record.progress.isEmpty }
        program.child.signal(SIGTERM)
        try await eventually("it drains") { program.log.contains("draining") }
        server.hand(Claims.job(2, ["/ok"]))
        #expect(await program.code() == 0)
        #expect(server.outcome(1)?.returncode == 0 && server.outcome(2) == nil)
        #expect(server.record.beats.last?.holding == [])
        #expect(program.backends.isEmpty)
        await program.close()
        await server.stop()
    }

    @Test func cutsOffWhatTakesLongerThanDrainSeconds() async throws {
        let server = try TestServer()
        let program = try await WorkerProgram.start(server, "drain_seconds: 0.5, slots: 1,")
        server.hand(Claims.job(1, ["/sleep/600"]), Claims.job(2, ["/ok"]))
        try await eventually("it runs") { !server.record.progress.isEmpty }
        program.child.signal(SIGINT)
        #expect(await program.code() == 0)
        for id in [1, 2] {
            #expect(server.outcome(id)?.errorClass == "drained" && server.outcome(id)?.returncode != 0)
        }
        #expect(program.backends.isEmpty)
        await program.close()
        await server.stop()
    }

    @Test(arguments: ["/sleep/600", "/stubborn", "/silent"])
    func endsAtOnceOnASecondSIGTERM(path: String) async throws {
        let server = try TestServer()
        let program = try await WorkerProgram.start(server)
        server.hand(Claims.job(1, [path]))
        try await eventually("it runs") { !program.backends.isEmpty && !server.record.progress.isEmpty }
        program.child.signal(SIGTERM)
        try await eventually("it drains") { program.log.contains("draining") }
        program.child.signal(SIGTERM)
        let start = ContinuousClock.now
        #expect(await program.code(within: .seconds(20)) == 0)
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(program.backends.isEmpty && server.outcomes.isEmpty)
        await program.close()
        await server.stop()
    }

    @Test(arguments: ["/sleep/600", "/stubborn"])
    func leavesNoBackendWhenItIsKilled(path: String) async throws {
        let server = try TestServer()
        let program = try await WorkerProgram.start(server)
        server.hand(Claims.job(1, [path]), Claims.job(2, ["/sleep/600"]))
        try await eventually("both run") { program.backends.count == 2 && server.record.progress.contains("1.0") }
        let backends = program.backends
        kill(program.child.pid, SIGKILL)
        try await eventually("no backend is left", within: .seconds(20)) {
            backends.allSatisfy { [nil, "Z", "X"].contains(Processes.state($0)) }
        }
        await program.close()
        await server.stop()
    }

    /// A worker that stands still can't end its backends before its leases are over: they end all the same.
    @Test(arguments: ["/sleep/600", "/stubborn"])
    func leavesNoBackendWhenItIsStopped(path: String) async throws {
        let server = try TestServer()
        server.change { $0.leaseSeconds = 20 }
        let program = try await WorkerProgram.start(server)
        server.hand(Claims.job(1, [path]))
        try await eventually("it runs") { !program.backends.isEmpty && !server.record.progress.isEmpty }
        let sent = server.record.beats.count
        try await eventually("a heartbeat") { server.record.beats.count > sent }
        kill(program.child.pid, SIGSTOP)
        let start = ContinuousClock.now
        try await eventually("no backend runs", within: .seconds(60)) {
            program.backends.allSatisfy { [nil, "Z", "X"].contains(Processes.state($0)) }
        }
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(ContinuousClock.now - start > .seconds(10), "they may work for most of the lease")
        #expect(Processes.state(program.child.pid) == "T")
        kill(program.child.pid, SIGCONT)
        try await eventually("a new session") { server.record.registrations.count == 2 }
        program.child.signal(SIGTERM)
        #expect(await program.code() == 0)
        await program.close()
        await server.stop()
    }

    /// What stands beside a worker may be killed itself: another takes its place, and knows what to end and when.
    @Test func replacesAGuardThatIsGone() async throws {
        let server = try TestServer()
        server.change { $0.leaseSeconds = 20 }
        let program = try await WorkerProgram.start(server)
        server.hand(Claims.job(1, ["/stubborn"]))
        try await eventually("it runs") { !program.backends.isEmpty && !server.record.progress.isEmpty }
        let sent = server.record.beats.count
        try await eventually("a heartbeat") { server.record.beats.count > sent }
        let first = try #require(Processes.guards(of: program.child.pid).first)
        kill(first, SIGKILL)
        try await eventually("another stands there") { program.log.contains("guard-lost") }
        try await eventually("it has its name") {
            Processes.guards(of: program.child.pid).contains { $0 != first }
        }
        kill(program.child.pid, SIGSTOP)
        let start = ContinuousClock.now
        #expect(!program.backends.isEmpty)
        try await eventually("no backend runs", within: .seconds(60)) {
            program.backends.allSatisfy { [nil, "Z", "X"].contains(Processes.state($0)) }
        }
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(Processes.state(program.child.pid) == "T")
        kill(program.child.pid, SIGCONT)
        try await eventually("a new session") { server.record.registrations.count == 2 }
        await program.close()
        await server.stop()
    }

    /// What stands beside a worker goes with it, and holds nothing that somebody waits for.
    @Test func leavesNoGuardBehind() async throws {
        let server = try TestServer()
        let program = try await WorkerProgram.start(server)
        try await eventually("it registered") { server.record.registrations.count == 1 }
        let guards = Processes.named("haul-guard")
        #expect(!guards.isEmpty)
        await program.close()
        let again = try await WorkerProgram.start(server)
        await again.close()
        await server.stop()
        // Other tests have workers of their own.
        try await eventually("one of them is gone") { !Set(guards).isSubset(of: Processes.named("haul-guard")) }
    }

    @Test func endsWhileItsServerIsDown() async throws {
        let program = try await WorkerProgram.start(config: Self.config("url: \"http://127.0.0.1:1\","))
        try await eventually("it tries") { program.log.contains("server-unreachable") }
        program.child.signal(SIGTERM)
        #expect(await program.code(within: .seconds(20)) == 0)
        await program.close()
    }

    @Test func saysInOneLineThatItsTokenIsRefused() async throws {
        let server = try TestServer()
        server.change { $0.token = "another" }
        let program = try await WorkerProgram.start(server)
        #expect(await program.code() == 1)
        #expect(
            program.complaints == ["haul-worker: \(server.url) does not accept this worker: 401 no such token; h"])
        #expect(!program.log.contains("worker-token"))
        await program.close()
        await server.stop()
    }

    @Test func refusesATokenFileThatOthersRead() async throws {
        let program = try await WorkerProgram.start(config: Self.config(), tokenMode: 0o644)
        #expect(await program.code() == 2)
        let line = try #require(program.log.split(separator: "\n").first)
        #expect(line.contains("token_file") && line.contains("mode is 644") && !line.contains("worker-token"))
        await program.close()
    }

    @Test(arguments: [
        ("slots: 0,", ":4: slots: "), ("slots: \"many\",", ":4: slots: "), ("slits: 4,", ":4: slits: "),
        ("types: [\"MOVE\"],", ":4: types: "), ("spool_bytes: -1,", ":4: spool_bytes: "),
        ("protocols: {local: {roots: 7}},", "protocols.local.roots: "),
        ("protocols: {local: {rots: []}},", "protocols.local.rots: "),
        ("claim_bytes: 0,", ":4: claim_bytes: "), ("drain_seconds: 1e9,", ":4: drain_seconds: "),
        ("claim_limit: 1.5,", ":4: claim_limit: "), ("claim_limit: 1001,", ":4: claim_limit: "),
        ("name: \"\",", ":4: name: "), ("slots: 4,,", ":4:"),
    ])
    func refusesABadConfiguration(line: String, place: String) async throws {
        let program = try await WorkerProgram.start(config: Self.config(line))
        #expect(await program.code() == 2)
        let lines = program.log.split(separator: "\n")
        #expect(lines.count == 1 && lines.first?.hasPrefix("haul-worker: ") == true)
        #expect(lines.first?.contains("worker.json5") == true && lines.first?.contains(place) == true, "\(lines)")
        await program.close()
    }

    @Test func keepsItsFolderToItself() async throws {
        let server = try TestServer()
        let program = try await WorkerProgram.start(server)
        try await eventually("it registered") { server.record.registrations.count == 1 }
        let second = try await ProgramRun("haul-worker", ["--config", program.folder + "/worker.json5"])
        #expect(second.code == 1 && second.errors.contains("is in use by another worker"))
        await program.close()
        await server.stop()
    }

    @Test(arguments: [["--config"], ["--config", "/nonexistent"], ["x"], ["--config", "a", "b"]])
    func refusesABadCommandLine(words: [String]) async throws {
        let run = try await ProgramRun("haul-worker", words)
        #expect(run.code == 2 && run.output.isEmpty && run.errors.split(separator: "\n").count == 1)
        #expect(run.errors.contains(words.last == "/nonexistent" ? "no such file" : "haul-worker --help"))
    }

    @Test func helps() async throws {
        let run = try await ProgramRun("haul-worker", ["--help"])
        #expect(run.code == 0 && run.errors.isEmpty)
        for word in ["[--config FILE]", "/etc/haul/worker.json5", "SIGTERM", "Exit codes"] {
            #expect(run.output.contains(word), "\(word)")
        }
    }

    /// A configuration whose fourth line is the given one.
    private static func config(_ line: String = "") -> String {
        """
        {
            token_file: "token", protocols_dir: "\(Built.repository)/protocols", work_dir: "work",
            \(line.hasPrefix("url") ? "" : "url: \"http://127.0.0.1:1\",")
            \(line)
        }
        """
    }
}
