import HaulHTTP
import HaulModel
import Support
import Testing

/// The 500 of each route: a fault is put into the database while the server runs, and taken out again.
@Suite(.server(), .serialized, .timeLimit(.minutes(10))) struct DatabaseFaultTests {
    /// What a fault says of itself; no client may read it.
    private static let cause = "planted-fault"

    private static let registrations: [(path: String, body: [String: JSONValue])] = [
        ("/jobs", ["src_siteid": 12, "src_filepath": "somefile", "type": "0"]),
        ("/list", ["src_siteid": 12, "src_filepath": "somefile"]),
        (
            "/copy",
            ["src_siteid": 12, "dst_siteid": 14, "src_filepath": "somefile", "dst_filepath": "someotherfile"]
        ),
        ("/remove", ["src_siteid": 12, "src_filepath": "somefile"]),
        ("/rename", ["src_siteid": 12, "src_filepath": "somefile", "dst_filepath": "someotherfile"]),
        ("/mkdir", ["src_siteid": 12, "src_filepath": "~/somedir"]),
    ]

    /// A 500 in the form of all errors, with nothing of the inside in it and its cause in the server's log.
    private func expectFault(
        _ answer: Answer, _ server: LiveServer, log before: Int, _ method: String, _ path: String, cause: String
    ) {
        #expect(answer.status == 500 && answer["status"] == 500, "\(method) \(path) \(answer)")
        #expect(answer.headers["Content-Type"] == "application/problem+json")
        #expect(answer["code"] == "fault", "\(answer)")
        for key in ["title", "detail", "hint"] { #expect(answer[key]?.string?.isEmpty == false, "\(key) \(answer)") }
        let text = answer.text.lowercased()
        for word in [
            Self.cause, "select", "insert", "update", "sql", "table", "constraint", "trigger", "haul.", "/state",
            server.folder.lowercased(), "swift", "error(",
        ] {
            #expect(!text.contains(word), "\(word) in \(answer)")
        }
        let line = "\(method) /workqueue/api/v1.0\(path.prefix { $0 != "?" }): "
        let lines = String(server.log.dropFirst(before)).split(separator: "\n")
        #expect(lines.contains { $0.contains(line) && $0.contains(cause) }, "\(line) \(lines)")
    }

    /// Every way to register, for a fault in each of the tables that it writes: nothing is half there, neither under an
    /// idempotency key, and all is well afterwards.
    @Test(arguments: ["jobs", "elements", "queues", "idempotency_keys"], ["ABORT", "ROLLBACK"])
    func registration(table: String, action: String) async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let database = try OutsideDatabase(server)
        try database.run(
            """
            CREATE TRIGGER planted BEFORE INSERT ON \(table)
            BEGIN SELECT RAISE(\(action), '\(Self.cause)'); END
            """)
        let before = try database.registered()
        let forms = Self.registrations + [("/jobs", ["bulk": true])]
        func send(_ number: Int) async throws -> Answer {
            var body = forms[number].body
            // A queue that is new, so that each registration has a row to add to every table.
            if body["bulk"] == nil { body["queue"] = .string("q\(number)") }
            let document: JSONValue =
                body["bulk"] == nil
                ? .object(body)
                : .array(
                    (0..<60).map {
                        [
                            "src_siteid": 12, "src_filepath": .string("/\($0)"), "type": 0,
                            "queue": .string("b\($0 % 3)"),
                        ]
                    })
            return try await person.user.post(
                forms[number].path, document, headers: ["Idempotency-Key": "\(table) \(number)"])
        }
        for number in forms.indices {
            let log = server.log.count
            let answer = try await send(number)
            expectFault(answer, server, log: log, "POST", forms[number].path, cause: Self.cause)
        }
        #expect(try database.registered() == before, "half a registration stays")
        #expect(try await person.user.get("/jobs").text == "[]")
        try database.run("DROP TRIGGER planted")
        for number in forms.indices {
            let answer = try await send(number)
            #expect(answer.status == 200, "\(answer)")
        }
        #expect(try await person.user.get("/jobs?limit=1000").json.array?.count == forms.count - 1 + 60)
        #expect(try database.number("SELECT COUNT(*) FROM elements e WHERE NOT EXISTS (\(Self.jobOfElement))") == 0)
    }

    private static let jobOfElement = "SELECT 1 FROM jobs j WHERE j.id = e.job_id"

    /// A fault in one registration takes none of those with it that share its commit.
    @Test func neighbours() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let database = try OutsideDatabase(server)
        try database.run(
            """
            CREATE TRIGGER planted AFTER INSERT ON elements WHEN NEW.src_path LIKE '/poison%'
            BEGIN SELECT RAISE(ABORT, '\(Self.cause)'); END
            """)
        let statuses = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for number in 0..<200 {
                group.addTask {
                    let path = number % 4 == 0 ? "/poison\(number)" : "/fine\(number)"
                    let answer = try await person.user.post(
                        "/list", ["src_siteid": 1, "src_filepath": .string(path)])
                    return (number, answer.status)
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for (number, status) in statuses { #expect(status == (number % 4 == 0 ? 500 : 200), "\(number)") }
        let there = try await person.user.get("/jobs").json.array ?? []
        #expect(there.count == 150)
        #expect(there.allSatisfy { $0["src_filepath"]?.string?.hasPrefix("/fine") == true })
        try database.run("DROP TRIGGER planted")
        #expect(try await person.user.post("/list", ["src_siteid": 1, "src_filepath": "/poison"]).status == 200)
    }

    /// Every documented way to read, for a table that is gone: 500, and 200 once it is back.
    @Test func reading() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/a")
        try await worker.finish(try await worker.takeOne(), ["listing": ["/a": ["x"]]])
        let job = "/jobs/\(id)"
        let routes = [
            ("/jobs", "jobs"), ("/jobs?status=DONE", "jobs"), (job, "jobs"), (job + "/status", "jobs"),
            (job + "/elements", "elements"), (job + "/elements/0", "elements"),
            (job + "/elements/0/status", "attempts"), (job + "/output", "attempts"),
            (job + "/elements/0/output", "attempts"), (job + "/elements/0/output/1", "attempts"),
        ]
        let boss = try await server.caller(user: "boss-\(person.name)", role: "operator")
        let database = try OutsideDatabase(server)
        for (path, table) in routes + [("/workers", "workers")] {
            let caller = path == "/workers" ? boss : person.user
            for table in [table, "tokens"] {
                try database.run("ALTER TABLE \(table) RENAME TO elsewhere")
                let log = server.log.count
                let sent = Task { try await caller.get(path) }
                let result = await sent.result
                try database.run("ALTER TABLE elsewhere RENAME TO \(table)")
                let answer = try result.get()
                expectFault(answer, server, log: log, "GET", path, cause: table)
                let again = try await caller.get(path)
                #expect(again.status == 200, "\(path) \(again)")
            }
        }
    }

    /// What users and workers change: 500, nothing of it is done, and the same request is taken afterwards.
    @Test func changing() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let failed = try await person.mkdir("/failed")
        try await worker.report(try await worker.takeOne(), 1, ["error_class": "permission"])
        let ended = try await person.mkdir("/ended")
        let held = try await worker.takeOne()
        _ = try await person.mkdir("/among")
        let among = try await worker.takeOne()
        let waiting = try await person.mkdir("/waiting")
        let database = try OutsideDatabase(server)
        let claim: JSONValue = ["types": [4], "session": .int(try #require(worker.session))]
        let outcome: JSONValue = [
            "returncode": 0, "host": "h", "log": "done\n", "timestamp": "2026-01-01T00:00:00.000Z",
        ]
        let result: JSONValue = .array([
            .object(
                (outcome.object ?? [:]).merging([
                    "job_id": .int(among.jobID), "element_id": .int(among.id), "token": .string(among.token),
                ]) { $1 })
        ])
        let progress: JSONValue = ["transferred": 1, "elapsed": 1, "instant": 1, "average": 1]
        let beat: JSONValue = ["session": .int(try #require(worker.session)), "holding": [.string(held.name)]]
        let requests: [(method: String, path: String, body: JSONValue?, who: Caller, event: String)] = [
            ("PATCH", "/jobs/\(waiting)", ["priority": 1], person.user, "UPDATE ON jobs"),
            ("POST", "/jobs/\(failed)/retry", nil, person.user, "UPDATE ON elements"),
            ("PUT", held.path + "/monitoring", progress, person.user.with(held.token), "UPDATE ON attempts"),
            ("POST", "/worker/heartbeat", beat, person.worker, "UPDATE ON sessions"),
            ("POST", "/worker/results", result, person.worker, "UPDATE ON attempts"),
            ("PUT", held.path, outcome, person.user.with(held.token), "UPDATE ON attempts"),
            ("POST", "/worker/jobs", claim, person.worker, "INSERT ON attempts"),
            ("DELETE", "/jobs/\(failed)/elements/0", nil, person.user, "UPDATE ON elements"),
            ("DELETE", "/jobs/\(waiting)", nil, person.user, "UPDATE ON jobs"),
        ]
        for (method, path, body, who, event) in requests {
            let bytes = body.map { Array($0.text.utf8) } ?? []
            if path == "/worker/jobs" {
                #expect(try await person.status(ended) == "DONE")
            }
            let counts = "SELECT SUM((n_done + 10 * n_submitted + 100 * n_running) * id) FROM jobs"
            let before = try database.number(counts)
            try database.run(
                "CREATE TRIGGER planted BEFORE \(event) BEGIN SELECT RAISE(ABORT, '\(Self.cause)'); END")
            let log = server.log.count
            let answer = try await who.send(method, path, bytes)
            try database.run("DROP TRIGGER planted")
            expectFault(answer, server, log: log, method, path, cause: Self.cause)
            #expect(try database.number(counts) == before, "\(method) \(path) changed something")
            let again = try await who.send(method, path, bytes)
            #expect((200...202).contains(again.status), "\(method) \(path) \(again)")
        }
        #expect(try await person.user.get("/jobs/\(ended)/output")[0]?["log"] == "done\n", "the log, once")
    }

    /// A fault behind the first page cuts the answer off, so that nobody takes it for whole; the log says why.
    @Test(arguments: ["application/json", "application/x-ndjson"]) func behindTheFirstPage(accept: String) async throws
    {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let count = 1200
        let jobs = (0..<count).map { ["src_siteid": 1, "src_filepath": .string("/\($0)"), "type": 0] as JSONValue }
        let ids = try await person.user.post("/jobs", .array(jobs)).json.array?.compactMap(\.int) ?? []
        try #require(ids.count == count)
        let database = try OutsideDatabase(server)
        try database.run("UPDATE jobs SET protocol = '' WHERE id = \(ids[900])")
        let log = server.log.count
        await #expect(throws: HTTPClientError.self, "cut off") {
            try await person.user.get("/jobs", headers: ["Accept": accept])
        }
        try await eventually("the log says why") {
            server.log.dropFirst(log).contains("GET /workqueue/api/v1.0/jobs: ")
        }
        try database.run("UPDATE jobs SET protocol = 'ssh' WHERE id = \(ids[900])")
        let whole = try await person.user.get("/jobs", headers: ["Accept": accept])
        #expect((whole.json.array ?? whole.lines).count == count)
    }
}
