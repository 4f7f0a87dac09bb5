import Foundation
import HaulModel
import Synchronization

/// Symbolic links, as `symlinks` says.
enum CheckLinks {
    /// Links of the site, made beside the protocol.
    static func atTheSite(_ site: CheckSite) async throws {
        guard let folder = site.onDisk(site.path("links")) else {
            throw NotApplicable(reason: "the site's disk is not this machine's, so no link can be made there")
        }
        try await CheckCopies.put(site, Array("behind".utf8), "links/real")
        guard symlink("real", folder + "/link") == 0 else {
            throw NotApplicable(reason: "no link can be made on its disk: \(String(cString: strerror(errno)))")
        }
        defer { unlink(folder + "/link") }
        guard let entry = try await site.tree(site.path("links"))["link"], entry.kind == .link else {
            throw NotApplicable(reason: "links are not seen as links")
        }
        let back = site.local("link-back")
        try await site.fails(.invalid, .get, site.path("links/link"), back)
        try await site.ok(.get, site.path("links/link"), back, options: ["symlinks": "follow"])
        defer { unlink(back) }
        guard FileManager.default.contents(atPath: back) == Data("behind".utf8) else {
            throw CheckFailure("a link that is followed gives something else")
        }
        let followed = try await site.ok(.list, site.path("links"), options: ["symlinks": "follow"]).chunks
        guard followed.flatMap(\.entries).first(where: { $0.name == "link" })?.kind == .file else {
            throw CheckFailure("a link that is followed is not listed as what it leads to")
        }
        if site.target.discovered.manifest.operations[.copy] != nil {
            let (from, to) = (site.path("links/link"), site.path("links/copied"))
            try await site.fails(.invalid, .copy, from, to, options: ["symlinks": "skip"])
            try await site.ok(.copy, from, to, options: ["symlinks": "follow"])
            try await CheckCopies.expect(site, "links/copied", Array("behind".utf8))
        }
        // The link goes, not what it leads to.
        try await site.ok(.remove, site.path("links/link"))
        try await CheckCopies.expect(site, "links/real", Array("behind".utf8))
    }

    /// A link of this machine, put.
    static func local(_ site: CheckSite) async throws {
        let (real, link) = (site.local("link-real"), site.local("link-put"))
        try Data("behind".utf8).write(to: URL(fileURLWithPath: real))
        unlink(link)
        guard symlink("link-real", link) == 0 else { throw CheckFailure("\(link) cannot be made") }
        defer { unlink(link) }
        for symlinks in ["fail", "skip"] as [JSONValue] {
            try await site.fails(.invalid, .put, link, site.path("linked/no"), options: ["symlinks": symlinks])
        }
        try await site.ok(.put, link, site.path("linked/file"), options: ["symlinks": "follow"])
        try await CheckCopies.expect(site, "linked/file", Array("behind".utf8))
        if try await site.tree(site.path("linked")).count != 1 {
            throw CheckFailure("a link that is refused leaves a file")
        }
    }

    /// Two links upwards: what followed them all would never end.
    static func circle(_ site: CheckSite) async throws {
        guard let folder = site.onDisk(site.path("circle/a/b")) else {
            throw NotApplicable(reason: "the site's disk is not this machine's, so no link can be made there")
        }
        try await CheckCopies.put(site, Array("x".utf8), "circle/a/b/file")
        let links = ["back", "up"].map { "\(folder)/\($0)" }
        defer { links.forEach { unlink($0) } }
        for (link, target) in zip(links, ["..", "../.."]) where symlink(target, link) != 0 {
            throw NotApplicable(reason: "no link can be made on its disk: \(String(cString: strerror(errno)))")
        }
        for follow in [false, true] {
            let options: [String: JSONValue] = follow ? ["symlinks": "follow"] : [:]
            let chunks = Mutex(0)
            let element = ElementSpec(id: "l", source: site.path("circle"))
            let answer = try await site.run(.list, [element], options) { event, run in
                guard case .entries = event else { return }
                if chunks.withLock({ count in
                    count += 1
                    return count == 5000
                }) {
                    await run.cancel("l")
                }
            }[0]
            if chunks.withLock({ $0 >= 5000 }) { throw CheckFailure("a circle of links is listed without end") }
            let found = answer.chunks.flatMap(\.entries).filter { ["back", "up"].contains($0.name) }
            let areSeen = found.contains { $0.kind == .link }
            switch answer.result.errorClass {
            case .invalid?:
                if !follow, areSeen {
                    throw CheckFailure("links that nobody follows fail: \(answer.result.reason ?? "")")
                }
            case nil:
                // Followed by nobody: told as links, or not at all.
                if follow, !found.isEmpty { throw CheckFailure("a circle that is followed is ok") }
                if !follow, found.contains(where: { $0.kind != .link }) {
                    throw CheckFailure("a circle is listed as a tree")
                }
            case let other?:
                throw CheckFailure("a circle of links is \(other.rawValue): \(answer.result.reason ?? "")")
            }
        }
    }
}
