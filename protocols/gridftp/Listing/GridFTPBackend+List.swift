import Foundation
import HaulModel
import HaulProtocol

extension GridFTPBackend {
    func list(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await Listing(site: source, options: options, report: report).run(element.source)
    }
}

/// LIST: one listing a directory, the next few asked for ahead.
private struct Listing: Sendable {
    struct Directory: Sendable {
        var path: RemotePath
        var shown: String
        /// Levels below the source, which has 1.
        var depth: Int
        /// What is known to be above it, to find circles; kept only where links are followed.
        var above: [String]
    }

    private static let ahead = 6
    private static let most = 12

    let site: RemoteSite
    let options: CommonOptions
    let report: ElementReport

    private var follows: Bool { options.symlinks == .follow }

    func run(_ source: String) async throws {
        let path = try await site.server.path(source)
        guard let found = try await site.server.look(path) else {
            throw BackendFailure(.notFound, "\(source) does not exist")
        }
        let (directory, name) = ListingPath.parent(source)
        if found.facts(follow: follows).kind != .directory || options.depth == 0 {
            var fact = found
            // `/` and `~` are told as `.`, which is no name of an entry.
            fact.name = Data((name == "." ? "itself" : name).utf8)
            var entry = try fact.entry(in: directory, follow: follows)
            entry.name = name
            return try await report.entries(directory: directory, [entry])
        }
        let walk = TreeWalk<Directory, DirectoryFacts>(ahead: Self.ahead, most: Self.most) { directory in
            try await site.server.list(directory.path)
        } discard: { _ in
        }
        let top = Directory(path: path, shown: ListingPath.directory(source), depth: 1, above: [])
        let count = try await walk.run(from: top) { try await read($0, $1) }
        report.log("listed \(count) directories of \(source)")
    }

    /// Reports one directory; returns those below it that are to be read.
    private func read(
        _ directory: Directory, _ opened: Result<DirectoryFacts, any Error>
    ) async throws -> [Directory] {
        let listing: DirectoryFacts
        do { listing = try opened.get() } catch let failure as BackendFailure
            where failure.errorClass == .notFound && directory.depth > 1
        {
            report.log("\(directory.shown) went away while it was listed")
            return []
        }
        if listing.unlisted > 0 {
            report.log(
                "\(directory.shown) holds \(listing.unlisted) names that the server does not tell: links that lead nowhere"
            )
        }
        var above = directory.above
        if follows, let unique = listing.itself?.unique {
            guard !above.contains(unique) else {
                throw BackendFailure(.invalid, "\(directory.shown) leads back to a directory that it is in")
            }
            above.append(unique)
        }
        let goesOn = options.depth.map { directory.depth < $0 } ?? true
        var below: [Directory] = []
        var entries: [ListingEntry] = []
        entries.reserveCapacity(listing.entries.count)
        for fact in listing.entries {
            let entry = try fact.entry(in: directory.shown, follow: follows)
            entries.append(entry)
            guard goesOn, entry.kind == .directory else { continue }
            below.append(
                Directory(
                    path: directory.path.child(entry.name), shown: ListingPath.child(directory.shown, entry.name),
                    depth: directory.depth + 1, above: above))
        }
        try await report.entries(directory: directory.shown, entries)
        return below
    }
}
