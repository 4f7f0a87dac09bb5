import HaulCurl
import HaulModel
import HaulProtocol

/// LIST: a directory after the other, each in pages of 1,000 keys with a few directories asked for ahead.
struct Listing: Sendable {
    private struct Directory: Sendable {
        var place: Place
        var shown: String
        /// Levels below the path that was asked for.
        var level: Int
    }

    private static let ahead = 8
    /// First pages that may wait in memory.
    private static let most = 24

    let bucket: Bucket
    let depth: Int?
    let report: ElementReport

    func run(_ source: String) async throws {
        let place = try Place(source, at: bucket.site)
        guard let found = try await bucket.look(place) else {
            throw BackendFailure(.notFound, "\(source) does not exist")
        }
        if case .directory = found, depth != 0 {
            let top = Directory(place: place, shown: ListingPath.directory(source), level: 1)
            let walk = TreeWalk<Directory, ListPage>(ahead: Self.ahead, most: Self.most) { directory in
                try await page(directory, after: nil)
            } discard: { _ in
            }
            try await walk.run(from: top) { try await list($0, $1.get()) }
            return
        }
        let (directory, name) = ListingPath.parent(source)
        let facts = found.facts
        try await report.entries(
            directory: directory,
            [ListingEntry(name: name, kind: facts.kind, size: facts.size, modified: facts.modified ?? 0)])
    }

    private func page(_ directory: Directory, after token: String?) async throws -> ListPage {
        try await bucket.page(
            below: directory.place.directoryKey, most: 1_000, delimited: true, after: token, directory.shown)
    }

    /// Reports one directory; returns those in it that are to be listed too.
    private func list(_ directory: Directory, _ first: ListPage) async throws -> [Directory] {
        var below: [Directory] = []
        var page = first
        var isEmpty = true
        var isThere = directory.place.location.isRoot
        let goesOn = depth.map { directory.level < $0 } ?? true
        while true {
            let entries = try entries(page, directory, isThere: &isThere)
            if goesOn {
                below += try entries.filter { $0.kind == .directory }.map {
                    Directory(
                        place: try Place(directory.place.location.child($0.name.utf8), at: bucket.site),
                        shown: ListingPath.child(directory.shown, $0.name), level: directory.level + 1)
                }
            }
            if !entries.isEmpty {
                isEmpty = false
                try await report.entries(directory: directory.shown, entries)
            }
            guard let next = page.next else { break }
            page = try await self.page(directory, after: next)
        }
        if isEmpty, !isThere {
            // The last of its keys went, and no marker was there.
            guard directory.level > 1 else {
                throw BackendFailure(.notFound, "\(directory.shown) does not exist any more")
            }
            report.log("\(directory.shown) was removed while the tree was listed")
            return []
        }
        if isEmpty { try await report.entries(directory: directory.shown, []) }
        return below
    }

    /// What a page tells of the directory, with names that jobs can name.
    private func entries(
        _ page: ListPage, _ directory: Directory, isThere: inout Bool
    ) throws -> [ListingEntry] {
        let start = directory.place.directoryKey.count
        var entries: [ListingEntry] = []
        for object in page.objects {
            guard object.key.count > start else {
                isThere = true
                try Self.check(object, directory.shown)
                continue
            }
            entries.append(
                ListingEntry(
                    name: try EntryName.text(object.key.dropFirst(start), in: directory.shown), kind: .file,
                    size: object.size, modified: object.modified ?? 0))
        }
        for prefix in page.prefixes {
            entries.append(
                ListingEntry(
                    name: try EntryName.text(prefix.dropFirst(start).dropLast(), in: directory.shown), kind: .directory,
                    size: 0, modified: 0))
        }
        return entries
    }

    /// A marker that holds something is an object that no path of a job means: never left out.
    private static func check(_ marker: ListPage.Object, _ directory: String) throws {
        guard marker.size > 0 else { return }
        throw BackendFailure(
            .invalid,
            "\(directory) is a directory and an object of \(marker.size) bytes, \"\(EntryName.escaped(marker.key))\": "
                + "no job can name that; rename it at the site")
    }
}
