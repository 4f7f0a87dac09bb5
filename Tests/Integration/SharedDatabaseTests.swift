import Foundation
import HaulHTTP
import HaulModel
import HaulPlayground
import Support
import Testing

/// Several servers over one PostgreSQL database: what is asked of one is known to the other at once, and nothing is done
/// twice.
@Suite(.timeLimit(.minutes(4))) struct SharedDatabaseTests {
    /// Two servers of one database.
    private struct Pair {
        let servers: [LiveServer]
        private let logs: String

        init(_ url: String) async throws {
            var settings = LiveServer.Settings()
            settings.store = url
            logs = NSTemporaryDirectory() + "haul-shared-logs-\(UUID().uuidString)"
            settings.logs = "\"\(logs)\""
            servers = [try await LiveServer.start(settings), try await LiveServer.start(settings)]
        }

        /// The same person, whose requests go to one server or the other.
        func person() async throws -> [Person] {
            let first = try await servers[0].person()
            return servers.map { first.at($0) }
        }

        func remove() async {
            for server in servers { await server.remove() }
            try? FileManager.default.removeItem(atPath: logs)
        }
    }

    private func withPair(_ body: (Pair, _ url: String) async throws -> Void) async throws {
        let url = try await TestDatabase.makePostgreSQL()
        let pair = try await Pair(url)
        do { try await body(pair, url) } catch {
            await pair.remove()
            throw error
        }
        await pair.remove()
    }

    /// A site that one made can be named at the other in the next moment, and is gone there when it is gone.
    @Test func sites() async throws {
        try await withPair { pair, _ in
            let boss = try await pair.servers[0].caller(user: "boss", role: "operator")
            let person = try await pair.person()
            for turn in 0..<5 {
                let site: JSONValue = .string("new-\(turn)")
                #expect(try await boss.post("/sites", ["name": site, "protocol": "fake"]).status == 201)
                let list: JSONValue = ["src_siteid": site, "src_filepath": "/x"]
                #expect(try await person[1].user.post("/list", list).status == 200)
            }
            #expect(try await boss.send("DELETE", "/sites/new-0").status == 204)
            try await eventually("the other knows, too") {
                try await person[1].user.post("/list", ["src_siteid": "new-0", "src_filepath": "/x"]).status == 400
            }
        }
    }

    @Test func onesWorkIsTheOthersToo() async throws {
        try await withPair { pair, _ in
            let person = try await pair.person()
            let worker = try await ActingWorker(person[1].worker)
            // A claim is parked at one, the job is registered at the other.
            async let claim = worker.takeOne(["wait": 30])
            let started = ContinuousClock.now
            let id = try await person[0].mkdir("/d")
            let held = try await claim
            #expect(held.jobID == id)
            #expect(ContinuousClock.now - started < .seconds(10), "it waited for the end of its patience")
            // Somebody watches at one, the outcome is reported at the other.
            let reader = StreamReader()
            let watch = reader.follow("/jobs/\(id)/events", person[0].user)
            try await eventually("the job as it is") { !reader.events.isEmpty }
            for bytes in 1...3 {
                let told = try await person[1].worker.with(held.token).put(
                    held.path + "/monitoring", ["transferred": .int(bytes)])
                #expect(told.status == 200, "\(told)")
                try await eventually("\(bytes) bytes", within: .seconds(10)) {
                    reader.events.last?.data["transferred"] == .int(bytes)
                }
            }
            try await worker.finish(held)
            try await watch.value
            #expect(reader.events.last?.data["status"] == "DONE")
            #expect(try await person[0].status(id) == "DONE")
            // The heartbeat of a session goes to either.
            let beat = try await person[0].worker.post(
                "/worker/heartbeat", ["session": .int(try #require(worker.session)), "holding": []])
            #expect(beat.status == 200, "\(beat)")
        }
    }

    @Test func nothingIsHandedOutTwice() async throws {
        try await withPair { pair, _ in
            let person = try await pair.person()
            let count = 200
            let jobs = try await withThrowingTaskGroup { group in
                for number in 0..<count {
                    group.addTask { try await person[number % 2].mkdir("/d\(number)") }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(jobs.count == count)
            var workers: [ActingWorker] = []
            for number in 0..<8 { workers.append(try await ActingWorker(person[number % 2].worker)) }
            let all = try await withThrowingTaskGroup { [workers] group in
                for (number, worker) in workers.enumerated() {
                    group.addTask {
                        var mine: [String] = []
                        while true {
                            let held = try await worker.take(7)
                            if held.isEmpty { return mine }
                            mine += held.map(\.name)
                            // What one handed out the other takes back.
                            let other = ActingWorker(worker, at: person[(number + 1) % 2].worker)
                            for item in held { try await other.finish(item) }
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(all.count == count && Set(all).count == count)
            for job in jobs { #expect(try await person[0].status(job) == "DONE") }
        }
    }

    @Test func oneKeyOneJob() async throws {
        try await withPair { pair, _ in
            let person = try await pair.person()
            let ids = try await withThrowingTaskGroup { group in
                for number in 0..<20 {
                    group.addTask {
                        try await person[number % 2].user.post(
                            "/mkdir", ["src_siteid": 1, "src_filepath": "/d"], headers: ["Idempotency-Key": "same"])[
                                "id"]?
                            .int
                    }
                }
                return try await group.reduce(into: Set<Int?>()) { $0.insert($1) }
            }
            #expect(ids.count == 1 && ids.first != .some(nil), "\(ids)")
        }
    }

    /// The duties of both are at the same listing, and one of them dies.
    @Test func dutiesShareTheWork() async throws {
        try await withPair { pair, _ in
            let person = try await pair.person()
            let worker = try await ActingWorker(person[0].worker)
            let count = 20_000
            var jobs: [Int] = []
            for number in 0..<2 { jobs.append(try await person[number].copy("/s\(number)", "/t\(number)")) }
            for held in try await worker.take(2) {
                try await worker.finish(
                    held, ["listing": .object([held.source: .array((0..<count).map { entry("f\($0)") })])])
            }
            await pair.servers[0].kill()
            for id in jobs {
                try await eventually("all of job \(id) is there", within: .seconds(60)) {
                    try await person[1].user.get("/jobs/\(id)")["num_elements"] == .int(count + 1)
                }
            }
            // It takes what the other had handed out, too.
            let other = try await ActingWorker(person[1].worker)
            #expect(try await other.take(100).count == 100)
        }
    }

    /// Notifications that nobody heard.
    @Test func deafness() async throws {
        try await withPair { pair, url in
            let person = try await pair.person()
            let worker = try await ActingWorker(person[1].worker)
            let database = String(url.split(separator: "/").last ?? "")
            for round in 0..<3 {
                async let claim = worker.takeOne(["wait": 30])
                let id = try await person[0].mkdir("/d\(round)")
                let reader = StreamReader()
                let watch = reader.follow("/jobs/\(id)/events", person[0].user)
                try await eventually("the job as it is") { !reader.events.isEmpty }
                let cut = try await TestDatabase.query(
                    """
                    SELECT COUNT(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE application_name = 'hauld listens' AND datname = current_database()) AS cut
                    """, database: database)
                #expect(cut != "0")
                let held = try await claim
                try await worker.finish(held)
                try await watch.value
                #expect(reader.events.last?.data["status"] == "DONE")
            }
        }
    }
}

extension ActingWorker {
    /// The same worker, talking to another server.
    init(_ worker: ActingWorker, at caller: Caller) {
        self.init(sessionless: caller)
        session = worker.session
    }
}
