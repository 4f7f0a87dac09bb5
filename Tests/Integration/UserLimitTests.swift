import HaulHTTP
import HaulModel
import HaulWire
import Support
import Testing

/// Limits of users over the wire: who takes too much is told to wait, and slows nobody else.
@Suite struct UserLimitTests {
    private func with(_ limits: String, _ users: String = "", _ body: (LiveServer) async throws -> Void) async throws {
        var settings = LiveServer.Settings()
        settings.moreLimits = limits
        settings.more = users
        let server = try await LiveServer.start(settings)
        do { try await body(server) } catch {
            await server.remove()
            throw error
        }
        await server.remove()
    }

    @Test func requests() async throws {
        try await with("requests_per_second: 0.5, burst: 10,", "users: {robot: {requests_per_second: null}},") {
            server in
            let (person, other) = (try await server.person(), try await server.person())
            var answers: [Answer] = []
            for _ in 0..<30 { answers.append(try await person.user.get("/whoami")) }
            let refused = answers.filter { $0.status == 429 }
            #expect((15...20).contains(refused.count), "\(refused.count)")
            for answer in refused {
                #expect(answer["code"] == "too_many_requests" && answer["hint"]?.string?.isEmpty == false)
                #expect(answer.headers["Content-Type"] == ProblemDocument.contentType)
                #expect((1...2).contains(answer.headers["Retry-After"].flatMap { Int($0) } ?? 0), "\(answer.headers)")
            }
            // A registration too, and nothing of it is there.
            let late = try await person.user.post("/list", ["src_siteid": 1, "src_filepath": "/late"])
            #expect(late.status == 429)
            #expect(try await other.user.get("/jobs").text == "[]", "others are not concerned")
            let robot = try await server.caller(user: "robot", role: "user")
            for _ in 0..<30 { #expect(try await robot.get("/jobs").status == 200) }
            let worker = try await ActingWorker(person.worker)
            for _ in 0..<30 { #expect(try await worker.ask().status == 404, "workers bring work forward") }
            let boss = try await server.caller(user: "boss", role: "operator")
            #expect(try await boss.get("/jobs?user=\(person.name)").text == "[]")
        }
    }

    @Test func waitingAndBulk() async throws {
        try await with("waiting_per_user: 3, bulk: 2,", "users: {robot: {waiting: null, bulk: 100}},") { server in
            let person = try await server.person()
            let job: JSONValue = ["type": "LIST", "src_siteid": 1, "src_filepath": "/d"]
            #expect(try await person.user.post("/jobs", .array([job, job, job])).status == 413)
            #expect(try await person.user.post("/jobs", .array([job, job])).status == 200)
            let refused = try await person.user.post("/jobs", .array([job, job]))
            #expect(refused.status == 429 && refused["code"] == "too_much_waits", "\(refused)")
            #expect(refused.headers["Retry-After"].flatMap { Int($0) } ?? 0 > 0)
            #expect(try await person.user.get("/jobs").json.array?.count == 2)
            #expect(try await person.user.post("/jobs", job).status == 200)
            #expect(try await person.user.post("/jobs", job).status == 429)
            let worker = try await ActingWorker(person.worker)
            #expect(try await worker.take(1).count == 1)
            #expect(try await person.user.post("/jobs", job).status == 200, "one waits no longer")
            let robot = try await server.caller(user: "robot", role: "user")
            #expect(try await robot.post("/jobs", .array(Array(repeating: job, count: 100))).status == 200)
        }
    }

    /// `haul` waits for as long as the server says.
    @Test func theCommandLineWaits() async throws {
        try await with("requests_per_second: 1, burst: 1,") { server in
            let token = try await server.token(user: "someone", role: "user")
            for _ in 0..<3 {
                let run = try await ProgramRun(
                    "haul", ["jobs"], environment: ["HAUL_URL": server.url, "HAUL_TOKEN": token])
                #expect(run.code == 0, "\(run)")
            }
        }
    }

    /// One user asks as fast as eight connections can; another is answered all the same, and soon.
    @Test func aGreedyClient() async throws {
        // The other one stays within his burst; eight connections pass it, however slow the machine is.
        try await with("requests_per_second: 1, burst: 60,") { server in
            let (greedy, normal) = (try await server.person(), try await server.person())
            let refused = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var refused = 0
                        while !Task.isCancelled {
                            let answer = try? await greedy.user.post("/list", ["src_siteid": 1, "src_filepath": "/d"])
                            if answer?.status == 429 { refused += 1 }
                        }
                        return refused
                    }
                }
                try await answersSoon(normal)
                group.cancelAll()
                return try await group.reduce(0, +)
            }
            #expect(refused > 0)
        }
    }

    /// Many send their requests byte by byte, or do not read their answers; others are answered all the same, and soon.
    @Test func slowClients() async throws {
        try await with("") { server in
            let (slow, normal) = (try await server.person(), try await server.person())
            let token = slow.user.token ?? ""
            var held: [RawConnection] = []
            for n in 0..<150 {
                let raw = try RawConnection(port: server.port, receiveBuffer: 4096)
                switch n % 3 {
                case 0: await raw.send("GET \(WirePath.root)/jobs HTTP/1.1\r\nHost: h\r\nX-To")
                case 1:
                    await raw.send(
                        "POST \(WirePath.root)/list HTTP/1.1\r\nHost: h\r\nX-Token: \(token)\r\nContent-Length: 100\r\n\r\n{"
                    )
                default:
                    for _ in 0..<20 { await raw.send("GET /openapi.json HTTP/1.1\r\nHost: h\r\n\r\n") }
                }
                held.append(raw)
            }
            try await answersSoon(normal)
            for raw in held { raw.hangUp() }
        }
    }

    /// Fifty requests of somebody, each answered well within the time after which people wonder.
    private func answersSoon(_ person: Person) async throws {
        let clock = ContinuousClock()
        for n in 0..<50 {
            let began = clock.now
            let answer = try await person.user.post("/list", ["src_siteid": 1, "src_filepath": .string("/\(n)")])
            #expect(answer.status == 200, "\(answer)")
            #expect(clock.now - began < .seconds(3))
        }
    }
}
