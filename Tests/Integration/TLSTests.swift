import Foundation
import HaulProtocol
import Support
import Testing

/// The whole over HTTPS, with an authority that the system does not know: server, command line, worker.
@Suite(.timeLimit(.minutes(1))) struct TLSTests {
    @Test func everyPart() async throws {
        var settings = LiveServer.Settings()
        settings.certificate = try await Certificate()
        let server = try await LiveServer.start(settings)
        let worker = try await RealWorker.start(server)
        let run = try await worker.haul("mkdir", "fake-a:/ok", "--wait")
        #expect(run.code == 0, "\(run)")
        // Without the authority nobody is believed.
        let bare = ["jobs", "--token-file", worker.tokenFile, "--url"]
        let refused = try await ProgramRun("haul", bare + [server.url])
        #expect(refused.code == 5 && refused.errors.lowercased().contains("certificate"), "\(refused)")
        #expect(try await ProgramRun("haul", bare + ["http://127.0.0.1:\(server.port)"]).code == 5)
        await worker.stop()
        await server.remove()
    }

    /// A certificate that can't be used: one line, exit 1.
    @Test(arguments: ["certificate", "key"])
    func unusable(part: String) async throws {
        var settings = LiveServer.Settings()
        let certificate = try await Certificate()
        settings.certificate = certificate
        let server = try LiveServer(settings)
        try server.configure(port: 0)
        try "no PEM".write(
            toFile: part == "key" ? certificate.keyPath : certificate.path, atomically: true, encoding: .utf8)
        let run = try await ProgramRun("hauld", ["--config", server.config], atMost: .seconds(30))
        #expect(run.code == 1 && run.errors.contains("hauld: "), "\(run)")
        await server.remove()
    }
}
