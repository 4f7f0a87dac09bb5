import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// The gridftp protocol against globus-gridftp-server, anonymous and with proxies.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct GridFTPConformance {
    /// Without GSI the server takes what is not ASCII out of each command, so such names are refused; all else must hold,
    /// and this must be all.
    @Test func anonymous() async throws {
        let folder = try Self.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await GridFTPServer.anonymous(["-home-dir", folder])
        let cases = try await check(folder, server, SiteSpec(site: "gridftp-a", endpoints: [server.endpoint]))
        for outcome in cases {
            guard outcome.name == "hostile names" else {
                #expect(outcome.verdict == Limits.noCredentials[outcome.name] ?? .passed, "\(outcome)")
                continue
            }
            guard case .failed(let why) = outcome.verdict else {
                Issue.record("names that are not ASCII did well without GSI")
                continue
            }
            let refused = why.components(separatedBy: "drops every byte that is not ASCII").count - 1
            #expect(why.hasPrefix("\(refused) names: "), "\(outcome)")
        }
    }

    /// Names that are not ASCII need GSI; the rest over GSI is for `make conformance`.
    @Test func namesWithAProxy() async throws {
        let grid = try await Grid.make(users: ["alice"])
        let folder = try Self.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await GridFTPServer.gsi(grid, ["-home-dir", folder])
        let cases = try await check(
            folder, server, try await Self.site(server, grid),
            only: ["mkdir", "hostile names", "clean-up"])
        #expect(cases.map(\.name) == ["mkdir", "hostile names", "clean-up"])
        for outcome in cases { #expect(outcome.verdict == .passed, "\(outcome)") }
    }

    private static func site(_ server: GridFTPServer, _ grid: Grid) async throws -> SiteSpec {
        SiteSpec(
            site: "gridftp-a", endpoints: [server.endpoint], options: ["ca_dir": .string(grid.authorities)],
            credentials: ["x509-proxy": try await grid.proxy("alice")])
    }

    @Test func gsi() async throws {
        let grid = try await Grid.make(users: ["alice"])
        let folder = try Self.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await GridFTPServer.gsi(grid, ["-home-dir", folder])
        let cases = try await check(folder, server, try await Self.site(server, grid))
        for outcome in cases { #expect(outcome.verdict == .passed, "\(outcome)") }
    }

    /// The server's home, in which `base` is.
    private static func makeFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        for part in ["base", "local"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        return folder
    }

    private func check(
        _ folder: String, _ server: GridFTPServer, _ site: SiteSpec, only names: Set<String>? = nil
    ) async throws -> [CheckCase] {
        let target = CheckTarget(
            discovered: try #require(Built.protocols()["gridftp"]), site: site, base: "\(folder)/base",
            disk: "\(folder)/base", local: "\(folder)/local", resumeBytes: 256 << 20)
        do {
            let cases = try await ProtocolCheck(target).run(only: names)
            await server.stop()
            return cases
        } catch {
            await server.stop()
            throw error
        }
    }
}
