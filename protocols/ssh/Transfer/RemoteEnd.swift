import Foundation
import HaulModel
import HaulProtocol

/// A file of a site as one end of a copy, over one of its connections.
struct RemoteEnd: CopyEnd {
    let place: RemotePlace
    let path: String
    let shown: String
    /// Where what gives way to this file stands for a moment, at a server that renames onto nothing.
    let aside: String
    let traits = CopyTraits(unsure: RemotePart.ahead)

    init(_ place: RemotePlace, _ shown: String, of element: ElementSpec) throws {
        let path = place.absolute(shown)
        // Not the name of a part: an empty file's would be the same without the word.
        let name = try PartFile.name(seed: "aside \(element.partSeed)", size: 0, modified: 0)
        let aside = ListingPath.child(RemotePlace.parent(path), name)
        self.init(place: place, path: path, shown: shown, aside: aside)
    }

    private init(place: RemotePlace, path: String, shown: String, aside: String) {
        self.place = place
        self.path = path
        self.shown = shown
        self.aside = aside
    }

    /// Where a copy goes to: what an earlier attempt was cut off in is undone first.
    static func target(
        _ place: RemotePlace, _ shown: String, of element: ElementSpec, _ report: ElementReport
    ) async throws -> RemoteEnd {
        let end = try RemoteEnd(place, shown, of: element)
        if element.attempt > 1, !place.client.offers(.posixRename),
            try await place.goBack(end.path, from: end.aside, isDone: { true })
        {
            report.log("an earlier attempt was cut off: \(shown) has its old content again")
        }
        return end
    }

    func facts(follow: Bool) async throws -> FileFacts? { try await place.facts(path, follow: follow) }

    func sibling(_ name: String) -> RemoteEnd {
        RemoteEnd(
            place: place, path: ListingPath.child(RemotePlace.parent(path), name), shown: shown, aside: aside)
    }

    /// Not asked for ahead: opening the part tells, without a request more.
    func prepareParent(make: Bool, isMissing: Bool) async throws {
        if isMissing, make { try await place.makeParents(of: path) }
    }

    func publish(as target: RemoteEnd, replace: Bool) async throws -> Bool {
        if replace {
            try await place.replace(target.path, with: path, aside: target.aside)
        } else {
            try await place.rename(path, to: target.path)
        }
        return true
    }

    func discard() async throws { try await place.discard(path) }

    /// SFTP has none: it is read.
    func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? { nil }

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
