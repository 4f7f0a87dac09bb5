import Foundation
import HaulModel
import Support
import Testing

/// The requests and answers of `Golden/` beside each dialect's tests; Clockwork's stand with its client.
@Suite(.timeLimit(.minutes(5))) struct DialectGoldenTests {
    /// A server, alice, who asks, and a worker of hers.
    private struct World {
        let server: LiveServer
        let alice: Caller
        let worker: ActingWorker
    }

    /// - Parameter before: done before the request of a file, by the file's name.
    private func check(
        _ dialect: String, least: Int, roots: [String], _ routes: [(method: String, path: String)],
        before: (String, World) async throws -> Void
    ) async throws {
        let server = try await LiveServer.start()
        let alice = try await Caller(server: server, token: server.token(user: "alice", role: "user"))
        let bob = try await Caller(server: server, token: server.token(user: "bob", role: "user"))
        #expect(try await bob.post("/mkdir", ["src_siteid": 1, "src_filepath": "/b"])["id"] == 1)
        let worker = try await ActingWorker(
            Caller(server: server, token: server.token(user: "w", role: "worker", "--users", "alice")))
        let world = World(server: server, alice: alice, worker: worker)
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        let files = GoldenFiles(
            folder: "\(folder)/\(dialect)/Golden", least: least, roots: roots,
            routes: routes.map { GoldenFiles.Route(method: $0.method, path: $0.path) })
        try await files.check(server) { name in
            try await before(name, world)
            var client = FaceClient(alice, "")
            if name.contains("stranger") { client.token = nil }
            return client
        }
        await server.remove()
    }

    /// The third job runs, and is done; the fourth fails.
    @Test func uws() async throws {
        var held: Held?
        try await check("UWS", least: 58, roots: ["/uws"], UWSRoutes.all) { name, world in
            switch name {
            case "21-executing":
                let taken = try await world.worker.takeOne()
                let progress: JSONValue = ["transferred": 5, "elapsed": 2, "instant": 1.5, "average": 2.5]
                let answer = try await world.worker.caller.with(taken.token).put(taken.path + "/monitoring", progress)
                #expect(answer.status == 200, "\(answer)")
                held = taken
            case "23-completed":
                let listing: JSONValue = ["/data": [entry("One.txt", size: 7), entry("two")]]
                try await world.worker.finish(try #require(held), ["listing": listing])
            case "30-failed":
                let taken = try await world.worker.takeOne()
                try await world.worker.report(
                    taken, 1, ["error_class": "permission", "reason": "may <not>", "log": "tried & failed\n"])
            default: break
            }
        }
    }

    @Test func qdo() async throws {
        // What stands below a user stands below `users` and the user, too.
        let routes = QdoRoutes.all.filter { !$0.path.hasPrefix("/users/") } + QdoRoutes.site
        try await check("Qdo", least: 41, roots: ["/qdo/users", "/qdo"], routes) { name, world in
            if name == "26-login" { try await world.server.addUser("carol", role: "user", password: "correct horse") }
        }
    }

    /// Databases that are made while somebody waits for them, each to another end.
    @Test func overview() async throws {
        var ends: [Task<Void, any Error>] = []
        let routes = OverviewRoutes.all.map { (method: $0.method, path: $0.path) }
        try await check("Overview", least: 18, roots: [OverviewRoutes.root], routes) { name, world in
            let (alice, worker) = (world.alice, world.worker)
            switch name {
            case "01-done":
                let made = try await alice.post("/list?join=1", ["src_siteid": 1, "src_filepath": "/data"])
                let held = try await worker.takeOne()
                #expect(made["id"] == .int(held.jobID))
                try await worker.finish(held, ["listing": ["/data": [entry("One.txt", size: 7), entry("two")]]])
            case "08-generated":
                ends.append(Task { try await worker.finish(try await worker.takeOne(), ["listing": ["/new": []]]) })
            case "10-failed":
                ends.append(
                    Task {
                        let no: [String: JSONValue] = ["error_class": "permission", "reason": "may \"not\""]
                        try await worker.report(try await worker.takeOne(), 1, no)
                    })
            case "11-cancelled":
                ends.append(
                    Task {
                        try await eventually("it waits") {
                            let waiting = try await alice.get("/jobs?stage=waiting").json.array ?? []
                            for job in waiting { _ = try await alice.send("DELETE", "/jobs/\(job["id"]?.int ?? 0)") }
                            return !waiting.isEmpty
                        }
                    })
            default: break
            }
        }
        for end in ends { try await end.value }
    }
}
