import HaulModel
import Support
import Testing

/// Why a job waits, over the wire.
@Suite(.server()) struct ExplainTests {
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
        let blocker = waits["blockers"]?[0]
        // The pause between tries is short here: it may be over.
        #expect([.string("backoff"), .string("waits_for_turn")].contains(blocker?["code"] ?? .null), "\(waits)")
        #expect(try await person.user.get("/jobs/\(id)/elements/7/explain").status == 404)
        #expect(try await person.user.get("/jobs/999999/explain").status == 404)
    }
}
