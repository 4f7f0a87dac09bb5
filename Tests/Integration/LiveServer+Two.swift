import HaulProtocol
import Support
import Testing

extension LiveServer {
    /// Two servers of one database, for as long as a test takes.
    static func two(
        _ change: (inout Settings) -> Void = { _ in }, _ body: (LiveServer, LiveServer) async throws -> Void
    ) async throws {
        var settings = Settings()
        change(&settings)
        let first = try await start(settings)
        settings.state = first.stateFolder
        settings.store = first.sharedStore
        let second = try await start(settings)
        do { try await body(first, second) } catch {
            await second.remove()
            await first.remove()
            throw error
        }
        #expect(first.process?.status == nil || first.process == nil)
        await second.remove()
        await first.remove()
    }
}
