import Foundation
import HaulProtocol
import Support
import Testing

/// The whole over HTTPS, with an authority that the system does not know: server, command line, worker.
@Suite(.timeLimit(.minutes(1))) struct TLSTests {
    private func secret(_ text: String, _ name: String, _ server: LiveServer) throws -> String {
        let path = "\(server.folder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    @Test func everyPart() async throws {
        var settings = LiveServer.Settings()
        let certificate = try await Certificate()
        settings.certificate = certificate
        let server = try await LiveServer.start(settings)
        let alice = try await server.token(user: "alice", role: "user")
        let token = try secret(alice, "alice.token", server)
        let config = """
            {
                url: "\(server.url)", ca_file: "\(certificate.path)", name: "w",
                token_file: "\(try secret(try await server.token(user: "w", role: "worker"), "w.token", server))",
                protocols_dir: "\(Built.repository)/protocols", work_dir: "work",
            }
            """
        let file = "\(server.folder)/worker.json5"
        try config.write(toFile: file, atomically: true, encoding: .utf8)
        let worker = try await Child.start(
            Command(
                executable: Built.executable("haul-worker"), arguments: ["--config", file], output: .null,
                errors: .append(path: server.folder + "/worker.log")))
        let common = ["--url", server.url, "--token-file", token]
        let trusting = common + ["--ca-file", certificate.path]
        let run = try await ProgramRun("haul", ["mkdir", "fake-a:/ok", "--wait"] + trusting)
        #expect(run.code == 0, "\(run)")
        // Without the authority nobody is believed.
        let refused = try await ProgramRun("haul", ["jobs"] + common)
        #expect(refused.code != 0 && refused.errors.lowercased().contains("certificate"), "\(refused)")
        let plain = try await ProgramRun(
            "haul", ["jobs", "--url", "http://127.0.0.1:\(server.port)", "--token-file", token])
        #expect(plain.code != 0)
        _ = await worker.stop(grace: .seconds(10))
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
