import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// The http protocol against both servers that matter: what one forgives the other does not.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct HTTPConformance {
    /// Asks for a password.
    @Test func apache() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("checker:{SHA}uY75hC2Al6wUTkZIw8NskNpvhLg=\n".utf8).write(to: URL(fileURLWithPath: folder + "/users"))
        _ = FileManager.default.createFile(
            atPath: folder + "/password", contents: Data("checker:hunter2-of-the-suite\n".utf8),
            attributes: [.posixPermissions: 0o600])
        try await check([:], credentials: ["http-password": folder + "/password"]) {
            try await Apache.start(root: $0, passwordFile: folder + "/users")
        }
    }

    /// nginx's PROPFIND leaves out every name that starts with a dot, so its site has to allow that directories go; all
    /// else must hold, and this must be all.
    @Test func nginx() async throws {
        let hidden = "2 names: \"...\": list: it is listed as []; \".hidden\": list: it is listed as []"
        let limits = Limits.all(["hostile names": .failed(hidden)], Limits.noCredentials)
        try await check(limits, ["unlisted_names": "remove"]) {
            try await Nginx.start(root: $0)
        }
    }

    private func check(
        _ limits: [String: CheckCase.Verdict], _ options: [String: JSONValue] = [:],
        credentials: [String: String] = [:], _ start: (String) async throws -> WebServer
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for part in ["root/base", "local"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        let server = try await start("\(folder)/root")
        chmod("\(folder)/root/base", 0o777)
        let target = CheckTarget(
            discovered: try #require(Built.protocols()["http"]),
            site: SiteSpec(site: "http-a", endpoints: [server.endpoint], options: options, credentials: credentials),
            base: "/base", disk: "\(folder)/root/base", local: "\(folder)/local", resumeBytes: 256 << 20)
        let cases: [CheckCase]
        do { cases = try await ProtocolCheck(target).run() } catch {
            await server.stop()
            throw error
        }
        await server.stop()
        let limits = Limits.all(
            limits, Limits.ownTimes, Limits.ownPermissions, Limits.noLinks, Limits.noResume)
        for outcome in cases { #expect(outcome.verdict == limits[outcome.name] ?? .passed, "\(outcome)") }
    }
}
