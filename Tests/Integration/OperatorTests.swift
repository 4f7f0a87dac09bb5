import Foundation
import HaulModel
import Support
import Testing

/// What users and operators open and close: queues, workers, sites.
@Suite(.server()) struct OperatorTests {
    private func patch(_ caller: Caller, _ path: String, _ document: JSONValue) async throws -> Answer {
        try await caller.send("PATCH", path, Array(document.text.utf8))
    }

    /// A paused queue gives nothing; its other jobs and those of others go on; it wakes waiting workers when resumed.
    @Test func queues() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.register(
            "mkdir", ["src_siteid": 1, "src_filepath": "/night", "queue": "night shift"])
        let paused = try await patch(person.user, "/queues/night%20shift", ["paused": true])
        #expect(paused.status == 200 && paused["paused"] == true && paused["since"] != nil, "\(paused)")
        #expect(try await worker.take().isEmpty)
        let other = try await person.mkdir("/day")
        #expect(try await worker.takeOne().jobID == other)
        let names = try await person.user.get("/queues").json.array?.compactMap { $0["name"]?.string }
        #expect(names == ["default", "night shift"])
        async let waiting = worker.takeOne()
        let resumed = try await patch(person.user, "/queues/night%20shift", ["paused": false])
        #expect(resumed["paused"] == false && resumed["since"] == nil, "\(resumed)")
        #expect(try await waiting.jobID == id)
        let wrong = try await patch(person.user, "/queues/q", ["paused": "yes"])
        #expect(wrong.status == 400 && wrong["fields"]?.keys == ["paused"])
        #expect(try await patch(person.user, "/queues/q", [:]).status == 400)
        // Operators see and pause those of others; users do not.
        let server = try LiveServer.ofSuite
        let boss = try await server.caller(user: "boss", role: "operator")
        #expect(try await boss.get("/queues?user=\(person.name)").json.array?.count == 2)
        #expect(try await patch(boss, "/queues/default?user=\(person.name)", ["paused": true])["paused"] == true)
        #expect(try await boss.get("/queues?user=nobody").status == 404)
        let stranger = try await newPerson()
        #expect(try await stranger.user.get("/queues?user=\(person.name)").status == 403)
        #expect(try await person.worker.get("/queues").status == 403)
    }

    @Test func workers() async throws {
        let server = try LiveServer.ofSuite
        let boss = try await server.caller(user: "boss", role: "operator")
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker, name: "w-\(person.name)")
        _ = try await person.mkdir("/a")
        let held = try await worker.takeOne()
        let shown = try await boss.get("/workers/\(worker.name)")
        #expect(shown["holding"] == 1 && shown["alive"] == true && shown["drained"] == false, "\(shown)")
        #expect(shown["slots"] == 4 && shown["protocols"]?.array?.count == 6)
        let list = try await boss.get("/workers").json.array?.compactMap { $0["name"]?.string }
        #expect(list?.contains(worker.name) == true && list == list?.sorted())
        #expect(try await patch(boss, "/workers/\(worker.name)", ["drained": true])["drained"] == true)
        let id = try await person.mkdir("/b")
        #expect(try await worker.take().isEmpty)
        let beat = try await person.worker.post(
            "/worker/heartbeat",
            ["session": .int(try #require(worker.session)), "holding": [.string(held.name)]])
        #expect(beat["drain"] == true && beat["stop"] == [])
        try await worker.finish(held)
        // It holds for its next session too, until it is taken back.
        let again = try await ActingWorker(person.worker, name: worker.name)
        #expect(try await again.take().isEmpty)
        #expect(try await patch(boss, "/workers/\(worker.name)", ["drained": false])["drained"] == false)
        #expect(try await again.takeOne().jobID == id)
        #expect(try await boss.get("/workers/nobody").status == 404)
        #expect(try await patch(boss, "/workers/nobody", ["drained": true]).status == 404)
        #expect(try await patch(boss, "/workers/\(worker.name)", ["drained": 1]).status == 400)
        #expect(try await person.user.get("/workers/\(worker.name)").status == 403)
        #expect(try await patch(person.user, "/workers/\(worker.name)", ["drained": true]).status == 403)
    }

    /// Users see the workers that live, without machine and version, and of their sites those that are open to them.
    @Test func workersForUsers() async throws {
        let server = try LiveServer.ofSuite
        let boss = try await server.caller(user: "boss", role: "operator")
        let person = try await newPerson()
        let friend = try await newPerson()
        let site = "s" + UUID().uuidString.prefix(8).lowercased()
        let made = try await boss.post(
            "/sites", ["name": .string(site), "protocol": "fake", "users": [.string(friend.name)]])
        let hidden = try #require(made["id"], "\(made)")
        func start(_ name: String, _ sites: [JSONValue]) async throws {
            let answer = try await person.worker.post(
                "/worker/register",
                [
                    "name": .string("\(name)-\(person.name)"), "host": "secret", "version": "7", "slots": 4,
                    "protocols": ["ssh", "http"], "sites": .array(sites),
                ])
            try #require(answer.status == 200, "\(answer)")
            let beat = try await person.worker.post(
                "/worker/heartbeat", ["session": answer["session"] ?? 0, "holding": [], "load": 1.5])
            try #require(beat.status == 200, "\(beat)")
        }
        try await start("a", [1, hidden])
        try await start("b", [])
        try await start("c", [hidden])
        func workers(_ caller: Caller) async throws -> [JSONValue] {
            let answer = try await caller.get("/workers")
            return try #require(answer.json.array, "\(answer)").filter {
                $0["name"]?.string?.hasSuffix("-\(person.name)") == true
            }
        }
        func names(_ caller: Caller) async throws -> [String] {
            try await workers(caller).compactMap { $0["name"]?.string.map { String($0.prefix(1)) } }
        }
        let seen = try await workers(person.user)
        #expect(try await names(person.user) == ["a", "b"])
        let documented: Set<String> = [
            "name", "slots", "protocols", "sites", "load", "seen", "alive", "drained", "holding",
        ]
        #expect(seen.allSatisfy { $0.keys == documented }, "\(seen)")
        #expect(seen[0]["sites"] == [1] && seen[1]["sites"] == [] && seen[0]["load"] == 1.5 && seen[0]["slots"] == 4)
        #expect(try await workers(friend.user)[0]["sites"] == [1, hidden])
        #expect(try await names(friend.user) == ["a", "b", "c"])
        #expect(try await names(boss) == ["a", "b", "c"])
        #expect(try await workers(boss).allSatisfy { $0["host"] == "secret" && $0["version"] == "7" })
        _ = try await boss.send("DELETE", "/workers/b-\(person.name)/session")
        #expect(try await names(person.user) == ["a"], "those that live")
        #expect(try await names(boss) == ["a", "b", "c"])
        #expect(try await person.worker.get("/workers").status == 403)
        // An operator's token that may only read is a user's.
        let narrow = try await boss.post("/tokens", ["scopes": ["jobs.read"]])
        #expect(try await workers(boss.with(narrow["token"]?.string)).allSatisfy { $0["host"] == nil })
    }

    /// A banned site is neither source nor destination of what is handed out; everybody sees why. It outlives a restart.
    @Test func bans() async throws {
        let server = try await LiveServer.start()
        let boss = try await server.caller(user: "boss", role: "operator")
        let person = try await server.person()
        let worker = try await ActingWorker(person.worker)
        let list = try await person.list("/x")
        let copy = try await person.register(
            "copy", ["src_siteid": 3, "src_filepath": "/x", "dst_siteid": 1, "dst_filepath": "/y"])
        let banned = try await patch(boss, "/sites/ssh-a", ["banned": "disk swap until noon"])
        #expect(banned.status == 200 && banned["id"] == 1 && banned["banned"] == "disk swap until noon", "\(banned)")
        #expect(try await worker.take().isEmpty)
        await server.kill()
        try await server.start()
        #expect(try await worker.take().isEmpty)
        let sites = try await person.user.get("/sites").json.array
        #expect(sites?.first { $0["id"] == 1 }?["banned"] == "disk swap until noon")
        #expect(sites?.first { $0["id"] == 2 }?.keys == ["id", "name", "protocol"])
        #expect(try await patch(boss, "/sites/1", ["banned": .null]).status == 200)
        #expect(Set(try await worker.take().map(\.jobID)) == [list, copy])
        for wrong: JSONValue in [[:], ["banned": ""], ["banned": 5]] {
            #expect(try await patch(boss, "/sites/1", wrong).status == 400, "\(wrong)")
        }
        #expect(try await patch(boss, "/sites/nowhere", ["banned": "x"]).status == 404)
        #expect(try await patch(person.user, "/sites/1", ["banned": "x"]).status == 403)
        await server.remove()
    }
}
