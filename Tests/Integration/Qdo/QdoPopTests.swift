import HaulHTTP
import HaulModel
import Support
import Testing

/// Many clients at one queue: each task goes to exactly one, whichever server it is asked of.
@Suite(.timeLimit(.minutes(4))) struct QdoPopTests {
    private static let clients = 16

    /// - Returns: what each client got, none of it twice.
    private func popAll(_ queue: String, _ places: [QdoClient]) async throws -> [String] {
        try await withThrowingTaskGroup(of: [String].self) { group in
            for number in 0..<Self.clients {
                group.addTask {
                    let client = places[number % places.count]
                    var mine: [String] = []
                    while let task = try await client.pop(queue)?["id"]?.string {
                        mine.append(task)
                        // One in four reports at once, the others when all is handed out, or never.
                        if mine.count.isMultiple(of: 4) {
                            let said: JSONValue = ["state": "Succeeded", "err": 0]
                            #expect(try await client.send("PUT", "\(queue)/tasks/\(task)", said).status == 200)
                        }
                    }
                    return mine
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func everyTaskOnce(_ places: [QdoClient]) async throws {
        let first = places[0]
        _ = try await first.send("PUT", "q")
        let commands = JSONValue.array((0..<300).map { .string("task \($0)") })
        let added = try await first.send("POST", "q/batchtasks/", ["commands": commands])
        let ids = (added.json.array ?? []).compactMap { $0["id"]?.string }
        try #require(ids.count == 300, "\(added)")
        let popped = try await popAll("q", places)
        #expect(popped.count == 300 && Set(popped) == Set(ids))
        let left = try await first.get("q")["ntasks"]?["Running"]?.int ?? 0
        #expect(left > 0 && left < 300)
        // Those who never came back: what they had is handed out again, once.
        #expect(try await first.send("PUT", "q/recover")["ntasks"]?["Pending"] == .int(left))
        let again = try await popAll("q", places)
        #expect(again.count == left && Set(again).count == left && Set(again).isSubset(of: ids))
    }

    @Test func oneServer() async throws {
        let server = try await LiveServer.start()
        try await everyTaskOnce([QdoClient(try await server.person())])
        #expect(!server.log.contains("request failed"))
        await server.remove()
    }

    @Test func twoServersOfOneDatabase() async throws {
        var settings = LiveServer.Settings()
        settings.store = try await TestDatabase.makePostgreSQL()
        let folder = try Folder()
        settings.logs = "\"\(folder.path)\""
        let servers = [try await LiveServer.start(settings), try await LiveServer.start(settings)]
        let person = try await servers[0].person()
        try await everyTaskOnce(servers.map { QdoClient(person.at($0)) })
        for server in servers {
            #expect(!server.log.contains("request failed"))
            await server.remove()
        }
    }

    /// The queue's lease brings back what a client took and never returned.
    @Test func leaseEnds() async throws {
        let server = try await LiveServer.start()
        let person = try await server.person()
        let client = QdoClient(person)
        _ = try await client.send("PUT", "q")
        #expect(try await person.user.send("PATCH", "/queues/q", Array("{\"lease\": 1}".utf8))["lease"] == 1)
        let task = try await client.add("x", to: "q")
        #expect(try await client.pop("q")?["id"] == .string(task))
        try await eventually("it is Pending again") { try await client.state(task, in: "q") == "Pending" }
        #expect(try await client.pop("q")?["id"] == .string(task))
        await server.remove()
    }
}
