import HaulModel
import Support
import Testing

/// Why a job waits, over the wire.
@Suite(
    .server {
        // Long enough to be seen.
        $0.retryBase = 60
        $0.retryMaximum = 60
    }) struct ExplainTests
{
    @Test func routes() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        _ = try await person.user.send("PATCH", "/queues/default", Array(#"{"paused": true}"#.utf8))
        let id = try await person.mkdir("/a")
        for path in ["/jobs/\(id)/explain", "/jobs/\(id)/elements/0/explain"] {
            let found = try await person.user.get(path)
            #expect(found.status == 200 && found["blockers"]?.array?.count == 1, "\(found)")
            #expect(found["blockers"]?[0]?["code"] == "queue_paused" && found["blockers"]?[0]?["detail"] != nil)
            #expect(try await newPerson().user.get(path).status == 404)
            #expect(try await person.worker.get(path).status == 403)
        }
        _ = try await person.user.send("PATCH", "/queues/default", Array(#"{"paused": false}"#.utf8))
        try await worker.report(try await worker.takeOne(), 1, ["error_class": "busy", "reason": "no slot"])
        let waits = try await person.user.get("/jobs/\(id)/elements/0/explain")
        #expect(waits["blockers"]?.array?.count == 1, "\(waits)")
        let blocker = waits["blockers"]?[0]
        #expect(blocker?["code"] == "backoff" && blocker?["until"]?.string != nil, "\(waits)")
        #expect(blocker?["detail"] == "Element 0 is tried again after busy: no slot (1 of 2 tries).", "\(waits)")
        #expect(try await person.user.get("/jobs/\(id)/elements/7/explain").status == 404)
        #expect(try await person.user.get("/jobs/999999/explain").status == 404)
    }

    /// Workers whose tokens keep the job from them, and one that registers nowhere.
    @Test func workersByTheirTokens() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let id = try await person.mkdir("/b")
        let token = try await server.caller(
            user: person.name + "-night", role: "worker", "--users", person.name, "--queues", "night")
        let worker = try await ActingWorker(token)
        #expect(try await worker.take().isEmpty)
        let kept = try await person.user.get("/jobs/\(id)/explain")
        #expect(kept["blockers"]?[0]?["code"] == "no_worker_for_queue", "\(kept)")
        #expect(try await ActingWorker(sessionless: person.worker).take(1).map(\.jobID) == [id])
        let next = try await person.mkdir("/c")
        let waits = try await person.user.get("/jobs/\(next)/explain")
        #expect(waits["blockers"]?.array?.compactMap { $0["code"]?.string } == ["waits_for_turn"], "\(waits)")
    }
}
