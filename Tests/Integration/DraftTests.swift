import Foundation
import HaulModel
import Support
import Testing

/// Jobs that are committed later, and how long jobs live, over the native API.
@Suite(.server(), .timeLimit(.minutes(5))) struct DraftTests {
    @Test func committedLater() async throws {
        let person = try await newPerson()
        let made = try await person.user.post(
            "/drafts",
            ["type": "mkdir", "src_siteid": 1, "label": "l", "execution_duration": 60, "anything": [1, "x"]])
        let id = try #require(made["id"]?.int)
        #expect(made.status == 200 && made["status"] == "NEW" && made["num_elements"] == 0 && made["label"] == "l")
        #expect(made["execution_duration"] == 60)
        let given: JSONValue = ["type": "mkdir", "src_siteid": 1, "anything": [1, "x"]]
        #expect(try await person.user.get("/jobs/\(id)/parameters").json == given)
        let changed = try await person.user.send(
            "PATCH", "/jobs/\(id)/parameters", Array(#"{"src_filepath": "/d", "anything": null}"#.utf8))
        #expect(changed.json == ["type": "mkdir", "src_siteid": 1, "src_filepath": "/d"])
        #expect(try await person.user.get("/jobs?status=NEW")[0]?["id"] == .int(id))
        let refused = try await person.user.send("PATCH", "/jobs/\(id)", Array(#"{"priority": 1}"#.utf8))
        #expect(refused.status == 409 && refused["code"] == "job_uncommitted")
        let committed = try await person.user.post("/jobs/\(id)/commit", [:])
        #expect(committed["status"] == "SUBMITTED" && committed["src_filepath"] == "/d")
        for (method, path) in [("POST", "commit"), ("PATCH", "parameters")] {
            let late = try await person.user.send(method, "/jobs/\(id)/\(path)", Array("{}".utf8))
            #expect(late.status == 409 && late["code"] == "job_committed")
        }
        let worker = try await ActingWorker(person.worker)
        try await worker.finish(try await worker.takeOne())
        let done = try await person.user.get("/jobs/\(id)")
        #expect(done["status"] == "DONE" && done["started"]?.string != nil && done["ended"]?.string != nil)
    }

    /// It runs as its owner: an operator, for whom every site is open, has no say in what it does.
    @Test func ofSomebodyElse() async throws {
        let person = try await newPerson()
        let boss = try await LiveServer.ofSuite.caller(user: "chief", role: "operator")
        let made = try await person.user.post("/drafts", ["type": "mkdir", "src_siteid": 1, "src_filepath": "/d"])
        let id = try #require(made["id"]?.int)
        for (method, path) in [("POST", "commit"), ("PATCH", "parameters")] {
            let refused = try await boss.send(method, "/jobs/\(id)/\(path)", Array(#"{"src_filepath": "/e"}"#.utf8))
            #expect(refused.status == 403 && refused["code"] == "not_owner", "\(refused)")
        }
        #expect(try await person.user.get("/jobs/\(id)/parameters")["src_filepath"] == "/d")
        #expect(try await boss.send("DELETE", "/jobs/\(id)").status == 200)
    }

    /// Null takes away what is the job's own, too.
    @Test func takenAway() async throws {
        let person = try await newPerson()
        let made = try await person.user.post(
            "/drafts", ["type": "mkdir", "label": "l", "destruction": "2090-01-01", "execution_duration": 7])
        let id = try #require(made["id"]?.int)
        #expect(made["label"] == "l" && made["destruction"] != nil && made["execution_duration"] == 7)
        for name in ["label", "destruction", "execution_duration"] {
            _ = try await person.user.send("PATCH", "/jobs/\(id)/parameters", Array(#"{"\#(name)": null}"#.utf8))
            #expect(try await person.user.get("/jobs/\(id)")[name] == nil, "\(name)")
        }
    }

    @Test func refused() async throws {
        let person = try await newPerson()
        let made = try await person.user.post("/drafts", ["type": "copy", "src_siteid": "nowhere"])
        let id = try #require(made["id"]?.int)
        #expect(try await person.user.post("/jobs/\(id)/commit", [:])["status"] == "FAILED")
        let elements = try await person.user.get("/jobs/\(id)/elements")
        #expect(elements[0]?["status"] == "FAILED" && elements[0]?["reason"]?.string?.contains("src_siteid") == true)
        #expect(try await person.user.post("/jobs/\(id)/retry", [:])["code"] == "job_never_ran")
        #expect(try await person.user.get("/jobs/\(id)/output").text == "[]")
    }

    /// Removed at once, whatever it was doing; its worker is told to stop.
    @Test func removed() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/d")
        let held = try await worker.takeOne()
        #expect(try await person.user.send("DELETE", "/jobs/\(id)?remove=x").status == 400)
        let other = try await newPerson()
        #expect(try await other.user.send("DELETE", "/jobs/\(id)?remove=1").status == 404)
        let reader = StreamReader()
        let watching = reader.follow("/jobs/\(id)/events", person.user)
        try await eventually("it is watched") { reader.events.count == 1 }
        #expect(try await person.user.send("DELETE", "/jobs/\(id)?remove=1").status == 200)
        try await watching.value
        for path in ["/jobs/\(id)", "/jobs/\(id)/output", "/jobs/\(id)/parameters"] {
            #expect(try await person.user.get(path).status == 404, "\(path)")
        }
        #expect(try await person.user.get("/jobs").json == [])
        let beat = try await person.worker.post(
            "/worker/heartbeat", ["session": .int(try #require(worker.session)), "holding": [.string(held.name)]])
        #expect(beat["stop"] == [.string(held.name)], "\(beat)")
        #expect(try await worker.report(held, 1).status == 200)
    }

    /// The time of destruction holds over a restart.
    @Test func destructionOverARestart() async throws {
        let server = try await LiveServer.start()
        let person = try await server.person()
        let time = Timestamp(milliseconds: Int(Date().timeIntervalSince1970 * 1000) + 2000)
        let id = try await person.register(
            "mkdir", ["src_siteid": 1, "src_filepath": "/d", "destruction": .string(time.text)])
        #expect(try await person.user.get("/jobs/\(id)")["destruction"] == .string(time.text))
        await server.kill()
        try await server.start()
        try await eventually("it is gone") { try await person.user.get("/jobs/\(id)").status == 404 }
        await server.remove()
    }
}
