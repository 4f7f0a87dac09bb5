import HaulModel
import HaulProtocol

/// A LIST: a command a directory, the next few asked for ahead.
struct Listing: Sendable {
    private static let ahead = 8

    let files: RemoteFiles
    let options: CommonOptions
    let report: ElementReport

    private struct Directory: Sendable {
        var path: RemotePath
        /// As the listing names it.
        var shown: String
        /// Levels below the source, which has 1.
        var depth: Int
    }

    func run(_ given: String) async throws {
        let path = try RemotePath(given)
        guard let top = try await files.stat(path) else { throw BackendFailure(.notFound, "\(given) does not exist") }
        if top.facts.kind != .directory || options.depth == 0 {
            let (directory, name) = ListingPath.parent(given)
            return try await report.entries(directory: directory, [top.entry(named: name)])
        }
        let walk = TreeWalk<Directory, [ListingEntry]>(ahead: Self.ahead, most: 2 * Self.ahead) { directory in
            try await files.entries(directory.path, shown: directory.shown)
        } discard: { _ in
        }
        let first = Directory(path: path, shown: ListingPath.directory(given), depth: 1)
        let count = try await walk.run(from: first) { try await read($0, $1) }
        report.log("listed \(count) directories of \(given)")
    }

    private func read(_ directory: Directory, _ opened: Result<[ListingEntry], any Error>) async throws -> [Directory] {
        let entries: [ListingEntry]
        do {
            entries = try opened.get()
        } catch let failure as BackendFailure where failure.errorClass == .notFound && directory.depth > 1 {
            report.log("\(directory.shown) went away while it was listed")
            return []
        }
        try await report.entries(directory: directory.shown, entries)
        guard options.depth.map({ directory.depth < $0 }) ?? true else { return [] }
        return entries.filter { $0.kind == .directory }.map {
            Directory(
                path: directory.path.child($0.name), shown: ListingPath.child(directory.shown, $0.name),
                depth: directory.depth + 1)
        }
    }
}
