import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

@Suite(.timeLimit(.minutes(15)))
struct LocalConformance {
    @Test func local() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for part in ["root/base", "local"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        let target = CheckTarget(
            discovered: try #require(Built.protocols()["local"]), site: SiteSpec(site: "local-a"),
            settings: ["roots": [.string("\(folder)/root")]], base: "\(folder)/root/base",
            disk: "\(folder)/root/base", local: "\(folder)/local", resumeBytes: 256 << 20)
        let cases = try await ProtocolCheck(target).run()
        let limits = Limits.all(Limits.noCredentials, Limits.noCredentialKinds)
        for outcome in cases { #expect(outcome.verdict == limits[outcome.name] ?? .passed, "\(outcome)") }
    }

    /// What is wrong with the set-up is said once, not by each case.
    @Test func withoutItsRoots() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let target = CheckTarget(
            discovered: try #require(Built.protocols()["local"]), site: SiteSpec(site: "local-a"), base: folder,
            local: folder)
        let cases = try await ProtocolCheck(target).run()
        #expect(cases.map(\.name) == [ProtocolCheck.reaching], "\(cases)")
        #expect(cases.first?.description.contains("names no roots") == true, "\(cases)")
    }

    @Test func fake() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let target = CheckTarget(
            discovered: try #require(Built.protocols()["fake"]), site: SiteSpec(site: "fake-a"), base: "/ok",
            local: folder, keepsData: false)
        let cases = try await ProtocolCheck(target).run()
        #expect(cases.filter { $0.verdict == .passed }.count == 4)
        #expect(!cases.contains { $0.hasFailed })
    }

    /// A suite that nothing fails proves nothing: this protocol says "ok" and keeps no data.
    @Test func whatKeepsNothingFails() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let target = CheckTarget(
            discovered: try #require(Built.protocols()["fake"]), site: SiteSpec(site: "fake-a"), base: "/ok",
            disk: folder, local: folder, largeBytes: 1 << 20, treeFiles: 10)
        let cases = try await ProtocolCheck(target).run()
        let passed = cases.filter { !$0.hasFailed }.map(\.name)
        #expect(
            passed.allSatisfy {
                // Those that hold of every backend, and those about what its manifest does not declare or its disk has not.
                $0.hasPrefix("a batch of") || $0.hasPrefix("an empty") || $0.hasPrefix("unknown keys")
                    || $0.hasPrefix("copy: verify") || $0.contains("interrupted") || $0.hasPrefix("between two")
                    || $0.hasPrefix("symbolic links") || $0.contains("credentials") || $0 == "list: cancel"
            }, "\(passed)")
    }
}
