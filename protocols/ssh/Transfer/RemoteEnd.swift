import Foundation
import HaulModel
import HaulProtocol

/// A file of a site as one end of a copy, over one of its connections.
struct RemoteEnd: CopyEnd {
    let place: RemotePlace
    let path: String
    let shown: String
    let traits = CopyTraits()

    init(_ place: RemotePlace, _ shown: String) {
        self.init(place: place, path: place.absolute(shown), shown: shown)
    }

    private init(place: RemotePlace, path: String, shown: String) {
        self.place = place
        self.path = path
        self.shown = shown
    }

    func facts(follow: Bool) async throws -> FileFacts? { try await place.facts(path, follow: follow) }

    func sibling(_ name: String) -> RemoteEnd {
        RemoteEnd(place: place, path: ListingPath.child(RemotePlace.parent(path), name), shown: shown)
    }

    /// Not asked for ahead: opening the part tells, without a request more.
    func prepareParent(make: Bool, isMissing: Bool) async throws {
        if isMissing, make { try await place.makeParents(of: path) }
    }

    func publish(as target: RemoteEnd, replace: Bool) async throws -> Bool {
        try await place.publish(path, as: target.path, replace: replace)
        return true
    }

    func discard() async throws { try await place.discard(path) }

    func reader(_ order: ReadOrder) async throws -> any CopyReader {
        RemoteReader(place.client, path: path, handle: try await place.openForReading(path), order)
    }

    func writer(_ order: WriteOrder) async throws -> any CopyWriter {
        do {
            return try await place.openPart(path)
        } catch let failure as BackendFailure where failure.errorClass == .notFound {
            throw CopyWriteFailure(failure, parentIsMissing: true)
        }
    }

    /// Bytes that a server copies within itself at a time: it does nothing else meanwhile, and a cancel waits for two.
    private static let piece = 16 << 20

    /// The server copies within itself (`copy-data`), where one of its connections has both ends.
    static var within: CopyMover<RemoteEnd, RemoteEnd> {
        .into("the server copies within itself", paces: false) { move, writer in
            let place = move.source.place
            guard let part = writer as? RemotePart, part.client === place.client, part.client.offers(.copyData) else {
                return nil
            }
            let handle = try await place.openForReading(move.source.path)
            defer { place.client.closeLater(handle) }
            var offset = move.offset
            while offset < move.facts.size {
                try Task.checkCancellation()
                let count = min(piece, move.facts.size - offset)
                try await part.copy(from: handle, offset: offset, count: count)
                offset += count
                move.report.progress(transferred: offset, total: move.facts.size)
            }
            try await part.settle()
            return CopyMoved()
        }
    }
}
