import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// A server whose state stands on a small disk.
private struct SmallServer {
    let server: LiveServer
    let disk: TinyDisk

    /// Nil where this machine lets nobody mount a disk, which is said.
    static func start(kibibytes: Int) async throws -> SmallServer? {
        let server = try LiveServer()
        guard let disk = TinyDisk.open(at: server.folder + "/state", kibibytes: kibibytes) else {
            await server.remove()
            return nil
        }
        try await server.start()
        return SmallServer(server: server, disk: disk)
    }

    func remove() async {
        await server.stop()
        disk.remove()
        await server.remove()
    }
}

/// The disk of the live server is full: 503, nothing acknowledged that is not there, and it goes on once there is space.
@Suite(.serialized, .timeLimit(.minutes(10))) struct LiveFullDiskTests {
    /// 503 in the form of all errors, with a time to try again and nothing of the inside in it.
    private func expectUnavailable(_ answer: Answer, _ server: LiveServer) {
        #expect(answer.status == 503 && answer["status"] == 503, "\(answer)")
        #expect(answer.headers["Content-Type"] == "application/problem+json", "\(answer)")
        #expect(answer.headers["Retry-After"].flatMap { Int($0) }.map { $0 > 0 } == true, "\(answer.headers)")
        #expect(["unavailable", "disk_full"].contains(answer["code"]?.string ?? ""), "\(answer)")
        for key in ["detail", "hint"] { #expect(answer[key]?.string?.isEmpty == false, "\(answer)") }
        for word in ["INSERT", "SELECT", "sqlite", "/state", server.folder, "(13)"] {
            #expect(!answer.text.contains(word), "\(word) in \(answer)")
        }
    }

    private func ids(_ person: Person) async throws -> [Int] {
        try #require(try await person.user.get("/jobs").json.array).compactMap { $0["id"]?.int }
    }

    /// Single and bulk registrations from many sides until none is taken.
    ///
    /// - Returns: the ids that were acknowledged.
    private func registerUntilFull(_ small: SmallServer, _ person: Person) async throws -> [Int] {
        try await withThrowingTaskGroup(of: [Int].self) { group in
            for side in 0..<8 {
                group.addTask {
                    var acknowledged: [Int] = []
                    for number in 0..<20_000 {
                        func document(_ part: Int) -> JSONValue {
                            ["src_siteid": 1, "src_filepath": .string("/\(side)/\(number)/\(part)"), "type": 0]
                        }
                        let isBulk = side % 2 == 0
                        let answer = try await person.user.post(
                            "/jobs", isBulk ? .array((0..<20).map(document)) : document(0))
                        guard answer.status == 200 else {
                            expectUnavailable(answer, small.server)
                            return acknowledged
                        }
                        acknowledged += isBulk ? answer.json.array?.compactMap(\.int) ?? [] : [answer["id"]?.int ?? 0]
                    }
                    Issue.record("the disk never was full")
                    return acknowledged
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }.sorted()
        }
    }

    @Test func registrations() async throws {
        guard let small = try await SmallServer.start(kibibytes: 10 << 10) else { return }
        let server = small.server
        let person = try await server.person()
        try small.disk.take(kibibytes: 3 << 10)
        let pid = server.process?.pid
        var acknowledged = try await registerUntilFull(small, person)
        #expect(acknowledged.count > 100 && Set(acknowledged).count == acknowledged.count)
        // To the last byte, so that not even a small one fits. What a refused one had written leaves room for a few.
        try small.disk.take()
        var last = try await person.user.post("/list", ["src_siteid": 1, "src_filepath": "/last"])
        while last.status == 200, acknowledged.count < 100_000 {
            acknowledged.append(last["id"]?.int ?? 0)
            last = try await person.user.post("/list", ["src_siteid": 1, "src_filepath": "/last"])
        }
        expectUnavailable(last, server)
        let bulk = JSONValue.array((0..<500).map { ["src_siteid": 1, "src_filepath": .string("/\($0)"), "type": 0] })
        let key: HTTPHeaders = ["Idempotency-Key": "full"]
        expectUnavailable(try await person.user.post("/jobs", bulk, headers: key), server)
        #expect(server.log.contains("request failed POST /workqueue/api/v1.0/jobs: database or disk is full"))
        #expect(try await ids(person) == acknowledged, "reads go on, and find what was acknowledged and no more")
        #expect(try await person.user.get("/jobs/\(acknowledged[0])/elements").json.array?.count == 1)
        // Space is made, by someone else: the same process takes the same requests.
        try small.disk.giveBack()
        let taken = try await person.user.post("/jobs", bulk, headers: key)
        #expect(taken.status == 200, "\(taken)")
        acknowledged += taken.json.array?.compactMap(\.int) ?? []
        acknowledged.append(try await person.list("/yes"))
        #expect(try await ids(person) == acknowledged)
        #expect(server.process?.pid == pid && server.process?.status == nil, "without a restart")
        // What was acknowledged outlives the process too, and all of it can be handed out.
        await server.kill()
        try await server.start()
        #expect(try await ids(person) == acknowledged)
        let database = try OutsideDatabase(server)
        #expect(try database.number("SELECT SUM(ready) FROM lanes") == acknowledged.count)
        #expect(try database.number("SELECT COUNT(*) FROM elements") == acknowledged.count)
        #expect(try database.number("SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") == 1)
        await small.remove()
    }

    /// Outcomes, pieces of logs and listings, progress, claims and heartbeats.
    @Test func reports() async throws {
        guard let small = try await SmallServer.start(kibibytes: 6 << 10) else { return }
        let server = small.server
        let person = try await server.person()
        let worker = try await ActingWorker(person.worker)
        let list = try await person.list("/a")
        for number in 0..<6 { _ = try await person.mkdir("/\(number)") }
        let held = try await worker.take(6)
        try #require(held.count == 6)
        let listed = try #require(held.first { $0.jobID == list })
        let made = held.filter { $0.jobID != list }
        func piece(_ held: Held, _ what: String, _ offset: Int, _ bytes: [UInt8]) async throws -> Answer {
            try await worker.caller.with(held.token).send("POST", "\(held.path)/\(what)?offset=\(offset)", bytes)
        }
        let line = Array("{\"dir\":\"/a\",\"name\":\"first\"}\n".utf8)
        #expect(try await piece(listed, "listing", 0, line).status == 200)
        #expect(try await piece(made[0], "log", 0, Array("before ".utf8)).status == 200)
        try small.disk.take()
        let more = (0..<2000).flatMap { Array("{\"dir\":\"/a\",\"name\":\"f\($0)\"}\n".utf8) }
        let long = [UInt8](repeating: 0x6C, count: 50_000)
        let results = JSONValue.array(
            made[2...].map { held in
                [
                    "job_id": .int(held.jobID), "element_id": .int(held.id), "token": .string(held.token),
                    "returncode": 0, "host": "h", "log": "many\n", "timestamp": "2026-01-01T00:00:00.000Z",
                ]
            })
        let progress: JSONValue = ["transferred": 1, "elapsed": 1, "instant": 1, "average": 1]
        let beat: JSONValue = [
            "session": .int(try #require(worker.session)), "holding": .array(held.map { .string($0.name) }),
        ]
        func all() async throws -> [Answer] {
            try await [
                piece(made[0], "log", 7, long), piece(listed, "listing", line.count, more),
                person.worker.post("/worker/heartbeat", beat),
                worker.caller.with(made[1].token).put(made[1].path + "/monitoring", progress),
                worker.report(made[1], 0, ["log": .string(String(repeating: "w", count: 20_000))]),
                person.worker.post("/worker/results", results), worker.ask(),
            ]
        }
        for answer in try await all() { expectUnavailable(answer, server) }
        for held in held {
            let element = try await person.user.get("/jobs/\(held.jobID)/elements/\(held.id)")
            #expect(element["status"] == "SUBMITTED" && element["attempts"] == 0, "\(element)")
            #expect(try await person.user.get("/jobs/\(held.jobID)/output").text == "[]")
        }
        // What the server has of the pieces is what it acknowledged.
        for (held, what, length) in [(made[0], "log", 7), (listed, "listing", line.count)] {
            let answer = try await piece(held, what, length + 1, [0x0A])
            #expect(answer.status == 409 && answer["offset"] == .int(length), "\(answer)")
        }
        try small.disk.giveBack()
        let again = try await all()
        for answer in again { #expect(answer.status == 200, "\(answer)") }
        #expect(again[5]["results"]?.array?.compactMap { $0["status"]?.int } == [200, 200, 200], "\(again[5])")
        #expect(again[2]["stop"] == [] && again[2]["unknown"] == [], "no lease was lost: \(again[2])")
        let last = try #require(try Held.all(in: again[6]).first)
        #expect(last.attempt == 1, "the claim that was refused had given nothing away")
        for held in [last, made[0], listed] { try await worker.finish(held, ["log": "end\n"]) }
        let logs = [
            (made[0], "before " + String(repeating: "l", count: long.count) + "end\n"),
            (made[1], String(repeating: "w", count: 20_000)), (made[2], "many\n"), (last, "end\n"), (listed, "end\n"),
        ]
        for (held, log) in logs {
            let output = try await person.user.get("/jobs/\(held.jobID)/elements/\(held.id)/output")
            #expect(output["log"] == .string(log) && output["status"] == "DONE", "\(output)")
        }
        let listing = try await person.user.get("/jobs/\(list)/elements/0")["listing"]?[0]?["/a"]?.array
        #expect(listing?.count == 2001 && listing?.first == "first")
        #expect(try await person.user.get("/jobs?status=DONE").json.array?.count == 7)
        await small.remove()
    }

    /// On a full disk it ends in good order. Started there it serves reads, and registers once there is space.
    @Test(arguments: [SIGTERM, SIGKILL]) func restart(signal: Int32) async throws {
        guard let small = try await SmallServer.start(kibibytes: 4 << 10) else { return }
        let server = small.server
        let person = try await server.person()
        for number in 0..<20 { _ = try await person.list("/\(number)") }
        let before = try await ids(person)
        let tokenAdd = ["token", "add", "--config", server.config, "--user", "late", "--role", "user"]
        try small.disk.take()
        if signal == SIGTERM {
            #expect(await server.stop() == .exited(0))
            // What it gave back when it ended is taken too.
            try small.disk.take()
        } else {
            await server.kill()
        }
        expectOneLine(try await ProgramRun("hauld", tokenAdd), server)
        try await server.start()
        #expect(try await ids(person) == before)
        #expect(try await person.user.get("/jobs/\(before[0])/elements").json.array?.count == 1)
        expectUnavailable(try await person.user.post("/list", ["src_siteid": 1, "src_filepath": "/no"]), server)
        try small.disk.giveBack()
        #expect(try await ProgramRun("hauld", tokenAdd).code == 0)
        #expect(try await ids(person) == before)
        _ = try await person.list("/after")
        await small.remove()
    }

    /// Where there is no database yet it does not start, and says so in one line.
    @Test func firstStart() async throws {
        let server = try LiveServer()
        try server.configure(port: 0)
        guard let disk = TinyDisk.open(at: server.folder + "/state", kibibytes: 256) else {
            return await server.remove()
        }
        try disk.take()
        expectOneLine(try await ProgramRun("hauld", ["--config", server.config], atMost: .seconds(20)), server)
        disk.remove()
        await server.remove()
    }

    private func expectOneLine(_ run: ProgramRun, _ server: LiveServer) {
        #expect(run.code == 1 && run.output.isEmpty, "\(run)")
        let lines = run.errors.split(separator: "\n").filter { !$0.contains(" protocol left out ") }
        #expect(lines.count == 1 && lines.first?.hasPrefix("hauld: ") == true, "\(run)")
        #expect(run.errors.contains(server.database), "\(run)")
        for word in ["INSERT", "CREATE", "COMMIT", "(13)", "unavailable("] {
            #expect(!run.errors.contains(word), "\(run)")
        }
    }
}
