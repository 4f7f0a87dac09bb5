import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// The ssh protocol against OpenSSH's own server.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct SSHConformance {
    @Test func openSSH() async throws {
        let server = try await Sshd.start()
        let local = NSTemporaryDirectory() + "haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: local) }
        for folder in [server.root + "/base", local] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        let target = CheckTarget(
            discovered: try #require(Built.protocols()["ssh"]),
            site: SiteSpec(
                site: "ssh-a", endpoints: [server.endpoint],
                options: ["user": .string(NSUserName()), "host_keys": [.string(server.hostKey)]],
                credentials: ["ssh-key": server.loginKey]),
            base: server.root + "/base", disk: server.root + "/base", local: local, resumeBytes: 256 << 20)
        let cases: [CheckCase]
        do { cases = try await ProtocolCheck(target).run() } catch {
            await server.stop()
            throw error
        }
        await server.stop()
        for outcome in cases { #expect(outcome.verdict == .passed, "\(outcome)") }
    }
}
