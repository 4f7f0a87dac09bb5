import Foundation
import HaulProtocol
import Support
import Testing

/// The whole over HTTPS, with an authority that the system does not know: server, command line, worker.
@Suite(.timeLimit(.minutes(5))) struct TLSTests {
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

    /// Whoever listens for others in plain text is told what that means.
    @Test func plainForOthers() async throws {
        var settings = LiveServer.Settings()
        settings.host = "0.0.0.0"
        let server = try await LiveServer.start(settings)
        try await eventually("it says so") { server.log.contains("no TLS") }
        await server.remove()
        let trusting = "proxies: {trusted: [\"127.0.0.1\"]},"
        let certificate = try await Certificate()
        for (host, certificate, more) in [
            ("127.0.0.1", nil, ""), ("0.0.0.0", certificate, ""), ("0.0.0.0", nil, trusting),
        ] {
            settings.host = host
            settings.certificate = certificate
            settings.more = more
            let server = try await LiveServer.start(settings)
            // What it says at its start has been said once it ends.
            await server.stop()
            #expect(!server.log.contains("no TLS"), "\(host) \(more)")
            await server.remove()
        }
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
