import Foundation
import HaulModel
import HaulProtocol

extension SSHBackend {
    /// A directory that is still to be read.
    private struct Ahead {
        /// As the server takes it.
        var path: String
        /// As the listing names it.
        var directory: String
        var depth: Int
        /// Where it really is and its ancestors are; kept only where links are followed.
        var above: [String]
    }

    func list(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await atSource { place in
            let path = place.absolute(ListingPath.directory(element.source))
            let follow = options.symlinks == .follow
            // The source itself may be a link only where links are followed, or it is a site's own spelling of a root.
            guard let top = try await attributes(path, follow: follow, at: place) else {
                throw BackendFailure(.notFound, "\(element.source) does not exist")
            }
            let (directory, name) = ListingPath.parent(element.source)
            let entry = top.entry(named: name)
            if entry.kind != .directory || options.depth == 0 {
                return try await report.entries(directory: directory, [entry])
            }
            var stack = [Ahead(path: path, directory: ListingPath.directory(element.source), depth: 1, above: [])]
            var count = 0
            while let next = stack.popLast() {
                try Task.checkCancellation()
                stack += try await read(next, isTop: count == 0, report, at: place).reversed()
                count += 1
            }
            report.log("listed \(count) directories of \(element.source)")
        }
    }

    private func attributes(_ path: String, follow: Bool, at place: RemotePlace) async throws -> SFTPAttributes? {
        do {
            return try await place.client.attributes(follow ? .stat(path) : .lstat(path))
        } catch let status as SFTPStatus {
            if status.errorClass == .notFound { return nil }
            throw status.failure("cannot look at \(path)")
        }
    }

    /// Reports one directory, in chunks as they come; returns those below it that are to be read.
    private func read(
        _ ahead: Ahead, isTop: Bool, _ report: ElementReport, at place: RemotePlace
    ) async throws -> [Ahead] {
        let follow = options.symlinks == .follow
        var above = ahead.above
        if follow {
            let real = try await place.client.realpath(ahead.path)
            if above.contains(where: { TransferPath.same($0, real) }) {
                throw BackendFailure(.invalid, "\(ahead.directory) leads back to a directory that it is in")
            }
            above.append(real)
        }
        var reader: RemoteDirectory
        do {
            reader = try await RemoteDirectory(ahead.path, at: place)
        } catch let failure as BackendFailure where failure.errorClass == .notFound && !isTop {
            report.log("\(ahead.directory) went away while it was listed")
            return []
        }
        defer { reader.close() }
        var below: [Ahead] = []
        var isFirst = true
        while let names = try await reader.next() {
            var entries: [ListingEntry] = []
            for name in names {
                guard let text = name.text, TransferPath.isName(text) else {
                    report.log("\(ahead.directory): left out a name that is not UTF-8, or none")
                    continue
                }
                entries.append(try await entry(text, name.attributes, in: ahead, follow: follow, at: place))
            }
            if entries.isEmpty { continue }
            try await report.entries(directory: ahead.directory, entries)
            isFirst = false
            guard options.depth.map({ ahead.depth < $0 }) ?? true else { continue }
            for entry in entries where entry.kind == .directory {
                below.append(
                    Ahead(
                        path: ListingPath.child(ahead.path, entry.name),
                        directory: ListingPath.child(ahead.directory, entry.name), depth: ahead.depth + 1,
                        above: above))
            }
        }
        if isFirst { try await report.entries(directory: ahead.directory, []) }
        return below
    }

    /// A link as what it leads to, where links are followed; one that leads nowhere stays a link.
    private func entry(
        _ name: String, _ attributes: SFTPAttributes, in ahead: Ahead, follow: Bool, at place: RemotePlace
    ) async throws -> ListingEntry {
        let entry = attributes.entry(named: name)
        guard follow, entry.kind == .link else { return entry }
        let target = try? await place.client.attributes(.stat(ListingPath.child(ahead.path, name)))
        return target?.entry(named: name) ?? entry
    }
}
