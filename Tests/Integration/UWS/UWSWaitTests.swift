import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// Clients that wait for the end of a phase.
@Suite(.server(), .timeLimit(.minutes(6))) struct UWSWaitTests {
    private func client() async throws -> (Person, UWSClient) {
        let person = try await newPerson()
        return (person, UWSClient(person.user))
    }

    private func make(_ client: UWSClient, _ more: KeyValuePairs<String, String> = [:]) async throws -> String {
        let job = try await client.make("mkdir", ["src_siteid": "1", "src_filepath": "/d"])
        if !more.isEmpty { try await client.post(job, more) }
        return job
    }

    private func seconds<T>(_ body: () async throws -> T) async throws -> (T, Double) {
        let start = ContinuousClock.now
        let result = try await body()
        return (result, (ContinuousClock.now - start) / .seconds(1))
    }

    /// What somebody gets who waits while the job changes: soon, whoever else waits.
    private func told(
        _ client: UWSClient, _ path: String, while change: () async throws -> Void
    ) async throws -> Answer {
        let waiting = Task { try await client.get(path) }
        // One that came later has been answered.
        _ = try await client.get(String(path.prefix { $0 != "?" }))
        let start = ContinuousClock.now
        try await change()
        let answer = try await waiting.value
        #expect(ContinuousClock.now - start < .seconds(8), "it is not looked for every 15 s, but told")
        return answer
    }

    @Test func untilThePhaseEnds() async throws {
        let (person, client) = try await client()
        let job = try await make(client)
        let (pending, waited) = try await seconds { try await client.get(job + "?WAIT=1") }
        #expect(pending.element("phase") == "PENDING" && waited >= 1)
        let committed = try await told(client, job + "?WAIT=-1&PHASE=PENDING") {
            try await client.post(job + "/phase", ["PHASE": "RUN"])
        }
        #expect(committed.element("phase") == "QUEUED")
        let worker = try await ActingWorker(person.worker)
        var held: Held?
        let begun = try await told(client, job + "?wait=60&PHASE=QUEUED") { held = try await worker.takeOne() }
        #expect(begun.element("phase") == "EXECUTING")
        let ended = try await told(client, job + "?WAIT=60&phase=executing") {
            try await worker.finish(try #require(held))
        }
        #expect(ended.element("phase") == "COMPLETED")
        // Where there is nothing to wait for, or another phase is expected, it is answered at once.
        for query in ["WAIT=60", "WAIT=-1&PHASE=EXECUTING"] {
            let (answer, waited) = try await seconds { try await client.get(job + "?" + query) }
            #expect(answer.element("phase") == "COMPLETED" && waited < 20, "\(query)")
        }
        let other = try await make(client)
        let (answer, soon) = try await seconds { try await client.get(other + "?WAIT=60&PHASE=QUEUED") }
        #expect(answer.element("phase") == "PENDING" && soon < 20)
        for bad in ["WAIT=x", "WAIT=-2", "WAIT=", "WAIT=1&PHASE=x", "WAIT=1.5"] {
            #expect(try await client.get(other + "?" + bad).status == 400, "\(bad)")
        }
    }

    @Test func ofADeletedJob() async throws {
        let (_, client) = try await client()
        for more: KeyValuePairs<String, String> in [[:], ["PHASE": "RUN"]] {
            let job = try await make(client, more)
            let answer = try await told(client, job + "?WAIT=60") {
                let gone = try await client.send("DELETE", job)
                #expect(gone.status == 303)
            }
            #expect(answer.status == 404)
        }
    }

    /// What happens at another server of the database ends a wait as soon: each phase, and a removal.
    @Test func atAnotherServer() async throws {
        var settings = LiveServer.Settings()
        settings.store = try await TestDatabase.makePostgreSQL()
        let folder = try Folder()
        settings.logs = "\"\(folder.path)\""
        let servers = [try await LiveServer.start(settings), try await LiveServer.start(settings)]
        let person = try await servers[0].person()
        let worker = try await ActingWorker(person.worker)
        let (here, there) = (UWSClient(person.user), UWSClient(person.at(servers[1]).user))
        let job = try await make(here)
        let committed = try await told(there, job + "?WAIT=60&PHASE=PENDING") {
            try await here.post(job + "/phase", ["PHASE": "RUN"])
        }
        #expect(committed.element("phase") == "QUEUED")
        var held: Held?
        let begun = try await told(there, job + "?WAIT=60&PHASE=QUEUED") { held = try await worker.takeOne() }
        #expect(begun.element("phase") == "EXECUTING")
        let ended = try await told(there, job + "?WAIT=60&PHASE=EXECUTING") {
            try await worker.finish(try #require(held))
        }
        #expect(ended.element("phase") == "COMPLETED")
        for (last, waiting) in [("PENDING", there), ("QUEUED", there), ("PENDING", here)] {
            let other = waiting.server === here.server ? there : here
            let job = try await make(other, last == "QUEUED" ? ["PHASE": "RUN"] : [:])
            let answer = try await told(waiting, job + "?WAIT=60") {
                let gone = try await other.send("DELETE", job)
                #expect(gone.status == 303)
            }
            #expect(answer.status == 404, "\(last): \(answer)")
        }
        for server in servers {
            #expect(!server.log.contains("request failed"))
            await server.remove()
        }
    }

    /// Five hundred that wait: no thread for any, all of them told.
    @Test func fiveHundred() async throws {
        let (_, client) = try await client()
        let server = client.server
        let job = try await make(client)
        let threads: @Sendable () throws -> Int = {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(server.process?.pid ?? 0)/task").count
        }
        let sockets: @Sendable () throws -> Int = {
            let folder = "/proc/\(server.process?.pid ?? 0)/fd"
            return try FileManager.default.contentsOfDirectory(atPath: folder).count
        }
        let (before, memory, idle) = (try threads(), server.memory, try sockets())
        let waiting = (0..<500).map { _ in Task { try await client.get(job + "?WAIT=60&PHASE=PENDING") } }
        try await eventually("all have come", within: .seconds(60)) { try sockets() >= idle + 490 }
        let after = try threads()
        // Those of Dispatch's own come and go, 64 at most.
        #expect(after - before < 64, "\(before) threads became \(after)")
        #expect(server.memory - memory < 60 << 20, "\((server.memory - memory) >> 20) MiB")
        try await client.post(job + "/phase", ["PHASE": "RUN"])
        for task in waiting { #expect(try await task.value.element("phase") == "QUEUED") }
    }
}
