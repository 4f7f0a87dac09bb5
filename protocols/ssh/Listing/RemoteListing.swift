import Foundation
import HaulModel
import HaulProtocol

/// What a LIST does with each directory of its tree, over one connection.
struct RemoteListing: Sendable {
    /// A directory that is still to be read.
    struct Directory: Sendable {
        /// As the server takes it.
        var path: String
        /// As the listing names it.
        var shown: String
        /// Levels below the source, which has 1.
        var depth: Int
        /// Where its ancestors really are; kept only where links are followed.
        var above: [String]
    }

    struct Opened: Sendable {
        var reader: RemoteDirectory
        /// Where it really is; only where links are followed.
        var real: String?
    }

    let place: RemotePlace
    let options: CommonOptions
    let report: ElementReport

    private var follows: Bool { options.symlinks == .follow }

    func attributes(_ path: String, follow: Bool) async throws -> SFTPAttributes? {
        do {
            return try await place.client.attributes(follow ? .stat(path) : .lstat(path))
        } catch let status as SFTPStatus {
            if status.errorClass == .notFound { return nil }
            throw status.failure("cannot look at \(path)")
        }
    }

    func open(_ directory: Directory) async throws -> Opened {
        guard follows else { return Opened(reader: try await RemoteDirectory(directory.path, at: place)) }
        let real: String
        do {
            real = try await place.client.realpath(directory.path)
        } catch let status as SFTPStatus {
            throw status.failure("cannot look at \(directory.path)")
        }
        return Opened(reader: try await RemoteDirectory(directory.path, at: place), real: real)
    }

    /// Reports one directory, in chunks as they come; returns those below it that are to be read.
    func read(_ directory: Directory, _ opened: Result<Opened, any Error>) async throws -> [Directory] {
        let reader: RemoteDirectory
        var above = directory.above
        do {
            let found = try opened.get()
            reader = found.reader
            if let real = found.real {
                if above.contains(where: { TransferPath.same($0, real) }) {
                    throw BackendFailure(.invalid, "\(directory.shown) leads back to a directory that it is in")
                }
                above.append(real)
            }
        } catch let failure as BackendFailure where failure.errorClass == .notFound && directory.depth > 1 {
            report.log("\(directory.shown) went away while it was listed")
            return []
        }
        defer { reader.close() }
        var below: [Directory] = []
        var isFirst = true
        while let names = try await reader.next() {
            let entries = try await entries(names, in: directory)
            if entries.isEmpty { continue }
            try await report.entries(directory: directory.shown, entries)
            isFirst = false
            guard options.depth.map({ directory.depth < $0 }) ?? true else { continue }
            for entry in entries where entry.kind == .directory {
                below.append(
                    Directory(
                        path: ListingPath.child(directory.path, entry.name),
                        shown: ListingPath.child(directory.shown, entry.name), depth: directory.depth + 1,
                        above: above))
            }
        }
        if isFirst { try await report.entries(directory: directory.shown, []) }
        return below
    }

    /// A link as what it leads to, where links are followed; one that leads nowhere stays a link.
    private func entries(_ names: [SFTPReply.Name], in directory: Directory) async throws -> [ListingEntry] {
        var entries: [ListingEntry] = []
        entries.reserveCapacity(names.count)
        var links: [(index: Int, ticket: SFTPTicket)] = []
        defer { links.forEach { place.client.forget($0.ticket) } }
        for name in names {
            let entry = name.attributes.entry(named: try EntryName.text(name.bytes, in: directory.shown))
            if follows, entry.kind == .link {
                let path = ListingPath.child(directory.path, entry.name)
                links.append((entries.count, try await place.client.send(.stat(path))))
            }
            entries.append(entry)
        }
        for (index, ticket) in links {
            guard let target = try? await place.client.attributes(ticket) else { continue }
            entries[index] = target.entry(named: entries[index].name)
        }
        return entries
    }
}
