import Foundation
import HaulHTTP
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// Overview's face: databases that are generated once, and watched by many.
@Suite(.server(), .timeLimit(.minutes(10))) struct OverviewTests {
    private func client(_ person: Person) -> FaceClient { FaceClient(person.user, OverviewRoutes.root) }

    private func jobs(_ person: Person) async throws -> [JSONValue] {
        try await person.user.get("/jobs").json.array ?? []
    }

    private func listing(_ directory: String, _ names: [String]) -> [String: JSONValue] {
        ["listing": [directory: .array(names.map { entry($0, size: 7) })] as JSONValue].mapValues { $0 }
    }

    /// Waiting, listed, ready: told as it happens; found again without another job; and searched.
    @Test func aDatabase() async throws {
        let person = try await newPerson()
        let client = client(person)
        let worker = try await ActingWorker(person.worker)
        let ahead = try await person.mkdir("/before")
        let wanted: KeyValuePairs<String, String> = ["server": "ssh-a", "documentSetId": "/data"]
        let search = "/search?server=ssh-a&documentSetId=/data"
        #expect(try await client.get(search).status == 404)
        let reader = OverviewReader()
        let task = reader.follow(client, wanted)
        try await eventually("it waits behind another") { reader.events.last?["n_ahead_in_queue"] == 1 }
        #expect(
            reader.head == 200 && reader.events.first?["fraction"] == 0 && reader.events.first?["returncode"] == .null)
        _ = try await person.user.send("DELETE", "/jobs/\(ahead)")
        try await eventually("it is the next") { reader.events.last?["n_ahead_in_queue"] == 0 }
        #expect(try await client.get(search).status == 404)
        let held = try await worker.takeOne()
        let moved: JSONValue = ["transferred": 5, "elapsed": 1, "instant": 1, "average": 1]
        _ = try await person.worker.with(held.token).put("\(held.path)/monitoring", moved)
        try await eventually("it runs") { reader.events.last?["message"]?.string?.contains("5 bytes") == true }
        try await worker.finish(held, listing("/data", ["One.txt", "two\".txt", "\u{e9}t\u{e9}"]))
        try await task.value
        let last = try #require(reader.events.last)
        #expect(last == ["n_ahead_in_queue": 0, "fraction": 1, "message": .null, "returncode": 0, "error": .null])
        // It is there: nothing more to tell, however it is asked for.
        let forms: [KeyValuePairs<String, String>] = [
            wanted, ["server": "1", "document_set_id": "/data"],
            ["server": "ssh-a", "documentSetId": "/data", "x": "y"],
        ]
        for form in forms { #expect(try await client.form("POST", "/generate", form).text == "[]") }
        #expect(try await jobs(person).count == 2)
        func found(_ words: String) async throws -> [String] {
            let answer = try await client.get(search + words)
            return try #require(answer.json.array, "\(answer)").compactMap { $0["path"]?.string }
        }
        #expect(try await found("") == ["/data/One.txt", "/data/two\".txt", "/data/\u{e9}t\u{e9}"])
        #expect(try await found("&q=ONE") == ["/data/One.txt"])
        #expect(try await found("&q=%C3%89T%C3%89") == ["/data/\u{e9}t\u{e9}"])
        #expect(try await found("&q=nowhere") == [])
        #expect(try await found("&q=\(String(repeating: "x", count: 256))") == [])
        #expect(try await found("&limit=2") == ["/data/One.txt", "/data/two\".txt"])
        #expect(try await found("&q=txt&limit=1") == ["/data/One.txt"])
        for wrong in ["&q=\(String(repeating: "x", count: 257))", "&limit=0", "&limit=x"] {
            #expect(try await client.get(search + wrong).status == 400, "\(wrong)")
        }
        let one = try await client.get(search + "&q=one")
        #expect(one[0] == ["path": "/data/One.txt", "size": 7, "type": "file", "mtime": 1_700_000_000])
        // Nobody else's.
        let other = try await newPerson()
        #expect(try await self.client(other).get(search).status == 404)
    }

    /// A failure is told, and forgotten; a cancel and a removal end the stream.
    @Test func badEnds() async throws {
        let person = try await newPerson()
        let client = client(person)
        let worker = try await ActingWorker(person.worker)
        let wanted: KeyValuePairs<String, String> = ["server": "ssh-a", "documentSetId": "/no"]
        func end(_ body: (Int, Held?) async throws -> Void, takes: Bool = true) async throws -> JSONValue {
            let reader = OverviewReader()
            let task = reader.follow(client, wanted)
            try await eventually("the stream has begun") { !reader.events.isEmpty }
            let known = try await jobs(person)
            let id = try #require(known.last?["id"]?.int)
            let held = takes ? try await worker.takeOne() : nil
            try await body(id, held)
            try await task.value
            #expect(reader.text.hasSuffix("]"))
            return try #require(reader.events.last)
        }
        let failed = try await end { _, held in
            try await worker.report(try #require(held), 1, ["error_class": "permission", "reason": "<b>no</b>"])
        }
        #expect(failed["returncode"] == 1 && failed["fraction"] == 1)
        #expect(failed["error"]?.string?.contains("<b>no</b>") == true)
        let cancelled = try await end(
            { id, _ in _ = try await person.user.send("DELETE", "/jobs/\(id)") }, takes: false)
        #expect(cancelled["returncode"] == 1 && cancelled["error"]?.string?.contains("cancelled") == true)
        let removed = try await end(
            { id, _ in _ = try await person.user.send("DELETE", "/jobs/\(id)?remove=1") }, takes: false)
        #expect(removed["returncode"] == 1 && removed["error"]?.string?.contains("removed") == true)
        // Somebody popped it and says that it is done: there is no database of it.
        let popped = try await end(
            { id, _ in
                let taken = try await person.user.post("/jobs/\(id)/pop", [:])
                let said = try await person.user.put("/jobs/\(id)/outcome", ["returncode": 0])
                #expect(taken.status == 200 && said.status == 200, "\(taken) \(said)")
            }, takes: false)
        #expect(popped["returncode"] == 1 && popped["error"]?.string?.contains("without a listing") == true)
        #expect(try await client.get("/search?server=ssh-a&documentSetId=/no").status == 404)
        let done = try await end { _, held in try await worker.finish(try #require(held), listing("/no", [])) }
        #expect(done["returncode"] == 0)
        #expect(try await client.get("/search?server=ssh-a&documentSetId=/no").text == "[]")
        #expect(try await jobs(person).count == 4)
    }

    /// Clients that leave take nothing with them: the job goes on, the next finds it where it is, and nobody is left waiting.
    @Test func clientsThatLeave() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let client = client(person)
        let worker = try await ActingWorker(person.worker)
        let wanted: KeyValuePairs<String, String> = ["server": "ssh-a", "documentSetId": "/left"]
        func visit(_ count: Int) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<count {
                    group.addTask {
                        let reader = OverviewReader()
                        let task = reader.follow(client, wanted)
                        try await eventually("it is told", within: .seconds(60)) { !reader.events.isEmpty }
                        task.cancel()
                        _ = try? await task.value
                    }
                }
                try await group.waitForAll()
            }
        }
        try await visit(20)
        let memory = server.memory
        for _ in 0..<5 { try await visit(20) }
        #expect(try await jobs(person).count == 1)
        #expect(server.memory - memory < 32 << 20, "\((server.memory - memory) >> 20) MiB")
        let held = try await worker.takeOne()
        let reader = OverviewReader()
        let task = reader.follow(client, wanted)
        try await eventually("where it is") { reader.events.last?["message"] == "listing" }
        try await worker.finish(held, listing("/left", ["a"]))
        try await task.value
        #expect(reader.events.last?["returncode"] == 0)
        try await eventually("nobody's connection is left") { try openConnections(of: server) <= 32 }
    }

    private func openConnections(of server: LiveServer) throws -> Int {
        let pid = server.process?.pid ?? 0
        let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
        return files.count { name in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(name)"))?.hasPrefix(
                "socket:")
                ?? false
        }
    }

    /// Sixty-four who ask at once, at two servers of one database: one job, told to all of them.
    @Test func manyAskers() async throws {
        var settings = LiveServer.Settings()
        settings.store = try await TestDatabase.makePostgreSQL()
        let logs = NSTemporaryDirectory() + "haul-overview-logs-\(UUID().uuidString)"
        settings.logs = "\"\(logs)\""
        let servers = [try await LiveServer.start(settings), try await LiveServer.start(settings)]
        let person = try await servers[0].person()
        let worker = try await ActingWorker(person.worker)
        let wanted: KeyValuePairs<String, String> = ["server": "ssh-a", "documentSetId": "/data"]
        let readers = (0..<64).map { _ in OverviewReader() }
        let tasks = readers.enumerated().map { number, reader in
            reader.follow(client(person).at(servers[number % 2]), wanted)
        }
        let native = try await person.at(servers[1]).user.post(
            "/list?join=1", ["src_siteid": 1, "src_filepath": "/data"])
        try await eventually("all are told") { readers.allSatisfy { !$0.events.isEmpty } }
        let all = try await jobs(person)
        #expect(all.count == 1 && all.first?["id"] == native["id"], "\(native)")
        // Some go, and come back at the other server: it is where it was.
        for task in tasks.prefix(16) { task.cancel() }
        let returned = (0..<16).map { _ in OverviewReader() }
        let others = returned.enumerated().map { number, reader in
            reader.follow(client(person).at(servers[(number + 1) % 2]), wanted)
        }
        try await eventually("they are told, too") { returned.allSatisfy { !$0.events.isEmpty } }
        // What its worker tells one server is told by both.
        let held = try await worker.takeOne()
        let moved: JSONValue = ["transferred": 5, "elapsed": 1, "instant": 1, "average": 1]
        _ = try await person.worker.with(held.token).put("\(held.path)/monitoring", moved)
        try await eventually("they are told of bytes") {
            (readers.dropFirst(16) + returned).allSatisfy {
                $0.events.contains { $0["message"]?.string?.contains("5 bytes") == true }
            }
        }
        try await worker.finish(held, listing("/data", ["a"]))
        for task in tasks.dropFirst(16) + others { try await task.value }
        #expect((readers.dropFirst(16) + returned).allSatisfy { $0.events.last?["returncode"] == 0 })
        #expect(try await jobs(person).count == 1)
        for server in servers {
            #expect(try await client(person).at(server).form("POST", "/generate", wanted).text == "[]")
            let found = try await client(person).at(server).get("/search?server=ssh-a&documentSetId=/data&q=a")
            #expect(found.json.array?.count == 1)
        }
        for server in servers.reversed() { await server.remove() }
        try? FileManager.default.removeItem(atPath: logs)
    }
}
