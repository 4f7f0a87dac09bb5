import HaulHTTP
import HaulModel
import Support
import Testing

/// `/worker/register`, `/worker/jobs`, `/worker/heartbeat` and the monitoring of an element.
@Suite(.server()) struct WorkerApiTests {
    /// A claim of haul's own: integer enums, every key there, null where unused, the sites' endpoints.
    @Test func handout() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        _ = try await person.list("~/x", ["extra_opts": ["depth": 1]])
        let held = try await worker.takeOne()
        #expect(
            held.job.keys == [
                "id", "user_id", "src_siteid", "dst_siteid", "src_filepath", "dst_filepath", "type", "status",
                "extra_opts", "priority", "protocol", "log_uid", "timestamp", "queue", "max_tries", "src_site",
                "dst_site", "src_credentials", "dst_credentials", "elements",
            ])
        #expect(held.job["type"] == 0 && held.job["protocol"] == 1 && held.job["status"] == 3)
        #expect(held.job["dst_siteid"] == .null && held.job["dst_filepath"] == .null && held.job["dst_site"] == .null)
        #expect(held.job["src_site"]?["endpoints"] == ["127.0.0.1:1"] && held.job["src_site"]?["name"] == "ssh-a")
        #expect(held.job["extra_opts"] == ["depth": 1] && held.job["src_credentials"] == .null)
        #expect(
            held.element.keys == [
                "id", "job_id", "src_filepath", "dst_filepath", "size", "max_tries", "attempts", "forgiven", "type",
                "status", "timestamp", "token", "attempt", "lease_until",
            ])
        #expect(held.element["status"] == 3 && held.element["type"] == 0 && held.element["dst_filepath"] == .null)
        _ = try await person.list("x", ["src_siteid": 3])
        #expect(try await worker.takeOne().job["protocol"] == "HTTP", "a name where there is no documented integer")
    }

    /// 404 when there is no work; the types are required.
    @Test func noWork() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let none = try await worker.ask()
        #expect(none.status == 404 && none["code"] == "no_work")
        #expect(none.headers["Content-Type"] == "application/problem+json")
        let untyped = try await person.worker.post("/worker/jobs", [:])
        #expect(untyped.status == 400 && untyped["fields"]?.keys == ["types"])
        let wrong: [(String, JSONValue)] = [
            ("types", "LIST"), ("types", [9]), ("types", []), ("protocols", "ssh"), ("protocols", [[]]),
            ("sites", ["nowhere"]), ("sites", 3), ("session", "abc"), ("session", 0), ("wait", -1), ("wait", "soon"),
            ("algorithm", "BY_LUCK"), ("algorithm", 5),
        ]
        for (field, value) in wrong {
            let answer = try await worker.ask([field: value])
            #expect(answer.status == 400 && answer["fields"]?.keys == [field], "\(field) \(value) \(answer)")
        }
        for arguments: JSONValue in [["limit": 0], ["limit": "x"], ["limit": -5], [3]] {
            let answer = try await worker.ask(["algorithm": "BY_NUMBER", "algorithm.args": arguments])
            #expect(answer.status == 400, "\(answer)")
        }
        #expect(try await worker.ask(["algorithm": "BY_SIZE"]).status == 400)
        #expect(try await worker.ask(["session": 4_000_000]).status == 409)
    }

    /// BY_NUMBER and BY_SIZE; BY_SIZE gives at least one; types narrow by the type of the job.
    @Test func algorithms() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        _ = try await person.copy("/s", "/d")
        #expect(try await worker.ask(["types": [0, 2, 3, 4]]).status == 404, "a COPY's LIST belongs to a COPY")
        let files = [entry("a", size: 100), entry("b", size: 50), entry("c", size: 50), entry("d", size: 500)]
        try await worker.finish(try await worker.takeOne(), ["listing": ["/s": .array(files)]])
        func sizes(_ size: Int) async throws -> [Int] {
            let held = try await worker.take(
                0, ["algorithm": "BY_SIZE", "algorithm.args": ["size": .int(size)], "wait": 5])
            return held.compactMap { $0.element["size"]?.int }
        }
        #expect(try await sizes(10) == [100])
        #expect(try await sizes(100) == [50, 50])
        #expect(try await sizes(0) == [500])
        for n in 0..<30 { _ = try await person.list("/n\(n)") }
        #expect(try await worker.take(7).count == 7)
        #expect(try await Held.all(in: worker.ask()).count == 20, "20 where a claim does not say")
        #expect(try await worker.take(1000).count == 3)
    }

    /// Sizes that no integer sums up, as a broken site may report them.
    @Test func absurdSizes() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        _ = try await person.copy("/s", "/d")
        let files = (0..<3).map { entry("f\($0)", size: Int.max) }
        try await worker.finish(try await worker.takeOne(), ["listing": ["/s": .array(files)]])
        var held: [Held] = []
        for _ in 0..<3 { held.append(try await worker.takeOne()) }
        for (number, item) in held.enumerated() {
            let path = "\(item.path)/monitoring"
            let progress: JSONValue = [
                "transferred": .int(number == 0 ? -1 : Int.max), "elapsed": 1e308, "instant": 1e308, "average": 0.0001,
            ]
            #expect(try await worker.caller.with(item.token).put(path, progress).status == 200)
            let status = try await person.user.get("/jobs/\(item.jobID)/elements/\(item.id)/status")
            #expect(status["transferred"] != "N/A" && status.status == 200, "\(status)")
            try await worker.finish(item, ["transferred": .int(-1)])
        }
        #expect(try await person.status(held[0].jobID) == "DONE")
    }

    /// A parked claim wakes as soon as a job is registered.
    @Test func waitWakes() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        async let parked = worker.ask(["wait": 30])
        // Until the claim is parked there is nothing to see; a job that comes before it is found all the same.
        try await eventually("the server is idle") { try await person.user.get("/jobs").status == 200 }
        let registered = ContinuousClock.now
        let id = try await person.list("/wake")
        let answer = try await parked
        let took = ContinuousClock.now - registered
        #expect(answer.status == 200 && answer[0]?["id"]?.int == id)
        // Far from the end of its wait.
        #expect(took < .seconds(15), "\(took)")
        let before = ContinuousClock.now
        #expect(try await worker.ask(["wait": 0.3]).status == 404)
        #expect(ContinuousClock.now - before >= .milliseconds(300))
    }

    /// No element is given twice, however many ask at once.
    @Test func concurrentClaims() async throws {
        let person = try await newPerson()
        let jobs = JSONValue.array(
            (0..<300).map { ["type": 0, "src_siteid": 1, "src_filepath": .string("/\($0)")] })
        #expect(try await person.user.post("/jobs", jobs).status == 200)
        let names = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let worker = try await ActingWorker(person.worker)
                    var names: [String] = []
                    while true {
                        let held = try await worker.take(7)
                        if held.isEmpty { return names }
                        names += held.map(\.name)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(names.count == 300 && Set(names).count == 300)
    }

    /// `POST /worker/register`, and the new session that ends the old one.
    @Test func sessions() async throws {
        let person = try await newPerson()
        let name = "twice-\(person.name)"
        let old = try await ActingWorker(person.worker, name: name)
        let id = try await person.list("/x")
        let held = try await old.takeOne()
        let document: JSONValue = [
            "name": .string(name), "host": "h", "version": "1", "slots": 2, "sites": [1, "ssh-b"],
            "protocols": [["schema": 1, "name": "ssh", "operations": [:]]],
        ]
        let answer = try await person.worker.post("/worker/register", document)
        #expect(answer.status == 200 && answer.json.keys == ["session", "lease_seconds", "heartbeat_seconds"])
        #expect(answer["lease_seconds"] == 60 && answer["heartbeat_seconds"] == 15)
        #expect(try await old.ask().status == 409)
        let beat: JSONValue = ["session": .int(try #require(old.session)), "holding": [.string(held.name)]]
        #expect(try await person.worker.post("/worker/heartbeat", beat).status == 409)
        #expect(try await old.report(held).status == 409)
        let again = try await ActingWorker(person.worker).takeOne()
        #expect(again.jobID == id && again.attempt == 2, "handed out again, at no cost of a try")
        #expect(again.element["forgiven"] == 1)
        for (field, value) in [
            ("name", JSONValue.null), ("name", ""), ("slots", 0), ("slots", 1e9), ("protocols", "x"),
        ] {
            let wrong = document.object?.merging([field: value]) { _, new in new } ?? [:]
            let refused = try await person.worker.post("/worker/register", .object(wrong))
            #expect(refused.status == 400 && refused["fields"]?.keys == [field], "\(refused)")
        }
    }

    /// Under the name of a worker that lives nobody begins a session but the bearer of its token.
    @Test func namesOfOthers() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        _ = try await person.list("/x")
        let held = try await worker.takeOne()
        let stranger = try await server.caller(user: "\(person.name)-2", role: "worker", "--queues", "none")
        let document: JSONValue = ["name": .string(worker.name), "host": "evil", "slots": 1, "protocols": ["ssh"]]
        let refused = try await stranger.post("/worker/register", document)
        #expect(refused.status == 409 && refused["code"] == "worker_name_taken", "\(refused)")
        #expect(refused["hint"]?.string?.contains("DELETE /workers/") == true, "\(refused)")
        try await worker.finish(held, ["listing": ["/x": []]])
        let again = try await ActingWorker(person.worker, name: worker.name)
        #expect(again.session != worker.session, "its own token begins a new one")
        #expect(try await stranger.post("/worker/register", document).status == 409)
        // Revoked, it keeps nobody from its name.
        #expect(try await server.revoke("--user", "\(person.name)-worker").code == 0)
        #expect(try await stranger.post("/worker/register", document).status == 200)
    }

    /// What the claim leaves out is as the session announced it.
    @Test func sessionAnnounces() async throws {
        let person = try await newPerson()
        let ssh = try await ActingWorker(person.worker, protocols: ["ssh"], sites: [])
        let second = try await ActingWorker(person.worker, sites: ["ssh-b"])
        _ = try await person.list("x", ["src_siteid": 3])
        #expect(try await ssh.take().isEmpty, "it can't run HTTP")
        #expect(try await second.take().isEmpty, "it can't reach the site")
        let id = try await person.list("x", ["src_siteid": 2])
        #expect(try await second.takeOne().jobID == id)
        let beat: JSONValue = [
            "session": .int(try #require(ssh.session)), "holding": [], "protocols": ["ssh", "http"], "sites": [3],
        ]
        #expect(try await person.worker.post("/worker/heartbeat", beat).status == 200)
        #expect(try await ssh.takeOne().job["src_siteid"] == 3, "a heartbeat announces anew")
        #expect(try await ssh.take(1, ["sites": [1]]).isEmpty)
    }

    /// `POST /worker/heartbeat`: what the server does not know the worker to hold.
    @Test func heartbeat() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        _ = try await person.list("/x")
        let held = try await worker.takeOne()
        let session = JSONValue.int(try #require(worker.session))
        let answer = try await person.worker.post(
            "/worker/heartbeat",
            [
                "session": session, "holding": [.string(held.name), "1.1.1", "nonsense"], "load": 0.5, "slots": 4,
                "protocols": ["ssh"], "sites": [],
            ])
        #expect(answer.status == 200)
        #expect(answer.json == ["stop": [], "unknown": ["1.1.1", "nonsense"], "drain": false], "\(answer)")
        for (field, value) in [
            ("session", JSONValue.null), ("session", "x"), ("holding", "1.0.1"), ("holding", [1]), ("load", "high"),
            ("slots", -1), ("protocols", [7]), ("sites", "all"),
        ] {
            var document: [String: JSONValue] = ["session": session, "holding": []]
            document[field] = value
            let wrong = try await person.worker.post("/worker/heartbeat", .object(document))
            #expect(wrong.status == 400 && wrong["fields"]?.keys == [field], "\(wrong)")
        }
        let stranger = try await newPerson()
        #expect(
            try await stranger.worker.post("/worker/heartbeat", ["session": session, "holding": []]).status == 409)
        #expect(try await stranger.worker.post("/worker/jobs", ["types": [0], "session": session]).status == 409)
    }

    /// A worker's token restricted to sites, queues and users.
    @Test func restrictedTokens() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let site = try await server.caller(
            user: "w1", role: "worker", "--users", person.name, "--sites", "1,2", "--queues", "default,night")
        let worker = try await ActingWorker(site)
        _ = try await person.list("x", ["src_siteid": 12])
        _ = try await person.copy("a", "b", ["dst_siteid": 12])
        _ = try await person.list("x", ["queue": "day"])
        _ = try await newPerson().list("x")
        #expect(try await worker.take().isEmpty)
        let wanted = [
            try await person.list("x", ["queue": "night"]), try await person.copy("a", "b"),
            try await person.list("y", ["src_siteid": 2]),
        ]
        #expect(Set(try await worker.take().map(\.jobID)) == Set(wanted))
        let nobody = try await server.caller(user: "w2", role: "worker", "--users", "nobody", "--queues", "")
        #expect(try await ActingWorker(nobody).take().isEmpty)
    }
}
