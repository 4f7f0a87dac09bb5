import Foundation
import HaulHTTP
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// The playground's promises, on the real servers.
@Suite(.serialized, .timeLimit(.minutes(10)))
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
        #expect(
            stack.parts.map(\.name) == [
                "ssh-a", "ssh-b", "http-a", "http-b", "gridftp-a", "gridftp-b", "hauld", "worker-1",
            ])

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
        #expect(Set(document.passwords.keys) == ["alice", "bob"] && Set(document.passwords.values).count == 2)
        #expect(document.url == stack.url)
        for name in ["ssh-a", "ssh-b", "http-a", "http-b", "local-a", "fake-a"] { #expect(document.sites[name] != nil) }
        #expect(Set(document.sites.values.map(\.id)).isSuperset(of: 12...16))
        #expect(document.processes["worker-1"] == nil)
        #expect(document.processes["hauld"]?.argv.contains { $0.hasSuffix("/hauld") } == true)
    }

    /// Parts that somebody killed and started again with nothing but their `argv` are the playground's again.
    @Test func whatSomebodyElseStartsAgainIsTakenUp() async throws {
        let folder = NSTemporaryDirectory() + "haul-play-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let playground = try await Child.start(
            Command(
                executable: Built.executable("haul-playground"), arguments: ["run", "--dir", folder, "--workers", "0"],
                output: .null, errors: .null, newGroup: true))
        func document() -> StackDocument? {
            let data = FileManager.default.contents(atPath: folder + "/playground.json")
            return data.flatMap { try? JSONDecoder().decode(StackDocument.self, from: $0) }
        }
        let isUp = try await holds { document() != nil }
        #expect(isUp)
        var others: [Child] = []
        for name in ["hauld", "ssh-a", "http-a"] {
            let part = try #require(document()?.processes[name])
            kill(part.pid, SIGKILL)
            let isGone = try await holds { kill(part.pid, 0) != 0 }
            #expect(isGone)
            let again = try await Child.start(
                Command(
                    executable: part.argv[0], arguments: Array(part.argv.dropFirst()), environment: Environment.allowed,
                    output: .null, errors: .null, newGroup: true))
            others.append(again)
            let isKnown = try await holds { document()?.processes[name]?.pid == again.pid }
            #expect(isKnown, "\(name)")
        }
        playground.signal(SIGTERM)
        #expect(await playground.wait(atMost: .seconds(20))?.code == 0)
        for other in others {
            #expect(await other.wait(atMost: .seconds(5)) != nil, "it outlives the playground")
            await other.stop(grace: .zero)
        }
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
