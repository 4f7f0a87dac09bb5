import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// The rclone protocol over two of rclone's backends: this machine's disk, and WebDAV of a real server.
///
/// rclone's answers show a byte that is not UTF-8 as U+FFFD, so a LIST fails with the directory and what is left of the
/// name, without the byte. That must be all.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct RcloneConformance {
    @Test func local() async throws {
        try await check { folder in ("\(folder)/root", nil) }
    }

    @Test func webDAV() async throws {
        try await check { folder in
            let server = try await Apache.start(root: "\(folder)/root")
            return (":webdav,url='http://\(server.endpoint)/':", server)
        }
    }

    private func check(_ start: (String) async throws -> (String, WebServer?)) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for part in ["root/base", "local"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        chmod("\(folder)/root/base", 0o777)
        let (remote, server) = try await start(folder)
        let target = CheckTarget(
            discovered: try #require(Built.protocols()["rclone"]),
            site: SiteSpec(
                site: "rclone-a",
                options: ["remote": .string(server == nil ? ":local:\(remote)" : remote)]), base: "/base",
            disk: "\(folder)/root/base", local: "\(folder)/local")
        let cases: [CheckCase]
        do { cases = try await ProtocolCheck(target).run() } catch {
            await server?.stop()
            throw error
        }
        await server?.stop()
        var limits = Limits.all(
            Limits.ownPermissions, Limits.noLinks, Limits.noResume, Limits.noResumeElsewhere,
            Limits.noCredentials)
        // rclone's WebDAV keeps times with few vendors.
        if server != nil { limits = Limits.all(limits, Limits.ownTimes) }
        for outcome in cases where outcome.name != "names that are not UTF-8" {
            #expect(outcome.verdict == limits[outcome.name] ?? .passed, "\(outcome)")
        }
        let notText = cases.first { $0.name == "names that are not UTF-8" }
        guard case .failed(let why) = notText?.verdict else {
            Issue.record("\(notText.map { "\($0)" } ?? "the case is gone"): rclone tells the bytes of names by now")
            return
        }
        #expect(why.contains("/latin holds the name \"caf\u{fffd}.txt\", which is not UTF-8"), "\(why)")
    }
}
