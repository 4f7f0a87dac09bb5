import Foundation
import Support
import Testing

/// The qdo face as Python's requests drives it.
@Suite(.timeLimit(.minutes(6))) struct QdoClientTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

    /// The example of qdo's own document, and then a queue from its making to its removal.
    @Test func requests() async throws {
        let server = try await LiveServer.start()
        try await server.addUser("sjbailey", role: "user", password: "a good password")
        let run = try await ProgramRun(
            executable: try PythonTool.path("python"), ["\(Self.folder)/Python/example.py", server.url + "/qdo"],
            environment: ["HOME": server.folder, "PYTHONDONTWRITEBYTECODE": "1"], atMost: .seconds(60))
        #expect(run.code == 0 && run.output.contains("all is well"), "\(run)")
        #expect(!server.log.contains("request failed"))
        await server.remove()
    }
}
