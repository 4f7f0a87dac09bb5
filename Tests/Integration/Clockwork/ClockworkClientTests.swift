import Foundation
import HaulHTTP
import HaulModel
import HaulPlayground
import Support
import Testing

/// Clockwork's face as its own client sees it, and byte by byte.
@Suite(.timeLimit(.minutes(10))) struct ClockworkClientTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

    /// clockwork-tools from PyPI, unchanged.
    @Test func clockworkTools() async throws {
        let server = try await LiveServer.start()
        let worker = try await RealWorker.start(server)
        let name = "someone@example.org"
        let user = try await Caller(server: server, token: server.token(user: name, role: "user"))
        let made = try await user.post("/list", ["src_siteid": "fake-a", "src_filepath": "/tree/3"])
        let job = try #require(made["id"]?.int)
        let other = try await server.person().mkdir("/d")
        try await eventually("the job has run") { try await user.get("/jobs/\(job)/status")["status"] == "DONE" }
        let run = try await ProgramRun(
            executable: try PythonTool.path("python"),
            [
                "\(Self.folder)/Python/use.py", "127.0.0.1", "\(server.port)", name, user.token ?? "", "\(job)",
                "\(other)",
            ], environment: ["HOME": server.folder, "PYTHONDONTWRITEBYTECODE": "1"], atMost: .seconds(60))
        #expect(run.code == 0 && run.output.contains("all is well"), "\(run) \(worker.log.suffix(2000))")
        #expect(!server.log.contains("request failed"))
        await worker.stop()
        await server.remove()
    }

    /// The requests and answers of `Golden/`.
    @Test func golden() async throws {
        let server = try await LiveServer.start()
        let alice = try await Caller(server: server, token: server.token(user: "alice", role: "user"))
        let bob = try await Caller(server: server, token: server.token(user: "bob", role: "user"))
        let worker = try await ActingWorker(
            Caller(server: server, token: server.token(user: "w", role: "worker")), name: "w",
            sites: [.string("ssh-a")])
        let done: JSONValue = ["src_siteid": 1, "src_filepath": "/data/run 1", "label": "first", "queue": "fast"]
        #expect(try await alice.post("/mkdir", done)["id"] == 1)
        try await worker.finish(try await worker.takeOne())
        let copy: JSONValue = [
            "src_siteid": 1, "src_filepath": "/a", "dst_siteid": 2, "dst_filepath": "/b", "execution_duration": 60,
        ]
        #expect(try await alice.post("/copy", copy)["id"] == 2)
        #expect(try await bob.post("/mkdir", done)["id"] == 3)
        let files = GoldenFiles(
            folder: Self.folder + "/Golden", least: 24, roots: ClockworkRoutes.roots,
            routes: ClockworkRoutes.all.map { GoldenFiles.Route(method: $0.method, path: $0.path) })
        try await files.check(server) { name in
            var client = FaceClient(alice, "")
            if name.contains("ambiguous") {
                _ = try await ActingWorker(worker.caller, name: "w2")
                // By the machine's name, which users are not told.
                let chief = try await server.token(user: "chief", role: "operator")
                client = FaceClient(Caller(server: server, token: chief), "")
            }
            if name.contains("stranger") { client.token = "nobody" }
            return client
        }
        await server.remove()
    }
}
