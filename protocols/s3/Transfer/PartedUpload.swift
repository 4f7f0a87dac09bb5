import HaulModel
import HaulProtocol

/// Uploads a file in parts. An attempt that fails leaves them to the next one, which finds its own again (``EarlierParts``).
struct PartedUpload<Source: CopyEnd>: Sendable {
    let move: CopyMove<Source, S3End>
    let contentType: String
    private let cut: PartCut

    init(_ move: CopyMove<Source, S3End>, contentType: String) {
        self.move = move
        self.contentType = contentType
        cut = PartCut(move)
    }

    private var end: S3End { move.target }
    private var bucket: Bucket { end.bucket }
    private var source: Source { move.source }
    private var facts: FileFacts { move.facts }
    private var report: ElementReport { move.report }

    func run() async throws -> CopyMoved {
        var upload: MultipartUpload
        var kept: [MultipartUpload.Part] = []
        let earlier = EarlierParts(move: move, cut: cut)
        if let found = try await earlier.find() {
            (upload, kept) = found
            let bytes = kept.map(\.size).reduce(0, +)
            let there = "\(kept.count) of \(cut.ranges.count) parts are there"
            report.log("going on from byte \(bytes) of an earlier attempt: \(there)")
        } else {
            upload = try await bucket.begin(
                end.place, headers: Bucket.metadata(mtime: ObjectFacts.text(facts), contentType: contentType))
        }
        let progress = PartProgress(report: report, total: facts.size)
        for part in kept { progress.add(part.size) }
        do {
            let sent = try await PartSending(move: move, cut: cut, upload: upload, progress: progress).run(kept)
            let now = try await unchanged(sent.source)
            try Movers.keepsPromise(end.element, sent.sum, source.shown)
            let etag = try await bucket.finish(
                upload, progress.parts(with: kept), at: end.place, onlyIfMissing: !move.replace)
            end.known.wrote(
                ObjectFacts(written: etag, size: facts.size, source: facts), proven: sent.isProven ? sent.sum : nil)
            return CopyMoved(checksum: sent.sum, source: now)
        } catch {
            // Those that the server proves to have can be told again.
            let isFound = progress.isProven && !progress.parts(with: kept).isEmpty
            await earlier.settle(upload, error, isFound: isFound)
            throw (error as? ObjectStream.Refused)?.failure ?? error
        }
    }

    /// Before the object appears: what is no copy of its source takes nothing's place.
    private func unchanged(_ known: FileFacts?) async throws -> FileFacts? {
        guard !source.traits.isStream else { return known }
        var now = known
        if now == nil { now = try await source.facts(follow: move.follow) }
        guard let now else {
            throw BackendFailure(.busy, "\(source.shown) was removed while it was copied")
        }
        guard now.isStill(facts) else {
            throw BackendFailure(.busy, "\(source.shown) was changed while it was copied")
        }
        return now
    }
}
