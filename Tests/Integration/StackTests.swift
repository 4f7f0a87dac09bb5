import Foundation
import HaulHTTP
import HaulPlayground
import Testing

/// The playground's promises, on the real servers.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct StackTests {
    private func options() -> Stack.Options {
        var options = Stack.Options(directory: NSTemporaryDirectory() + "haul-stack-\(UUID().uuidString)")
        options.isTemporary = true
        return options
    }

    private func answers(_ stack: Stack, as user: String = "alice") async -> Int? {
        let client = HTTPClient()
        let request = HTTPClientRequest(
            url: stack.url + "/workqueue/api/v1.0/jobs",
            headers: ["Authorization": "Bearer \(stack.tokens[user] ?? "")"], timeout: 5)
        let status = try? await client.send(request).status
        await client.close()
        return status
    }

    private func holds(_ condition: () async -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if await condition() { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    @Test func partsComeBackOnTheirPortsAndNothingIsLeft() async throws {
        let options = options()
        let stack = try await Stack.start(options)
        var pids = stack.parts.map(\.pid)
        #expect(await answers(stack) == 200)
        #expect(stack.parts.map(\.name) == ["ssh-a", "ssh-b", "http-a", "http-b", "hauld", "worker-1"])

        await stack[part: "hauld"]?.kill()
        #expect(await answers(stack) == nil)
        try await stack.startAgain("hauld")
        let isBack = try await holds { await answers(stack) == 200 }
        #expect(isBack)
        pids += stack.parts.map(\.pid)

        #expect(await stack.stop().isEmpty)
        #expect(pids.allSatisfy { kill($0, 0) != 0 })
        #expect(!FileManager.default.fileExists(atPath: options.directory))
    }

    @Test func theDocumentSaysWhereEverythingIs() async throws {
        var options = options()
        options.workers = 0
        let stack = try await Stack.start(options)
        let path = try stack.writeDocument()
        let data = try #require(FileManager.default.contents(atPath: path))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        await stack.stop()

        let document = try JSONDecoder().decode(StackDocument.self, from: data)
        #expect(mode == 0o600)
        #expect(Set(document.tokens.keys) == ["alice", "bob", "worker", "operator"])
        #expect(Set(document.tokens.values).count == 4)
        #expect(document.url == stack.url)
        for name in ["ssh-a", "ssh-b", "http-a", "http-b", "local-a", "fake-a"] { #expect(document.sites[name] != nil) }
        #expect(Set(document.sites.values.map(\.id)).isSuperset(of: 12...16))
        #expect(document.processes["worker-1"] == nil)
        #expect(document.processes["hauld"]?.argv.contains { $0.hasSuffix("/hauld") } == true)
    }

    @Test func aFolderOfSomebodyElseIsRefused() async throws {
        let options = options()
        try FileManager.default.createDirectory(
            atPath: options.directory + "/theirs", withIntermediateDirectories: true)
        await #expect(throws: StackError.self) { _ = try await Stack.start(options) }
        #expect(FileManager.default.fileExists(atPath: options.directory + "/theirs"))
        try FileManager.default.removeItem(atPath: options.directory)
    }

    @Test func twoRunAtATimeButNotInOneFolder() async throws {
        let options = options()
        let first = try await Stack.start(options)
        let second = try await Stack.start(self.options())
        #expect(first.url != second.url)
        await #expect(throws: StackError.self) { _ = try await Stack.start(options) }
        #expect(await answers(first) == 200)
        #expect(await answers(second) == 200)
        await second.stop()
        await first.stop()
    }
}
