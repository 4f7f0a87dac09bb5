import HaulModel
import HaulProtocol
import Support
import Testing

/// A server that lives as long as its suite: `@Suite(.server())`.
struct ServerTrait: SuiteTrait, TestScoping {
    @TaskLocal static var running: LiveServer?

    var settings: LiveServer.Settings

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let server = try await LiveServer.start(settings)
        do {
            try await Self.$running.withValue(server) { try await function() }
        } catch {
            await server.remove()
            throw error
        }
        let isAlive = server.process?.status == nil
        await server.remove()
        if !isAlive { Issue.record("hauld died during \(test.name)") }
    }
}

extension Trait where Self == ServerTrait {
    static func server(_ change: (inout LiveServer.Settings) -> Void = { _ in }) -> Self {
        var settings = LiveServer.Settings()
        change(&settings)
        return ServerTrait(settings: settings)
    }
}

extension LiveServer {
    /// The server of the suite that runs.
    static var ofSuite: LiveServer {
        get throws { try #require(ServerTrait.running) }
    }
}

/// Someone new at the suite's server.
func newPerson() async throws -> Person { try await LiveServer.ofSuite.person() }
