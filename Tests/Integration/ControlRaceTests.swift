import HaulHTTP
import HaulModel
import Support
import Testing

/// Cancel, retry and change while others do the same, or workers are at the very elements.
@Suite(.server { $0.leaseSeconds = 600 }, .timeLimit(.minutes(4))) struct ControlRaceTests {
    /// The same request many times at once.
    private func parallel(
        _ count: Int = 20, _ send: @escaping @Sendable () async throws -> Answer
    ) async throws -> [Answer] {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<count { group.addTask { try await send() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// What the database holds of a user's jobs beside their answers: nothing waits anywhere.
    private func expectNothingWaits(_ person: Person) throws {
        let database = try OutsideDatabase(try LiveServer.ofSuite)
        let user = "(SELECT id FROM users WHERE name = '\(person.name)')"
        #expect(try database.number("SELECT COALESCE(SUM(ready), 0) FROM lanes WHERE user_id = \(user)") == 0)
        let open = "SELECT COALESCE(SUM(n_open + n_ready + n_submitted + n_running + n_new), 0) FROM jobs"
        #expect(try database.number("\(open) WHERE user_id = \(user)") == 0)
        let live = """
            SELECT COUNT(*) FROM attempts a JOIN jobs j ON j.id = a.job_id WHERE a.ended IS NULL AND j.user_id = \(user)
            """
        #expect(try database.number(live) == 0)
    }

    /// Twenty retries under one key are one: the same answer to all, and one more attempt.
    @Test func retriesUnderOneKey() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        for round in 1...5 {
            let id = try await person.register(
                "mkdir", ["src_siteid": 1, "src_filepath": .string("/\(round)"), "max_tries": 1])
            try await worker.report(try await worker.takeOne(), 1, ["error_class": "connect"])
            #expect(try await person.status(id) == "FAILED")
            let answers = try await parallel {
                try await person.user.post("/jobs/\(id)/retry", [:], headers: ["Idempotency-Key": "r\(round)"])
            }
            #expect(answers.allSatisfy { $0.status == 200 && $0.body == answers[0].body }, "\(answers)")
            // Between its tries an element is FAILED.
            #expect(answers[0]["status"] == "SUBMITTED" && answers[0]["num_failed"] == 1, "\(answers[0])")
            let held = try await worker.takeOne()
            #expect(held.attempt == 2 && held.jobID == id)
            #expect(try await worker.take().isEmpty, "handed out twice")
            // One try more, not twenty: it is the last.
            try await worker.report(held, 1, ["error_class": "connect"])
            #expect(try await person.status(id) == "FAILED")
            let element = try await person.user.get("/jobs/\(id)/elements/0")
            #expect(element["attempts"] == 2 && element["max_tries"] == 2, "\(element)")
        }
        // The key of one job's retry is no key for another's.
        let other = try await person.register("mkdir", ["src_siteid": 1, "src_filepath": "/other", "max_tries": 1])
        try await worker.report(try await worker.takeOne(), 1, ["error_class": "connect"])
        let foreign = try await person.user.post("/jobs/\(other)/retry", [:], headers: ["Idempotency-Key": "r1"])
        #expect(foreign.status == 409 && foreign["code"] == "idempotency_key_reused", "\(foreign)")
        #expect(try await person.status(other) == "FAILED")
        try expectNothingWaits(person)
    }

    /// Of twenty retries without a key one is a retry; the others come while it is one, or find nothing that failed.
    @Test func retriesWithoutAKey() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.register("mkdir", ["src_siteid": 1, "src_filepath": "/a", "max_tries": 1])
        try await worker.report(try await worker.takeOne(), 1, ["error_class": "connect"])
        let answers = try await parallel { try await person.user.post("/jobs/\(id)/retry", [:]) }
        #expect(answers.contains { $0.status == 200 }, "\(answers)")
        #expect(
            answers.allSatisfy { $0.status == 200 || ($0.status == 409 && $0["code"] == "nothing_failed") },
            "\(answers)")
        try await worker.report(try await worker.takeOne(), 1, ["error_class": "connect"])
        // One try more, and with it the last.
        let element = try await person.user.get("/jobs/\(id)/elements/0")
        #expect(element["status"] == "FAILED" && element["attempts"] == 2 && element["max_tries"] == 2, "\(element)")
        #expect(try await person.status(id) == "FAILED")
        try expectNothingWaits(person)
    }

    /// Twenty cancels of a job that waits are answered alike.
    @Test func cancels() async throws {
        let person = try await newPerson()
        let waiting = try await person.mkdir("/a")
        let answers = try await parallel { try await person.user.send("DELETE", "/jobs/\(waiting)") }
        #expect(answers.allSatisfy { $0.status == 200 && $0.body == answers[0].body }, "\(answers)")
        #expect(answers[0]["status"] == "CANCELLED" && answers[0]["num_cancelled"] == 1, "\(answers[0])")
        // And of one that runs: all are told to wait, and it ends once.
        let worker = try await ActingWorker(person.worker)
        let running = try await person.mkdir("/b")
        let held = try await worker.takeOne()
        let asked = try await parallel { try await person.user.send("DELETE", "/jobs/\(running)") }
        #expect(asked.allSatisfy { $0.status == 202 && $0["num_submitted"] == 1 }, "\(asked)")
        try await worker.report(held, 1, ["error_class": "interrupted"])
        #expect(try await person.user.get("/jobs/\(running)")["num_cancelled"] == 1)
        try expectNothingWaits(person)
    }

    /// A cancel against the report of the last element: what was done is DONE whoever came first, what failed is FAILED
    /// where the report did and else CANCELLED, what was stopped is CANCELLED; the counts say the same.
    @Test func cancelAgainstReport() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let count = 200
        let jobs = JSONValue.array(
            (0..<count).map { ["type": 4, "src_siteid": 1, "src_filepath": .string("/\($0)")] })
        _ = try await person.user.post("/jobs", jobs)
        let held = try await worker.take(count)
        try #require(held.count == count)
        for (number, held) in held.enumerated() {
            let path = "/jobs/\(held.jobID)"
            let outcome = [nil, "permission", "interrupted"][number % 3]
            @Sendable func report() async throws -> Answer {
                try await worker.report(
                    held, outcome == nil ? 0 : 1, outcome.map { ["error_class": .string($0)] } ?? [:])
            }
            // A report goes to the logs' disk first: a few requests before the cancel let either come first.
            @Sendable func cancel() async throws -> Answer {
                for _ in 0..<number % 7 { _ = try await person.user.get(path) }
                return try await person.user.send("DELETE", path)
            }
            let (cancelled, reported): (Answer, Answer)
            if number % 2 == 0 {
                async let first = cancel()
                async let second = report()
                (cancelled, reported) = try await (first, second)
            } else {
                async let first = report()
                async let second = cancel()
                (reported, cancelled) = try await (first, second)
            }
            #expect(reported.status == 200, "its lease is alive in any case: \(reported)")
            let wanted: String?
            switch (cancelled.status, outcome) {
            case (202, nil), (409, nil): wanted = "DONE"
            case (409, "permission"): wanted = "FAILED"
            case (202, "permission"), (202, "interrupted"), (200, "interrupted"): wanted = "CANCELLED"
            default: wanted = nil
            }
            let status = try #require(wanted, "\(cancelled)")
            let job = try await person.user.get(path)
            #expect(job["status"]?.string == status && job["num_elements"] == 1, "\(job)")
            for name in ["NEW", "SUBMITTED", "RUNNING", "DONE", "FAILED", "CANCELLED"] {
                #expect(job["num_\(name.lowercased())"] == (name == status ? 1 : 0), "\(name) \(job)")
            }
            let element = try await person.user.get(path + "/elements/0")
            #expect(element["status"]?.string == status && element["attempts"] == 1, "\(element)")
            #expect(try await person.user.get(path + "/output")[0]?["log"] == "done\n")
        }
        try expectNothingWaits(person)
    }

    /// A cancel against a claim: 202 where it was handed out before, 200 where it never will be; it ends CANCELLED once.
    @Test func cancelAgainstClaim() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        for round in 0..<60 {
            let id = try await person.mkdir("/\(round)")
            async let cancelled = person.user.send("DELETE", "/jobs/\(id)")
            async let taken = worker.take(1)
            let (cancel, held) = try await (cancelled, taken)
            #expect(cancel.status == (held.isEmpty ? 200 : 202), "\(cancel)")
            if let held = held.first {
                try await worker.report(held, 1, ["error_class": "interrupted"])
            }
            let job = try await person.user.get("/jobs/\(id)")
            #expect(job["status"] == "CANCELLED" && job["num_cancelled"] == 1, "\(job)")
            #expect(try await worker.take(1).isEmpty)
        }
        try expectNothingWaits(person)
    }

    /// Elements of one job are cancelled while they are reported: the counts add up to the elements.
    @Test func elementsAgainstReports() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.copy("/s", "/d")
        let count = 120
        let listing: JSONValue = ["/s": .array((0..<count).map { entry("f\($0)") })]
        try await worker.finish(try await worker.takeOne(), ["listing": listing])
        try await eventually("all are there") {
            try await person.user.get("/jobs/\(id)")["num_elements"]?.int == count + 1
        }
        let held = try await worker.take(count / 2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for held in held {
                group.addTask {
                    let answer = try await worker.report(held)
                    #expect(answer.status == 200, "\(answer)")
                }
            }
            for number in 1...count {
                group.addTask {
                    let answer = try await person.user.send("DELETE", "/jobs/\(id)/elements/\(number)")
                    #expect([200, 202, 409].contains(answer.status), "\(answer)")
                }
            }
            try await group.waitForAll()
        }
        let job = try await person.user.get("/jobs/\(id)")
        #expect(job["status"] == "CANCELLED", "\(job)")
        let done = job["num_done"]?.int ?? 0
        #expect(done + (job["num_cancelled"]?.int ?? 0) == count + 1, "\(job)")
        let elements = try await person.user.get("/jobs/\(id)/elements?listing=none").json.array ?? []
        #expect(elements.filter { $0["status"] == "DONE" }.count == done)
        #expect(elements.filter { $0["status"] == "CANCELLED" }.count == count + 1 - done)
        try expectNothingWaits(person)
    }

    /// Jobs that move between queues and priorities while they are claimed: each is handed out once, none is lost.
    @Test func changesAgainstClaims() async throws {
        let person = try await newPerson()
        let count = 300
        let jobs = JSONValue.array(
            (0..<count).map {
                ["type": 4, "src_siteid": .int(1 + $0 % 2), "src_filepath": .string("/\($0)"), "queue": "start"]
            })
        let ids = try await person.user.post("/jobs", jobs).json.array?.compactMap(\.int) ?? []
        try #require(ids.count == count)
        var workers: [ActingWorker] = []
        for _ in 0..<4 { workers.append(try await ActingWorker(person.worker)) }
        let given = try await withThrowingTaskGroup(of: [String].self) { group in
            for worker in workers {
                group.addTask {
                    var names: [String] = []
                    while true {
                        let held = try await worker.take(3)
                        if held.isEmpty, try await person.user.get("/jobs?status=SUBMITTED&limit=1").text == "[]" {
                            return names
                        }
                        for held in held {
                            names.append(held.name)
                            try await worker.finish(held)
                        }
                    }
                }
            }
            for turn in 0..<3 {
                group.addTask {
                    for id in turn == 1 ? ids.reversed() : ids {
                        let change: JSONValue = [
                            "queue": .string("q\((id + turn) % 5)"), "priority": .int((id * 7 + turn) % 10),
                        ]
                        let answer = try await person.user.send("PATCH", "/jobs/\(id)", Array(change.text.utf8))
                        #expect(answer.status == 200 || (answer.status == 409 && answer["code"] == "job_ended"))
                    }
                    return []
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(given.count == count && Set(given) == Set(ids.map { "\($0).0.1" }), "twice or never")
        let ended = try await person.user.get("/jobs?status=DONE").json.array ?? []
        #expect(ended.compactMap { $0["id"]?.int } == ids)
        try expectNothingWaits(person)
    }
}
