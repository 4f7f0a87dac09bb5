import Foundation
import HaulModel
import Support
import Testing

/// The requests and answers of `Golden/` beside each dialect's tests; Clockwork's stand with its client.
@Suite(.timeLimit(.minutes(1))) struct DialectGoldenTests {
    private func check(
        _ dialect: String, least: Int, prepare: (Caller, LiveServer) async throws -> Void
    ) async throws {
        let server = try await LiveServer.start()
        let alice = try await Caller(server: server, token: server.token(user: "alice", role: "user"))
        let bob = try await Caller(server: server, token: server.token(user: "bob", role: "user"))
        #expect(try await bob.post("/mkdir", ["src_siteid": 1, "src_filepath": "/b"])["id"] == 1)
        try await prepare(alice, server)
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        try await GoldenFiles(folder: "\(folder)/\(dialect)/Golden", least: least).check(server) { name in
            var client = FaceClient(alice, "")
            if name.contains("stranger") { client.token = nil }
            return client
        }
        await server.remove()
    }

    @Test func uws() async throws { try await check("UWS", least: 19) { _, _ in } }

    @Test func qdo() async throws { try await check("Qdo", least: 25) { _, _ in } }

    @Test func overview() async throws {
        try await check("Overview", least: 7) { alice, server in
            let made = try await alice.post("/list?join=1", ["src_siteid": 1, "src_filepath": "/data"])
            let worker = try await ActingWorker(
                Caller(server: server, token: server.token(user: "w", role: "worker", "--users", "alice")))
            let held = try await worker.takeOne()
            #expect(made["id"] == .int(held.jobID))
            try await worker.finish(held, ["listing": ["/data": [entry("One.txt", size: 7), entry("two")]]])
        }
    }
}
