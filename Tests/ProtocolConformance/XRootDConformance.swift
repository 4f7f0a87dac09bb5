import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// The xrootd protocol against XRootD's own server.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct XRootDConformance {
    /// A `?` begins the parameters of a request in XRootD's protocol itself: no server can be told of such a name. That
    /// must be all.
    @Test func anonymous() async throws {
        let limits = Limits.all(
            Limits.ownTimes, Limits.noLinks, Limits.noResume, Limits.noCredentials)
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for part in ["root/base", "local"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        chmod("\(folder)/root/base", 0o777)
        let server = try await XRootD.start(root: "\(folder)/root")
        let target = CheckTarget(
            discovered: try #require(Built.protocols()["xrootd"]),
            site: SiteSpec(site: "xrootd-a", endpoints: [server.endpoint]), base: "/base",
            disk: "\(folder)/root/base", local: "\(folder)/local", resumeBytes: 256 << 20)
        let cases: [CheckCase]
        do { cases = try await ProtocolCheck(target).run() } catch {
            await server.stop()
            throw error
        }
        await server.stop()
        for outcome in cases where outcome.name != "hostile names" {
            #expect(outcome.verdict == limits[outcome.name] ?? .passed, "\(outcome)")
        }
        guard case .failed(let why) = cases.first(where: { $0.name == "hostile names" })?.verdict else {
            Issue.record("XRootD takes every name by now")
            return
        }
        #expect(why.hasPrefix("1 names: \"what?\": put: /base/"), "\(why)")
        #expect(why.contains("what? holds a ?, after which XRootD reads parameters"), "\(why)")
    }
}
