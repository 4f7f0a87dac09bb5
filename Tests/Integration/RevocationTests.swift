import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// What a revoked token had begun: its sessions end with it, and what they held is somebody else's.
@Suite(
    .server {
        $0.heartbeatSeconds = 0.5
        // Nothing here ends because its time has come.
        $0.leaseSeconds = 600
    }, .timeLimit(.minutes(6)))
struct RevocationTests {
    /// What the record of the attempt that was taken away says.
    private func expectLost(_ held: Held, of caller: Caller, because why: String) async throws {
        let path = "/jobs/\(held.jobID)/elements/\(held.id)/output/\(held.attempt)"
        try await eventually("it is recorded") { try await caller.get(path).status == 200 }
        let output = try await caller.get(path)
        #expect(output["status"] == "FAILED", "\(output)")
        #expect(output["log"]?.string?.contains("the lease ended without a report: \(why)") == true, "\(output)")
    }

    /// A real worker finds out by itself, ends its backends and itself; another does the work.
    @Test func realWorker() async throws {
        var settings = LiveServer.Settings()
        settings.heartbeatSeconds = 0.5
        let server = try await LiveServer.start(settings)
        let worker = try await RealWorker.start(server)
        let alice = try await server.caller(user: "alice", role: "user")
        let answer = try await alice.post("/mkdir", ["src_siteid": 6, "src_filepath": "/sleep/600/d"])
        let job = try #require(answer["id"]?.int)
        try await eventually("it runs") { try await alice.get("/jobs/\(job)/status")["status"] == "RUNNING" }
        #expect(worker.backends.count == 1)
        let other = try await ActingWorker(try await server.caller(user: "other", role: "worker"))
        #expect(try await other.take().isEmpty)

        let revoked = try await server.revoke("--user", "w", "--role", "worker")
        #expect(revoked.code == 0 && revoked.output.contains("ended with it: 1"), "\(revoked)")
        let next = try await other.takeOne()
        #expect(next.jobID == job && next.attempt == 2)
        let output = try await alice.get("/jobs/\(job)/elements/0/output/1")
        #expect(output["log"]?.string?.contains("the worker's token was revoked") == true, "\(output)")
        let process = try #require(worker.process)
        #expect(await process.wait(atMost: .seconds(30)) == .exited(1))
        #expect(worker.log.contains("does not accept this worker"), "\(worker.log.suffix(2000))")
        try await other.finish(next)
        #expect(try await alice.get("/jobs/\(job)/status")["status"] == "DONE")
        await server.remove()
    }

    /// With the token in hand, by whatever it leaked: nothing that it may do is done any more.
    @Test func whatItMayDo() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let job = try await person.list("/x")
        let held = try await worker.takeOne()
        let file = "\(server.folder)/\(person.name).leaked"
        try (person.worker.token ?? "").write(toFile: file, atomically: true, encoding: .utf8)
        let revoked = try await server.revoke("--token-file", file)
        #expect(revoked.code == 0 && revoked.output.contains("ended with it: 1"), "\(revoked)")
        // Its token opened the way for bodies a moment ago.
        let beat: JSONValue = ["session": .int(try #require(worker.session)), "holding": [.string(held.name)]]
        let requests: [(String, JSONValue)] = [
            ("/worker/heartbeat", beat), ("/worker/jobs", ["types": [0]]), ("/worker/results", ["results": []]),
            ("/worker/register", ["name": "again", "slots": 1, "protocols": ["ssh"]]),
        ]
        for (path, document) in requests {
            #expect(try await person.worker.post(path, document).status == 401, "\(path)")
        }
        let late = try await worker.report(held, 0, ["listing": ["/x": []]])
        #expect(late.status == 409 && late["code"] == "lease_ended", "\(late)")
        let piece = try await worker.caller.with(held.token).send(
            "POST", held.path + "/log?offset=0", Array("late".utf8))
        #expect(piece.status == 409, "\(piece)")
        #expect(
            try await worker.caller.with(held.token).put(held.path + "/monitoring", ["transferred": 1]).status == 409)
        try await expectLost(held, of: person.user, because: "the worker's token was revoked")
        let successor = try await server.caller(user: "\(person.name)-2", role: "worker", "--users", person.name)
        let next = try await ActingWorker(successor).takeOne()
        #expect(next.jobID == job && next.attempt == 2)
        let again = try await server.revoke("--token-file", file)
        #expect(again.code == 0 && again.output.contains("had been revoked before"), "\(again)")
    }

