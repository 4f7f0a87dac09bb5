import HaulHTTP
import HaulModel
import Support
import Testing

/// `Idempotency-Key` on registrations.
@Suite(.server()) struct IdempotencyTests {
    private func key(_ text: String) -> HTTPHeaders { ["Idempotency-Key": text] }
    private let list: JSONValue = ["src_siteid": 1, "src_filepath": "/x"]

    /// The same key gets the first answer, also once the job has changed.
    @Test func sameKey() async throws {
        let person = try await newPerson()
        let first = try await person.user.post("/list", list, headers: key("k"))
        #expect(first.status == 200)
        let held = try await ActingWorker(person.worker).takeOne()
        try await ActingWorker(person.worker).report(held, 1, ["error_class": "not_found"])
        let second = try await person.user.post("/list", list, headers: key("k"))
        #expect(second.status == 200 && second.body == first.body, "\(first) \(second)")
        #expect(try await person.user.get("/jobs").json.array?.count == 1)
        #expect(try await person.user.post("/list", list).status == 200)
        #expect(try await person.user.post("/list", list, headers: key("K")).status == 200, "keys have a case")
        #expect(try await person.user.get("/jobs").json.array?.count == 3)
    }

    /// Another body, or another path, under a key that was used: 409, and nothing is registered.
    @Test func otherBody() async throws {
        let person = try await newPerson()
        _ = try await person.user.post("/list", list, headers: key("k"))
        let others: [(String, JSONValue)] = [
            ("/list", ["src_siteid": 1, "src_filepath": "/y"]), ("/remove", list),
            ("/jobs", ["src_siteid": 1, "src_filepath": "/x", "type": 0]), ("/jobs", [list]),
        ]
        for (path, body) in others {
            var body = body
            if path == "/jobs", body.array != nil { body = [["src_siteid": 1, "src_filepath": "/x", "type": 0]] }
            let answer = try await person.user.post(path, body, headers: key("k"))
            #expect(answer.status == 409 && answer["code"] == "idempotency_key_reused", "\(answer)")
        }
        #expect(try await person.user.get("/jobs").json.array?.count == 1)
    }

    /// What was registered under a key, and is removed since, is neither there nor registered again.
    @Test(arguments: ["/list", "/drafts"]) func ofWhatIsGone(_ path: String) async throws {
        let person = try await newPerson()
        let id = try #require(try await person.user.post(path, list, headers: key("k"))["id"]?.int)
        #expect(try await person.user.send("DELETE", "/jobs/\(id)?remove=1").status == 200)
        let again = try await person.user.post(path, list, headers: key("k"))
        #expect(again.status == 404 && again["code"] == "job_gone", "\(again)")
        #expect(try await person.user.get("/jobs").json == [])
    }

    /// Of several that came under one key, what is left would not say which of them it is.
    @Test func ofWhichSomeAreGone() async throws {
        let person = try await newPerson()
        let documents: JSONValue = .array(
            ["/a", "/b", "/c"].map { ["type": "list", "src_siteid": 1, "src_filepath": .string($0)] })
        let ids = try #require(try await person.user.post("/jobs", documents, headers: key("k")).json.array)
        #expect(try await person.user.post("/jobs", documents, headers: key("k")).json == .array(ids))
        for id in [ids[1], ids[0], ids[2]] {
            #expect(try await person.user.send("DELETE", "/jobs/\(id.int ?? 0)?remove=1").status == 200)
            let again = try await person.user.post("/jobs", documents, headers: key("k"))
            #expect(again.status == 404 && again["code"] == "job_gone", "\(again)")
        }
        #expect(try await person.user.get("/jobs").json == [])
    }

    /// A key is a user's own.
    @Test func otherUser() async throws {
        let one = try await newPerson()
        let two = try await newPerson()
        let first = try await one.user.post("/list", list, headers: key("shared"))
        let second = try await two.user.post("/list", ["src_siteid": 2, "src_filepath": "/y"], headers: key("shared"))
        #expect(first.status == 200 && second.status == 200 && first["id"] != second["id"])
    }

    /// Duplicates that arrive while the first is under way.
    @Test func concurrentDuplicates() async throws {
        let person = try await newPerson()
        let jobs = JSONValue.array((0..<200).map { ["type": 0, "src_siteid": 1, "src_filepath": .string("/\($0)")] })
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<16 { group.addTask { try await person.user.post("/jobs", jobs, headers: key("bulk")) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 200 && $0.body == answers[0].body })
        #expect(answers[0].json.array?.count == 200)
        #expect(try await person.user.get("/jobs").json.array?.count == 200)
    }

    /// Of two bodies under one key that race, one is registered and the other refused.
    @Test func race() async throws {
        let person = try await newPerson()
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for n in 0..<10 {
                let body: JSONValue = ["src_siteid": 1, "src_filepath": .string("/\(n % 2)")]
                group.addTask { try await person.user.post("/list", body, headers: key("race")).status }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.filter { $0 == 200 }.count == 5 && statuses.filter { $0 == 409 }.count == 5)
        #expect(try await person.user.get("/jobs").json.array?.count == 1)
    }

    /// A request that was refused binds its key to nothing.
    @Test func refusedFirst() async throws {
        let person = try await newPerson()
        #expect(try await person.user.post("/list", [:], headers: key("k")).status == 400)
        #expect(try await person.user.post("/list", list, headers: key("k")).status == 200)
    }

    @Test func badKeys() async throws {
        let person = try await newPerson()
        for text in ["", String(repeating: "k", count: 256), "ü"] {
            let answer = try await person.user.post("/list", list, headers: key(text))
            #expect(answer.status == 400 || (text.isEmpty && answer.status == 200), "\(answer)")
        }
        #expect(
            try await person.user.post("/list", list, headers: key(String(repeating: "k", count: 255))).status == 200)
    }
}
