import Foundation
import HaulModel

/// `~`, and paths that are relative to it.
enum CheckHome {
    static func run(_ site: CheckSite) async throws {
        let home = try await site.ok(.list, "~", options: ["depth": 0]).chunks
        guard home.count == 1, home[0].directory == "~", home[0].entries.map(\.name) == ["."],
            home[0].entries[0].kind == .directory
        else { throw CheckFailure("~ is listed as \(home)") }
        let nowhere = "haul-check-none-\(UInt32.random(in: 0 ... .max))"
        for path in [nowhere, "~/\(nowhere)"] { try await site.fails(.notFound, .list, path) }
        try await CheckCopies.put(site, Array("x".utf8), "home/file")
        guard let way = try await way(site) else {
            throw NotApplicable(reason: "the directory does not lie below ~; what was seen of ~ is well")
        }
        let (plain, tilde) = ("\(way)/home", "~/\(way)/home")
        let lists = [plain, tilde].flatMap { ["\($0)/file", "\($0)/"] }
        let answers = try await site.run(.list, lists.map { ElementSpec(id: $0, source: $0) })
        for (path, answer) in zip(lists, answers) {
            let folder = path.hasPrefix("~") ? tilde : plain
            guard answer.result.isOK, answer.chunks.allSatisfy({ $0.directory == folder }),
                answer.chunks.flatMap(\.entries).map(\.name) == ["file"]
            else { throw CheckFailure("\(path) is listed as \(answer.chunks): \(answer.result.reason ?? "")") }
        }
        let (back, operations) = (site.local("home-back"), site.target.discovered.manifest.operations)
        defer { unlink(back) }
        try await site.ok(.mkdir, "\(plain)/new")
        try await site.ok(.put, site.local("source"), "\(plain)/new/put")
        if operations[.copy] != nil { try await site.ok(.copy, "\(tilde)/new/put", "\(plain)/new/copy") }
        if operations[.rename] != nil { try await site.ok(.rename, "\(plain)/new/put", "\(tilde)/put") }
        let put = operations[.rename] == nil ? "new/put" : "put"
        try await site.ok(.get, "\(tilde)/\(put)", back)
        try await CheckCopies.expect(site, "home/\(put)", Array("x".utf8))
        var removed = ["\(plain)/\(put)"]
        if operations[.copy] != nil { removed.append("\(tilde)/new/copy") }
        for answer in try await site.run(.remove, removed.map { ElementSpec(id: $0, source: $0) })
        where !answer.result.isOK { throw CheckFailure("remove: \(answer.result.reason ?? "")") }
        try await site.ok(.remove, "\(tilde)/new/")
    }

    /// How the run's directory is called from `~`.
    private static func way(_ site: CheckSite) async throws -> String? {
        let names = site.top.split(separator: "/").filter { $0 != "~" }
        for start in names.indices {
            let way = names[start...].joined(separator: "/")
            if try await site.one(.list, "~/\(way)", options: ["depth": 0]).result.isOK { return way }
        }
        return nil
    }
}
