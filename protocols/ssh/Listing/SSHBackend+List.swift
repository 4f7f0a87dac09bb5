import Foundation
import HaulModel
import HaulProtocol

extension SSHBackend {
    /// Directories of one LIST that are asked for before it is their turn.
    private static let ahead = 8
    /// Directories of one LIST that are open at the server at a time: some servers have few handles.
    private static let mostOpen = 24

    func list(_ element: ElementSpec, _ report: ElementReport) async throws {
        try await atSource { place in
            let path = place.absolute(ListingPath.directory(element.source))
            let listing = RemoteListing(place: place, options: options, report: report)
            // The source itself may be a link only where links are followed, or it is a site's own spelling of a root.
            guard let top = try await listing.attributes(path, follow: options.symlinks == .follow) else {
                throw BackendFailure(.notFound, "\(element.source) does not exist")
            }
            let (directory, name) = ListingPath.parent(element.source)
            let entry = top.entry(named: name)
            if entry.kind != .directory || options.depth == 0 {
                return try await report.entries(directory: directory, [entry])
            }
            let walk = TreeWalk(ahead: Self.ahead, most: Self.mostOpen, open: listing.open) { $0.reader.close() }
            let count = try await walk.run(
                from: .init(path: path, shown: ListingPath.directory(element.source), depth: 1, above: [])
            ) { directory, opened in
                try await listing.read(directory, opened)
            }
            report.log("listed \(count) directories of \(element.source)")
        }
    }
}
