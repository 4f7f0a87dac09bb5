import Foundation
import HaulModel
import Support
import Testing

@testable import HaulProtocol

/// Every protocol's files to every other, through the pipe between their backends: neither was made for the other.
@Suite(.timeLimit(.minutes(15)))
struct PairConformance {
    /// More than fits into what any of them keeps on the way, or sends at once.
    private static let bytes = 20_000_001
    private static let large = "large file's \"name\" & $(more).bin"

    /// The protocols that stream by their manifests are those that are tried.
    @Test func everyPair() async throws {
        try await EverySite.with { sites in
            let streaming = Built.protocols().usable.map(\.manifest).filter { manifest in
                [ProtocolOperation.get, .put].allSatisfy { manifest.operations[$0]?.stream == true }
            }
            #expect(Set(sites.map(\.target.discovered.manifest.name)) == Set(streaming.map(\.name)))
            for site in sites {
                try await CheckContent.write(site.local(Self.large), bytes: Self.bytes)
                try Data().write(to: URL(fileURLWithPath: site.local("empty")))
                try await site.ok(.mkdir, site.path(""))
                for name in [Self.large, "empty"] { try await site.ok(.put, site.local(name), site.path(name)) }
            }
            for source in sites {
                for target in sites where target.target.site != source.target.site {
                    let pair = "\(source.target.site.site) to \(target.target.site.site)"
                    do { try await move(source, target) } catch { Issue.record("\(pair): \(error)") }
                }
            }
        }
    }

    private func move(_ source: CheckSite, _ target: CheckSite) async throws {
        let folder = "from \(source.target.site.site)"
        let options: [String: JSONValue] = ["verify": "checksum"]
        for (name, bytes) in [(Self.large, Self.bytes), ("empty", 0)] {
            let path = "\(folder)/\(name)"
            let relay = try await CheckRelay.run(source, name, path, at: target, options)
            try relay.ok(bytes: bytes)
            try await CheckContent.expect(target, path, like: source.local(name))
            let again = try await CheckRelay.run(source, name, path, at: target, options)
            try again.ok(bytes: 0)
        }
        let none = try await CheckRelay.run(source, "none", "\(folder)/none", at: target)
        guard none.result?.errorClass == .notFound else {
            throw CheckFailure("a source that is not there: \(none.result?.reason ?? "ok")")
        }
        let there = try await target.tree(target.path(folder))
        guard Set(there.keys) == [Self.large, "empty"] else { throw CheckFailure("there is \(there.keys.sorted())") }
    }
}
