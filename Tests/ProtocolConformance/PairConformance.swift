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
        try await EverySite.with { every in
            let sites = every.sites
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

    /// A put that is killed in the middle: what there is by then is gone on from where both protocols say so, and the file
    /// arrives whole in any case. One that is cancelled for good leaves nothing.
    @Test func everyPairThatIsCutOff() async throws {
        try await EverySite.with { every in
            let sites = every.sites
            for site in sites {
                try await CheckContent.write(site.local(Self.large), bytes: Self.bytes)
                try await site.ok(.mkdir, site.path(""))
                try await site.ok(.put, site.local(Self.large), site.path(Self.large))
            }
            let pairs = sites.flatMap { source in
                sites.filter { $0.target.site.site != source.target.site.site }.map { (source, $0) }
            }
            await withTaskGroup(of: Void.self) { group in
                for (number, (source, target)) in pairs.enumerated() {
                    if number >= 4 { await group.next() }
                    let pair = "\(source.target.site.site) to \(target.target.site.site)"
                    group.addTask {
                        do {
                            try await Self.breakOff(source, target)
                            try await Self.cancel(source, target)
                        } catch { Issue.record("\(pair): \(error)") }
                    }
                }
            }
            #expect(try await every.unfinished() == 0)
        }
    }

    private static func breakOff(_ source: CheckSite, _ target: CheckSite) async throws {
        let folder = "cut from \(source.target.site.site)"
        let path = "\(folder)/\(large)"
        try await target.ok(.mkdir, target.path(folder))
        let first = try await CheckRelay.run(
            source, large, path, at: target, ["bandwidth": .int(bytes)], killAt: bytes / 2)
        guard first.result?.errorClass == .backend else {
            throw CheckFailure("a put that was killed: \(first.result?.reason ?? "ok")")
        }
        let left = try await target.tree(target.path(folder))
        if left.keys.contains(large) { throw CheckFailure("a partial file stands under the final name") }
        let second = try await CheckRelay.run(source, large, path, at: target, attempt: 2)
        try second.ok(bytes: bytes)
        let resumes = [(source, ProtocolOperation.get), (target, .put)].allSatisfy { site, operation in
            site.target.discovered.manifest.operations[operation]?.resume == true
        }
        if resumes, !second.ranges.contains(where: { $0.from > 0 }) {
            throw CheckFailure("nothing was gone on from: \(second.ranges)")
        }
        try await CheckContent.expect(target, path, like: source.local(large))
        let there = try await target.tree(target.path(folder))
        guard Set(there.keys) == [large] else { throw CheckFailure("there is \(there.keys.sorted())") }
    }

    private static func cancel(_ source: CheckSite, _ target: CheckSite) async throws {
        let folder = "cancelled from \(source.target.site.site)"
        try await target.ok(.mkdir, target.path(folder))
        let relay = try await CheckRelay.run(
            source, large, "\(folder)/\(large)", at: target, ["bandwidth": .int(bytes)], cancelAt: bytes / 4)
        guard relay.result?.errorClass == .interrupted, relay.source?.errorClass == .interrupted else {
            throw CheckFailure("a cancel: \(relay)")
        }
        let left = try await target.tree(target.path(folder))
        guard left.isEmpty else { throw CheckFailure("a cancel leaves \(left.keys.sorted())") }
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
        // What nobody computes a checksum of may move within the kernel.
        let unseen = "unseen"
        try await CheckRelay.run(source, Self.large, "\(folder)/\(unseen)", at: target).ok(bytes: Self.bytes)
        try await CheckContent.expect(target, "\(folder)/\(unseen)", like: source.local(Self.large))
        let none = try await CheckRelay.run(source, "none", "\(folder)/none", at: target)
        guard none.result?.errorClass == .notFound else {
            throw CheckFailure("a source that is not there: \(none.result?.reason ?? "ok")")
        }
        let there = try await target.tree(target.path(folder))
        guard Set(there.keys) == [Self.large, unseen, "empty"] else {
            throw CheckFailure("there is \(there.keys.sorted())")
        }
    }
}
