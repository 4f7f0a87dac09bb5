import Foundation
import HaulModel
import Support
import Testing

/// Verbs that change what is registered, with the real worker at work.
@Suite(.timeLimit(.minutes(6))) struct CommandLineTests {
    /// A cancel stops what runs; a retry runs it again; a change moves it.
    @Test func cancelRetryChange() async throws {
        var settings = LiveServer.Settings()
        settings.heartbeatSeconds = 1
        let server = try await LiveServer.start(settings)
        let worker = try await RealWorker.start(server)
        let id = try await worker.haul("mkdir", "fake-a:/sleep/600/d").output.trimmingCharacters(in: .newlines)
        try await eventually("it runs") { try await worker.haul("status", id).output == "RUNNING\n" }
        #expect(worker.backends.count == 1)
        let asked = try await worker.haul("cancel", id)
        #expect(asked.code == 0 && asked.output == "job \(id) is being cancelled\n", "\(asked)")
        let cancelled = try await worker.haul("cancel", id, "--wait", "--timeout", "30")
        #expect(cancelled.code == 0, "\(cancelled)")
        #expect(try await worker.haul("status", id).output == "CANCELLED\n")
        try await eventually("its backend is gone") { worker.backends.isEmpty }
        #expect(try await worker.haul("wait", id).code == 8)
        let changed = try await worker.haul("change", id, "--label", "mine", "--json")
        #expect(changed.code == 0 && changed.output.contains("\"label\":\"mine\""), "\(changed)")
        #expect(try await worker.haul("change", id, "--priority", "1").code == 7)
        #expect(try await worker.haul("change", id).code == 2)
        let again = try await worker.haul("retry", id)
        #expect(again.code == 0 && again.output == "job \(id) is tried again\n", "\(again)")
        try await eventually("it runs again") { try await worker.haul("status", id).output == "RUNNING\n" }
        let element = try await worker.haul("cancel", id, "--element", "0")
        #expect(element.code == 0 && element.output.hasPrefix("element 0 of job \(id) is "), "\(element)")
        #expect(try await worker.haul("wait", id, "--timeout", "30").code == 8)
        #expect(try await worker.haul("cancel", "999").code == 3)
        let done = try await worker.haul("mkdir", "fake-a:/ok", "--wait", "--deadline", "2099-01-01", "--json")
        #expect(done.code == 0 && done.output.contains("2099-01-01T00:00:00.000Z"), "\(done)")
        let number = try #require(try JSONReader.value(Array(done.output.utf8))["id"]?.int)
        #expect(try await worker.haul("retry", "\(number)").code == 7)
        await worker.stop()
        await server.remove()
    }
}
