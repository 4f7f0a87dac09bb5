import HaulModel
import HaulProtocol

extension XRootDBackend {
    private struct Directory: Sendable {
        var path: RemotePath
        /// As the listing names it.
        var shown: String
        /// Levels below the source, which has 1.
        var depth: Int
        /// Which directories it is in.
        var above: [String]
    }

    private struct Opened: Sendable {
        var entries: [ListingEntry]
        var identity: String?
    }

    func list(_ element: ElementSpec, _ report: ElementReport) async throws {
        let path = try source.path(element.source)
        guard let top = try await source.stat(path) else {
            throw BackendFailure(.notFound, "\(element.source) does not exist")
        }
        if top.facts.kind != .directory || options.depth == 0 {
            let (directory, name) = ListingPath.parent(element.source)
            return try await report.entries(directory: directory, [top.entry(named: name)])
        }
        let walk = TreeWalk<Directory, Opened>(ahead: XrdfsPool.most, most: 2 * XrdfsPool.most) { directory in
            async let identity = source.stat(directory.path)?.identity
            let entries = try await source.entries(directory.path, shown: directory.shown)
            return Opened(entries: entries, identity: try await identity)
        } discard: { _ in
        }
        let first = Directory(path: path, shown: ListingPath.directory(element.source), depth: 1, above: [])
        let count = try await walk.run(from: first) { try await read($0, $1, report) }
        report.log("listed \(count) directories of \(element.source)")
    }

    private func read(
        _ directory: Directory, _ result: Result<Opened, any Error>, _ report: ElementReport
    ) async throws -> [Directory] {
        let opened: Opened
        do {
            opened = try result.get()
        } catch let failure as BackendFailure where failure.errorClass == .notFound && directory.depth > 1 {
            report.log("\(directory.shown) went away while it was listed")
            return []
        }
        // The server follows links and shows none: one that leads upwards looks like a tree without an end.
        if let identity = opened.identity, directory.above.contains(identity) {
            throw BackendFailure(.invalid, "\(directory.shown) leads back to a directory that it is in")
        }
        try await report.entries(directory: directory.shown, opened.entries)
        guard options.depth.map({ directory.depth < $0 }) ?? true else { return [] }
        let above = directory.above + (opened.identity.map { [$0] } ?? [])
        return opened.entries.filter { $0.kind == .directory }.map {
            Directory(
                path: directory.path.child($0.name), shown: ListingPath.child(directory.shown, $0.name),
                depth: directory.depth + 1, above: above)
        }
    }
}
