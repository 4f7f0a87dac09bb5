import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// Uploads a file in parts. An attempt that fails leaves them to the next one, which finds its own again (``EarlierParts``).
///
/// A file of this machine goes several parts at a time. One that comes from elsewhere is read once, so its parts go one after
/// the other.
struct PartedUpload<Source: CopyEnd>: Sendable {
    /// How many times a part is sent that the server is too busy for, or that breaks off.
    private static var tries: Int { 4 }

    /// What became of all parts.
    private struct Sent {
        /// Of the whole, where it was wanted.
        var sum: String?
        /// The bytes that it is of are those that the server has.
        var isProven = false
        /// What the source is by now, where that is known.
        var source: FileFacts?
    }

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
            let sent = try await send(upload, kept, progress)
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

    /// Sends what is missing.
    private func send(
        _ upload: MultipartUpload, _ kept: [MultipartUpload.Part], _ progress: PartProgress
    ) async throws -> Sent {
        let there = Dictionary(kept.map { ($0.number, $0) }) { first, _ in first }
        let parts = cut.ranges.enumerated().map { (number: $0.offset + 1, range: $0.element) }
        if move.algorithm == nil, source.traits.isNear, move.bandwidth == nil {
            let missing = parts.filter { there[$0.number] == nil }
            try await Lanes.run(missing, atOnce: bucket.limits.streams(asked: move.streams)) { number, range in
                let reading = try PartSource(source, move.readOrder)
                defer { reading.abandon() }
                try await part(number, range, of: reading, upload, progress)
            }
            return Sent()
        }
        let reading = try PartSource(source, move.readOrder, hashing: move.algorithm)
        defer { reading.abandon() }
        for (number, range) in parts {
            if let part = there[number] {
                // Where all of it has to be read, all is compared.
                if move.algorithm == nil { continue }
                if try await reading.isSame(part, range, report) == true { continue }
                progress.add(-part.size)
            }
            try await part(number, range, of: reading, upload, progress)
        }
        let now = try await reading.finish()
        let isProven = await !reading.wasReread && progress.isProven
        return Sent(sum: await reading.sum(), isProven: isProven, source: now)
    }

    private func part(
        _ number: Int, _ range: Range<Int>, of reading: PartSource<Source>, _ upload: MultipartUpload,
        _ progress: PartProgress
    ) async throws {
        var refusal: ObjectStream.Refused?
        for attempt in 1... {
            do {
                return try await once(number, range, of: reading, upload, progress)
            } catch let refused as ObjectStream.Refused where refused.passes && attempt < Self.tries {
                report.log("part \(number) is sent again: \(refused.failure.reason)")
                refusal = refused
                try await Task.sleep(for: .seconds(0.2 * Double(attempt * attempt) * Double.random(in: 0.7...1.3)))
            } catch let error as CopyNotResumable {
                throw refusal ?? error
            }
        }
    }

    private func once(
        _ number: Int, _ range: Range<Int>, of reading: PartSource<Source>, _ upload: MultipartUpload,
        _ progress: PartProgress
    ) async throws {
        let what = "PUT \(end.shown), part \(number)"
        let stream = try await ObjectStream.start(
            bucket, upload.key, query: [("partNumber", "\(number)"), ("uploadId", upload.id)], length: range.count,
            what: what)
        let sent = Mutex(0)
        do {
            try await withTaskCancellationHandler {
                try await reading.each(range, isMoved: true) { data in
                    try await stream.write(data)
                    sent.withLock { $0 += data.count }
                    progress.add(data.count)
                }
                let arrived = try await stream.finish()
                progress.done(
                    .init(number: number, etag: arrived.etag, size: range.count), isProven: arrived.isProven)
            } onCancel: {
                stream.abort()
            }
        } catch {
            stream.abort()
            await stream.ended()
            progress.add(-sent.withLock { $0 })
            try Task.checkCancellation()
            throw error
        }
    }
}

extension PartSource {
    nonisolated func each(
        _ range: Range<Int>, isMoved: Bool, _ body: (Data) async throws -> Void
    ) async throws {
        try await withTaskCancellationHandler {
            var offset = range.lowerBound
            while offset < range.upperBound {
                let data = try await next(at: offset, upTo: range.upperBound, isMoved: isMoved)
                offset += data.count
                try await body(data)
            }
        } onCancel: {
            abandon()
        }
    }

    /// Whether a part that is there holds what the source holds; nil where the server does not tell the md5.
    nonisolated func isSame(
        _ part: MultipartUpload.Part, _ range: Range<Int>, _ report: ElementReport
    ) async throws -> Bool? {
        guard let md5 = part.md5 else { return nil }
        let hash = try StreamHash(.md5)
        var seen = range.lowerBound
        try await each(range, isMoved: isFar) { data in
            data.withUnsafeBytes { hash.update($0) }
            seen += data.count
            // Long for a large file, and no standstill.
            report.progress(transferred: seen)
        }
        return hash.finish() == "md5:\(md5)"
    }
}
