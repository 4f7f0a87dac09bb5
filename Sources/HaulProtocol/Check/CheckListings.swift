import Foundation
import HaulModel

/// list, in all its forms.
enum CheckListings {
    static func tree(_ site: CheckSite) async throws {
        try Data("tree".utf8).write(to: URL(fileURLWithPath: site.local("source")))
        // More in one directory than a chunk holds, and some deeper.
        let names =
            (0...site.target.treeFiles).map { "t/wide/file \($0)" }
            + (0..<60).map { "t/d\($0 / 10)/s\($0 % 3)/file \($0)" }
        let elements = names.enumerated().map { index, name in
            ElementSpec(id: "\(index)", source: site.local("source"), destination: site.path(name))
        }
        for answer in try await site.run(.put, elements) where !answer.result.isOK {
            throw CheckFailure("put: \(answer.result.reason ?? "")")
        }
        try await site.ok(.mkdir, site.path("t/empty"))
        let found = try await site.tree(site.path("t"))
        let files = found.filter { $0.value.kind == .file }
        let expected = Set(names.map { String($0.dropFirst(2)) })
        if Set(files.keys) != expected { throw CheckFailure("\(files.count) files listed of \(names.count)") }
        if let odd = files.first(where: { $0.value.size != 4 }) { throw CheckFailure("\(odd.key) has a wrong size") }
        let chunks = try await site.ok(.list, site.path("t")).chunks
        guard let empty = chunks.first(where: { $0.directory == site.path("t/empty") }), empty.entries.isEmpty else {
            throw CheckFailure("an empty directory has no chunk of its own")
        }
        try order(chunks, top: site.path("t"))
        if try await site.ok(.list, site.path("t/")).chunks.first?.directory != site.path("t") {
            throw CheckFailure("a slash at the end changes the listing's directory")
        }
    }

    /// A directory comes before those in it, and in one piece.
    private static func order(_ chunks: [(directory: String, entries: [ListingEntry])], top: String) throws {
        var (seen, last): (Set<String>, String?) = ([], nil)
        for (directory, entries) in chunks {
            if directory == last, entries.isEmpty {
                throw CheckFailure("\(directory) has an empty chunk beside others")
            }
            if directory == last { continue }
            if seen.contains(directory) { throw CheckFailure("the chunks of \(directory) do not stand together") }
            if directory != top, !seen.contains(ListingPath.parent(directory).directory) {
                throw CheckFailure("\(directory) comes before the directory that it is in")
            }
            seen.insert(directory)
            last = directory
        }
        let count = chunks.reduce(0) { $0 + $1.entries.count }
        let names = Set(chunks.flatMap { chunk in chunk.entries.map { "\(chunk.directory)/\($0.name)" } })
        if names.count != count { throw CheckFailure("\(count - names.count) entries are listed twice") }
    }

    static func single(_ site: CheckSite) async throws {
        try await CheckCopies.put(site, Array("12345".utf8), "l/file")
        try await CheckCopies.put(site, Array("6".utf8), "l/sub/below")
        for (path, options) in [("l/file", [:]), ("l/file", ["depth": 0]), ("l", ["depth": 0])]
            as [(String, [String: JSONValue])]
        {
            let chunks = try await site.ok(.list, site.path(path), options: options).chunks
            let (directory, name) = ListingPath.parent(site.path(path))
            guard chunks.count == 1, chunks[0].directory == directory, chunks[0].entries.map(\.name) == [name] else {
                throw CheckFailure("\(path) with \(options) is listed as \(chunks)")
            }
        }
        let one = try await site.ok(.list, site.path("l"), options: ["depth": 1]).chunks
        guard one.allSatisfy({ $0.directory == site.path("l") }), one.flatMap(\.entries).count == 2 else {
            throw CheckFailure("depth 1 is listed as \(one)")
        }
        try await site.fails(.notFound, .list, site.path("not-there"))
        try await site.fails(.notFound, .list, site.path("not-there"), options: ["depth": 0])
    }
}
