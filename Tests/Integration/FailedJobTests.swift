import HaulModel
import Support
import Testing

/// A job that failed tells one and the same reason at every face, whichever of its elements it is of.
@Suite(.server()) struct FailedJobTests {
    /// What the faces say of an ended job.
    private struct Said: Equatable {
        var uws: String
        var qdo: String?
        var qdoCode: Int?
        var clockwork: String?
        var clockworkCode: String?
    }

    private func said(_ id: Int, _ type: String, _ person: Person) async throws -> Said {
        let task = try await QdoClient(person).get("default/tasks/\(id)")
        let clockwork = FaceClient(person.user, ClockworkRoutes.roots[0])
        let job = try await clockwork.get("/jobs/one?job_id=\(id)")["slurm"]
        let said = Said(
            uws: try await UWSClient(person.user).get("/\(type)/\(id)/error").text, qdo: task["message"]?.string,
            qdoCode: task["exitcode"]?.int, clockwork: job?["job_state"]?.string,
            clockworkCode: job?["exit_code"]?.string)
        // Lists find it by what it shows.
        let found = try await clockwork.get("/jobs/list?job_state=\(said.clockwork ?? "")")
        #expect(found.json.array?.compactMap { $0["slurm"]?["job_id"]?.string } == ["\(id)"], "\(found)")
        for code in [said.qdoCode ?? -1, 0, 99] {
            let tasks = try await QdoClient(person).get("default/tasks/?exitcode=\(code)")
            let expected: [String] = code == said.qdoCode ? ["\(id)"] : []
            #expect(tasks.json.array?.compactMap { $0["id"]?.string } == expected, "\(code): \(tasks)")
        }
        return said
    }

    /// So many elements, which may not be there all at once.
    private func take(_ count: Int, _ worker: ActingWorker) async throws -> [Held] {
        var held: [Held] = []
        while held.count < count { held.append(try await worker.takeOne()) }
        return held
    }

    /// Directories that are not empty then fail after the file for which they do.
    @Test func removal() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.remove("/t", ["max_tries": 1])
        try await worker.finish(
            try await worker.takeOne(),
            ["listing": ["/t": [entry("a", isDirectory: true)], "/t/a": [entry("bad"), entry("good")]]])
        for held in try await take(2, worker) {
            if held.source.hasSuffix("good") {
                try await worker.finish(held)
            } else {
                try await worker.report(held, 7, ["error_class": "lost", "reason": "gone", "log": "its log\n"])
            }
        }
        try await person.await(id, "FAILED")
        #expect(
            try await said(id, "remove", person)
                == Said(
                    uws: "its log\n", qdo: "gone", qdoCode: 7, clockwork: "NODE_FAIL", clockworkCode: "7:0"))
    }

    /// The last that failed, not the one that stands last; what is tried again counts anew.
    @Test func theLastInTime() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.copy("/t", "/u", ["max_tries": 1])
        try await worker.finish(
            try await worker.takeOne(), ["listing": ["/t": [entry("a"), entry("b")]]])
        func fail(_ name: String, among held: [Held], _ code: Int, _ errorClass: String) async throws {
            let one = try #require(held.first { $0.source.hasSuffix(name) })
            try await worker.report(
                one, code,
                ["error_class": .string(errorClass), "reason": .string("\(name) failed"), "log": .string(name)])
        }
        var held = try await take(2, worker)
        try await fail("b", among: held, 3, "permission")
        try await fail("a", among: held, 4, "lost")
        try await person.await(id, "FAILED")
        #expect(
            try await said(id, "copy", person)
                == Said(
                    uws: "a", qdo: "a failed", qdoCode: 4, clockwork: "NODE_FAIL", clockworkCode: "4:0"))
        #expect(try await person.user.post("/jobs/\(id)/retry", [:]).status == 200)
        held = try await take(2, worker)
        try await worker.finish(try #require(held.first { $0.source.hasSuffix("a") }))
        try await fail("b", among: held, 5, "permission")
        try await person.await(id, "FAILED")
        #expect(
            try await said(id, "copy", person)
                == Said(uws: "b", qdo: "b failed", qdoCode: 5, clockwork: "FAILED", clockworkCode: "5:0"))
    }

    /// The deadline passes between two tries, and while a worker has it, which says what it was told: it is the deadline that
    /// ended the job, not what failed before.
    @Test(arguments: [true, false]) func deadline(isRunning: Bool) async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.register("mkdir", ["src_siteid": 1, "src_filepath": "/d", "max_tries": 3])
        let held = try await worker.takeOne()
        if !isRunning { try await worker.report(held, 9, ["error_class": "busy", "reason": "earlier"]) }
        let change = Array(#"{"deadline": "2020-01-01T00:00:00Z"}"#.utf8)
        #expect(try await person.user.send("PATCH", "/jobs/\(id)", change).status == 200)
        if isRunning {
            try await eventually("the worker is told to stop") {
                let answer = try await worker.caller.post(
                    "/worker/heartbeat",
                    ["session": .int(try #require(worker.session)), "holding": [.string(held.name)]])
                return answer["stop"]?.array?.isEmpty == false
            }
            try await worker.report(held, 143, ["error_class": "interrupted", "reason": "cancelled by its user"])
        }
        try await person.await(id, "FAILED")
        let found = try await said(id, "mkdir", person)
        #expect(found.clockwork == "TIMEOUT" && found.clockworkCode == "1:0" && found.qdoCode == 1, "\(found)")
        #expect(found.qdo == "the job's deadline passed", "\(found)")
    }

    /// Cancelled between two tries: what failed before is not why.
    @Test func cancelled() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.register("mkdir", ["src_siteid": 1, "src_filepath": "/d", "max_tries": 3])
        try await worker.report(try await worker.takeOne(), 9, ["error_class": "busy", "reason": "earlier"])
        #expect(try await person.user.send("DELETE", "/jobs/\(id)").status == 200)
        try await person.await(id, "CANCELLED")
        let found = try await said(id, "mkdir", person)
        #expect(found.qdo == "it was cancelled" && found.qdoCode == 1, "\(found)")
        #expect(found.clockwork == "CANCELLED" && found.clockworkCode == "0:0", "\(found)")
    }

    /// A worker that says all went well, with a listing that says nothing: no exit code of 0.
    @Test func aListingThatIsNone() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/x", ["max_tries": 1])
        let held = try await worker.takeOne()
        let sent = try await worker.caller.with(held.token).send(
            "POST", held.path + "/listing?offset=0", Array("no listing".utf8))
        #expect(sent.status == 200, "\(sent)")
        try await worker.report(held, 0)
        try await person.await(id, "FAILED")
        let found = try await said(id, "list", person)
        #expect(found.clockwork == "FAILED" && found.clockworkCode == "1:0" && found.qdoCode == 1, "\(found)")
        #expect(found.qdo?.contains("line 1 of the listing") == true, "\(found)")
    }
}
