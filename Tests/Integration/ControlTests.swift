import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// Cancel, retry and change over the wire, with each of their answers.
@Suite(.server()) struct ControlTests {
    /// DELETE of a job: 202 while some of it runs, 200 once it is CANCELLED; 409 for one that is done.
    @Test func cancel() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/a")
        let held = try await worker.takeOne()
        let first = try await person.user.send("DELETE", "/jobs/\(id)")
        #expect(first.status == 202 && first["status"] == "SUBMITTED" && first["num_submitted"] == 1, "\(first)")
        let beat = try await person.worker.post(
            "/worker/heartbeat",
            ["session": .int(try #require(worker.session)), "holding": [.string(held.name)]])
        #expect(beat["stop"] == [.string(held.name)] && beat["unknown"] == [])
        try await worker.report(held, 1, ["error_class": "interrupted"])
        let second = try await person.user.send("DELETE", "/jobs/\(id)")
        #expect(second.status == 200 && second["status"] == "CANCELLED" && second["num_cancelled"] == 1)
        let waiting = try await person.mkdir("/b")
        #expect(try await person.user.send("DELETE", "/jobs/\(waiting)").status == 200)
        let done = try await person.mkdir("/c")
        try await worker.finish(try await worker.takeOne())
        let late = try await person.user.send("DELETE", "/jobs/\(done)")
        #expect(late.status == 409 && late["code"] == "job_ended" && late["hint"] != nil, "\(late)")
    }

    @Test func cancelOfAnElement() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/a")
        let held = try await worker.takeOne()
        let path = "/jobs/\(id)/elements/0"
        let first = try await person.user.send("DELETE", path)
        #expect(first.status == 202 && first["status"] == "SUBMITTED", "\(first)")
        try await worker.report(held, 1, ["error_class": "interrupted"])
        let second = try await person.user.send("DELETE", path)
        #expect(second.status == 200 && second["status"] == "CANCELLED", "\(second)")
        #expect(try await person.status(id) == "CANCELLED")
        #expect(try await person.user.send("DELETE", "/jobs/\(id)/elements/9").status == 404)
    }

    /// POST .../retry: the failed ones wait again, once for a key; 409 where there is nothing to try.
    @Test func retry() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/a")
        #expect(try await person.user.post("/jobs/\(id)/retry", [:]).status == 409)
        try await worker.report(try await worker.takeOne(), 1, ["error_class": "permission"])
        #expect(try await person.status(id) == "FAILED")
        for _ in 0..<2 {
            let again = try await person.user.post("/jobs/\(id)/retry", [:], headers: ["Idempotency-Key": "k"])
            #expect(again.status == 200 && again["status"] == "SUBMITTED", "\(again)")
        }
        let second = try await worker.takeOne()
        #expect(second.attempt == 2)
        try await worker.report(second, 1, ["error_class": "permission"])
        let repeated = try await person.user.post("/jobs/\(id)/retry", [:], headers: ["Idempotency-Key": "k"])
        #expect(repeated.status == 200 && repeated["status"] == "FAILED", "the key has had its answer")
        #expect(try await person.user.post("/jobs/\(id)/retry", [:]).status == 200)
        try await worker.finish(try await worker.takeOne())
        #expect(try await person.status(id) == "DONE")
        let output = try await person.user.get("/jobs/\(id)/output?attempts=all")
        #expect(output[0]?.array?.count == 3, "logs of all attempts stay: \(output)")
    }

    /// PATCH: each field, each wrong one, and of an ended job only the label.
    @Test func change() async throws {
        let person = try await newPerson()
        let id = try await person.mkdir("/a")
        let path = "/jobs/\(id)"
        func patch(_ document: JSONValue) async throws -> Answer {
            try await person.user.send("PATCH", path, Array(document.text.utf8))
        }
        let changed = try await patch([
            "priority": 1, "queue": "q", "label": "l", "deadline": "2099-01-01T00:00:00Z", "id": 7,
        ])
        #expect(changed.status == 200 && changed["priority"] == 1 && changed["queue"] == "q", "\(changed)")
        #expect(changed["label"] == "l" && changed["deadline"] == "2099-01-01T00:00:00.000Z")
        #expect(changed["id"] == .int(id))
        let taken = try await patch(["label": .null, "deadline": .null])
        #expect(taken.status == 200 && !taken.json.keys.contains("label") && !taken.json.keys.contains("deadline"))
        let wrong = try await patch(["priority": 10, "queue": "", "label": 5, "deadline": "soon"])
        #expect(wrong.status == 400 && wrong["fields"]?.keys == ["priority", "queue", "label", "deadline"])
        #expect(try await patch([]).status == 400)
        // What can't be changed is not passed over in silence, but for what any request may repeat.
        let unknown = try await patch(["max_tries": 11, "labl": "x", "priority": .null, "id": 7])
        #expect(unknown.status == 400 && unknown["fields"]?.keys == ["max_tries", "labl", "priority"], "\(unknown)")
        for nothing: JSONValue in [[:], ["id": 7, "status": "DONE"]] {
            let answer = try await patch(nothing)
            #expect(answer.status == 400 && answer["fields"]?.keys == ["priority"], "\(answer)")
        }
        #expect(try await patch(["deadline": "2099-01-01T12:30Z"])["deadline"] == "2099-01-01T12:30:00.000Z")
        _ = try await person.user.send("DELETE", path)
        let late = try await patch(["priority": 2])
        #expect(late.status == 409 && late["code"] == "job_ended")
        #expect(late["hint"]?.string?.contains("haul retry \(id)") == true, "\(late)")
        #expect(try await patch(["label": "kept"])["label"] == "kept")
    }

    /// Registration takes a deadline, and says what is wrong with one.
    @Test func deadline() async throws {
        let person = try await newPerson()
        func register(_ more: [String: JSONValue]) async throws -> Answer {
            let base: [String: JSONValue] = ["src_siteid": 12, "src_filepath": "/x"]
            return try await person.user.post("/mkdir", .object(base.merging(more) { $1 }))
        }
        let over = try await register(["deadline": "2020-01-01T00:00:00Z"])
        #expect(over.status == 200)
        let id = try #require(over["id"]?.int)
        try await eventually("it fails") { try await person.user.get("/jobs/\(id)")["status"] == "FAILED" }
        #expect(try await person.user.get("/jobs/\(id)/elements/0")["error_class"] == "deadline")
        let wrong = try await register(["deadline": 5, "max_queue_time": 0])
        #expect(wrong.status == 400 && wrong["fields"]?.keys == ["deadline", "max_queue_time"], "\(wrong)")
        #expect(try await register(["max_queue_time": 3600])["deadline"]?.string?.hasSuffix("Z") == true)
    }

    /// Someone else's job is none; a worker's token does nothing here.
    @Test func others() async throws {
        let (person, other) = (try await newPerson(), try await newPerson())
        let id = try await person.mkdir("/a")
        let requests = [
            ("DELETE", "/jobs/\(id)"), ("DELETE", "/jobs/\(id)/elements/0"), ("POST", "/jobs/\(id)/retry"),
            ("PATCH", "/jobs/\(id)"),
        ]
        for (method, path) in requests {
            let body: [UInt8] = method == "PATCH" ? Array("{}".utf8) : []
            #expect(try await other.user.send(method, path, body).status == 404, "\(method) \(path)")
            #expect(try await person.worker.send(method, path, body).status == 403, "\(method) \(path)")
            #expect(try await person.user.with(nil).send(method, path, body).status == 401, "\(method) \(path)")
        }
        #expect(try await person.status(id) == "SUBMITTED")
    }
}
