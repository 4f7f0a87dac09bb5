import CFiles
import Foundation
import HaulModel
import HaulProtocol

extension LocalBackend {
    /// A directory that is still to be read.
    private struct Ahead {
        var path: LocalPath
        /// As the listing names it.
        var directory: String
        var depth: Int
        /// The directories that it is in: one of them again means that links run in a circle.
        var above: Ancestors?
    }

    private final class Ancestors: Sendable {
        let identity: DirectoryReader.Identity
        let above: Ancestors?

        init(_ identity: DirectoryReader.Identity, above: Ancestors?) {
            self.identity = identity
            self.above = above
        }

        func contains(_ identity: DirectoryReader.Identity) -> Bool {
            var next: Ancestors? = self
            while let one = next {
                if one.identity == identity { return true }
                next = one.above
            }
            return false
        }
    }

    func list(_ element: ElementSpec, _ report: ElementReport) async throws {
        let source = try path(element.source)
        let follow = options.symlinks == .follow
        let top = try await files.run { try look(source, follow: follow) }
        if top.kind != .directory || options.depth == 0 {
            let (directory, name) = ListingPath.parent(element.source)
            var entry = top
            entry.name = name
            return try await report.entries(directory: directory, [entry])
        }
        // Without links to follow, the walk starts from the directory itself and no link is passed on the way down.
        let start =
            follow
            ? source
            : LocalPath(
                root: Root(
                    directory: try await files.run { try source.open(HAUL_O_PATH | O_DIRECTORY) },
                    mounts: source.root.mounts),
                words: [], shown: element.source)
        var stack = [Ahead(path: start, directory: ListingPath.directory(element.source), depth: 1, above: nil)]
        var count = 0
        while let next = stack.popLast() {
            try Task.checkCancellation()
            stack += try await read(next, follow: follow, isTop: count == 0, report).reversed()
            count += 1
        }
        report.log("listed \(count) directories of \(element.source)")
    }

    /// Reports one directory; returns those below it that are to be read.
    private func read(_ ahead: Ahead, follow: Bool, isTop: Bool, _ report: ElementReport) async throws -> [Ahead] {
        let reader: DirectoryReader
        do {
            reader = try await files.run {
                let descriptor = try ahead.path.open(O_RDONLY | O_DIRECTORY, links: follow)
                return try DirectoryReader(descriptor, shown: ahead.directory)
            }
        } catch let failure as BackendFailure where failure.errorClass == .notFound && !isTop {
            report.log("\(ahead.directory) went away while it was listed")
            return []
        } catch let failure as BackendFailure where !isTop && failure == .mounted(ahead.path.shown) {
            report.log("\(failure.reason); it is listed as empty")
            try await report.entries(directory: ahead.directory, [])
            return []
        }
        if ahead.above?.contains(reader.identity) == true {
            throw BackendFailure(.invalid, "\(ahead.directory) leads back to a directory that it is in")
        }
        let above = Ancestors(reader.identity, above: ahead.above)
        var below: [Ahead] = []
        var isFirst = true
        while true {
            let chunk = try await files.run {
                var chunk = try reader.next(ahead.directory)
                if follow { chunk.entries = chunk.entries.map { followed($0, in: ahead.path) } }
                return chunk
            }
            if isFirst || !chunk.entries.isEmpty {
                try await report.entries(directory: ahead.directory, chunk.entries)
            }
            isFirst = false
            if options.depth.map({ ahead.depth < $0 }) ?? true {
                for entry in chunk.entries where entry.kind == .directory {
                    let path = LocalPath(
                        root: ahead.path.root, words: ahead.path.words + [Substring(entry.name)],
                        shown: ListingPath.child(ahead.directory, entry.name))
                    below.append(Ahead(path: path, directory: path.shown, depth: ahead.depth + 1, above: above))
                }
            }
            if chunk.isLast { return below }
        }
    }

    /// What a path is; with links followed where they stay below the root.
    private func look(_ path: LocalPath, follow: Bool) throws -> ListingEntry {
        if path.words.isEmpty || follow {
            return ListingEntry(name: ".", try path.open(HAUL_O_PATH).status(path.shown))
        }
        let place = try path.place()
        guard let status = try place.status() else { throw BackendFailure(.notFound, "\(path.shown) does not exist") }
        return ListingEntry(name: place.name, status)
    }

    /// A link as what it leads to; one that leads nowhere, or out of the root, stays a link.
    private func followed(_ entry: ListingEntry, in directory: LocalPath) -> ListingEntry {
        guard entry.kind == .link else { return entry }
        let path = LocalPath(root: directory.root, words: directory.words + [Substring(entry.name)], shown: "")
        guard let status = try? path.open(HAUL_O_PATH).status("") else { return entry }
        return ListingEntry(name: entry.name, status)
    }
}