    /// A claim that was parked before its token was revoked gets nothing, with a session and without.
    @Test(arguments: [true, false]) func parked(hasSession: Bool) async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let worker =
            hasSession ? try await ActingWorker(person.worker) : ActingWorker(sessionless: person.worker)
        let claim = Task { try await worker.ask(["wait": 50]) }
        // It has looked and found nothing once another of this worker's claims has.
        #expect(try await worker.ask(["wait": 1]).status == 404)
        #expect(try await server.revoke("--user", "\(person.name)-worker").code == 0)
        let job = try await person.list("/x")
        let answer = try await claim.value
        #expect(answer.status == (hasSession ? 409 : 401), "\(answer)")
        let element = try await person.user.get("/jobs/\(job)/elements/0")
        #expect(element["status"] == "NEW" && element["attempts"] == 0, "\(element)")
    }

    /// An operator ends a worker's session at once; its token is still good for another.
    @Test func session() async throws {
        let server = try LiveServer.ofSuite
        let boss = try await server.caller(user: "boss", role: "operator")
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let job = try await person.list("/x")
        let held = try await worker.takeOne()
        let path = "/workers/\(worker.name)/session"
        #expect(try await person.user.send("DELETE", path).status == 403)
        #expect(try await boss.send("DELETE", "/workers/nobody/session").status == 404)
        let ended = try await boss.send("DELETE", path)
        #expect(ended.status == 200 && ended["alive"] == false && ended["name"] == .string(worker.name), "\(ended)")
        #expect(try await worker.report(held, 0, ["listing": ["/x": []]]).status == 409)
        #expect(try await worker.ask().status == 409)
        let again = try await ActingWorker(person.worker, name: worker.name)
        let next = try await again.takeOne()
        #expect(next.jobID == job && next.attempt == 2)
        try await expectLost(held, of: person.user, because: "an operator ended the worker's session")
        // A worker without a session has none to end.
        #expect(try await boss.send("DELETE", path)["alive"] == false)
        #expect(try await boss.send("DELETE", path).status == 200)
    }

    /// Operators find the id of what they have to revoke; what is not there is said.
    @Test func commandLine() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        func token(_ words: String...) async throws -> ProgramRun {
            try await ProgramRun("hauld", ["token"] + words + ["--config", server.config])
        }
        let list = try await token("list", "--user", "\(person.name)-worker")
        let lines = list.output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        #expect(list.code == 0 && lines.count == 2 && lines[0].count == lines[1].count, "\(list)")
        let row = try #require(lines.last)
        #expect(row[1] == "\(person.name)-worker" && row[2] == "worker" && row[7] == "users=\(person.name)", "\(row)")
        #expect(!list.output.contains(String((person.worker.token ?? "").dropFirst(5))))
        #expect(try await token("list").output.split(separator: "\n").count >= 3)
        #expect(try await token("revoke", "--id", row[0]).output.contains("(\(row[1]), worker) revoked"))
        #expect(try await person.worker.post("/worker/jobs", ["types": [0]]).status == 401)
        #expect(try await person.user.get("/jobs").status == 200, "the user's own is another")
        let after = try await token("list", "--user", row[1]).output
        #expect(!after.contains("\t-\tusers"), "it says since when: \(after)")
        for words in [["--id", "999999"], ["--user", "nobody"], ["--user", row[1]], ["--token-file", "/dev/null"]] {
            let run = try await ProgramRun("hauld", ["token", "revoke", "--config", server.config] + words)
            #expect(run.code == 1 && run.output.isEmpty && run.errors.hasPrefix("hauld: "), "\(words) \(run)")
        }
        for words in [
            [], ["--id", "x"], ["--id", "1", "--user", "x"], ["--id", "1", "--role", "user"], ["--role", "user"],
        ] {
            let run = try await ProgramRun("hauld", ["token", "revoke", "--config", server.config] + words)
            #expect(run.code == 2, "\(words) \(run)")
        }
        #expect(try await ProgramRun("hauld", ["token", "forget"]).code == 2)
    }
}
