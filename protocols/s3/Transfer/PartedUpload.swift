import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// Uploads a file in parts. An attempt that fails leaves them to the next one, which finds its own again: those of an
/// unfinished upload to the same key that are cut as this attempt cuts the file.
///
/// A file of this machine goes several parts at a time, and what is there of it is compared by its md5s, all of it. One that
/// comes from elsewhere is read once, so its parts go one after the other; they are cut to a size that no other file, and no
/// other state of this one, has in common with it, and the last of those that are there is compared.
struct PartedUpload<Source: CopyEnd>: Sendable {
    /// How many times a part is sent that the server is too busy for, or that breaks off.
    private static var tries: Int { 4 }

    let move: CopyMove<Source, S3End>
    var contentType = ""

    private var end: S3End { move.target }
    private var bucket: Bucket { end.bucket }
    private var source: Source { move.source }
    private var facts: FileFacts { move.facts }
    private var report: ElementReport { move.report }
    private var ranges: [Range<Int>] {
        let wanted = bucket.limits.part
        guard !source.traits.isNear else { return Limits.parts(facts.size, wanted: wanted) }
        return Limits.parts(
            facts.size,
            wanted: Limits.own(
                wanted, seed: end.element.partSeed, size: facts.size, modified: facts.modified ?? 0))
    }
    /// What an earlier attempt sent can be told from what others did.
    private var isResumable: Bool { source.traits.isNear || !source.traits.isStream && facts.modified != nil }

    func run() async throws -> CopyMoved {
        var upload: MultipartUpload
        var kept: [MultipartUpload.Part] = []
        if end.element.attempt > 1, isResumable, let found = try await earlier() {
            (upload, kept) = found
            let bytes = kept.map(\.size).reduce(0, +)
            report.log(
                "going on from byte \(bytes) of an earlier attempt: \(kept.count) of \(ranges.count) parts are there")
        } else {
            upload = try await bucket.begin(
                end.place, headers: Bucket.metadata(mtime: ObjectFacts.text(facts), contentType: contentType))
        }
        do {
            let progress = PartProgress(report: report, total: facts.size)
            for part in kept { progress.add(part.size) }
            let (sum, now) = try await send(upload, kept, progress)
            // Before the end: what is wrong never appears.
            if let now, !now.isStill(facts) {
                throw BackendFailure(.busy, "\(source.shown) was changed while it was copied")
            }
            if let promised = end.element.checksum?.lowercased(), let sum, sum != promised,
                promised.hasPrefix("\(sum.prefix { $0 != ":" }):")
            {
                throw BackendFailure(.checksum, "\(source.shown) has the checksum \(sum), not \(promised)")
            }
            let etag = try await bucket.finish(
                upload, progress.parts(with: kept), at: end.place, onlyIfMissing: !move.replace)
            end.known.wrote(
                ObjectFacts(written: etag, size: facts.size, source: facts),
                proven: progress.isProven ? sum : nil)
            return CopyMoved(checksum: sum, source: now)
        } catch {
            await settle(upload, error)
            throw (error as? ObjectStream.Refused)?.failure ?? error
        }
    }

    // MARK: What an earlier attempt left

    private func earlier() async throws -> (MultipartUpload, [MultipartUpload.Part])? {
        let uploads: [MultipartUpload]
        do {
            uploads = try await bucket.unfinished(end.place)
        } catch let failure as BackendFailure where failure.errorClass.isPermanent {
            // Not allowed, or not known there: then nothing is gone on from.
            report.log("unfinished uploads are not told: \(failure.reason)")
            return nil
        }
        var best: (MultipartUpload, [MultipartUpload.Part])?
        for upload in uploads {
            guard let parts = try await bucket.parts(of: upload, end.shown), isOurs(parts),
                parts.count > best?.1.count ?? 0
            else { continue }
            let same = try await source.traits.isNear ? equal(parts) : begun(parts)
            // Of this file, and nobody can go on from it.
            if same.isEmpty, !source.traits.isNear { await bucket.abort(upload) }
            if same.count > best?.1.count ?? 0 { best = (upload, same) }
        }
        return best
    }

    /// Cut as this file is cut.
    private func isOurs(_ parts: [MultipartUpload.Part]) -> Bool {
        let ranges = ranges
        return !parts.isEmpty
            && parts.allSatisfy { part in
                ranges.indices.contains(part.number - 1) && part.size == ranges[part.number - 1].count
            }
    }

    /// Those that hold what the file holds there.
    private func equal(_ parts: [MultipartUpload.Part]) async throws -> [MultipartUpload.Part] {
        let reading = try PartSource(source, move.readOrder, hashing: nil)
        defer { reading.abandon() }
        var same: [MultipartUpload.Part] = []
        for part in parts {
            guard let isSame = try await isSame(part, of: reading) else { return [] }
            if isSame { same.append(part) }
        }
        return same
    }

    /// Those from the first one on, if the last of them holds what the file holds there.
    private func begun(_ parts: [MultipartUpload.Part]) async throws -> [MultipartUpload.Part] {
        let begun = zip(parts.sorted { $0.number < $1.number }, 1...).prefix { $0.number == $1 }.map(\.0)
        let reading = try PartSource(source, move.readOrder, hashing: nil)
        defer { reading.abandon() }
        do {
            guard let last = begun.last, try await isSame(last, of: reading) == true else { return [] }
            return begun
        } catch is CopyNotResumable {
            report.log("there is no rest of \(source.shown) to be had: starting over")
            return []
        }
    }

    /// Nil where the server does not tell the md5.
    private func isSame(_ part: MultipartUpload.Part, of reading: PartSource<Source>) async throws -> Bool? {
        guard let md5 = part.md5 else { return nil }
        let range = ranges[part.number - 1]
        let hash = try StreamHash(.md5)
        var seen = range.lowerBound
        try await read(range, of: reading) { data in
            data.withUnsafeBytes { hash.update($0) }
            seen += data.count
            // Long for a large file, and no standstill.
            report.progress(transferred: seen, total: facts.size)
        }
        return hash.finish() == "md5:\(md5)"
    }

    // MARK: Parts

    /// Sends what is missing.
    /// - Returns: The checksum of the whole, where it was wanted, and what the source is by now, where that is known.
    private func send(
        _ upload: MultipartUpload, _ kept: [MultipartUpload.Part], _ progress: PartProgress
    ) async throws -> (String?, FileFacts?) {
        let there = Dictionary(kept.map { ($0.number, $0) }) { first, _ in first }
        let parts = ranges.enumerated().map { (number: $0.offset + 1, range: $0.element) }
        if move.algorithm == nil, source.traits.isNear, move.bandwidth == nil {
            let missing = parts.filter { there[$0.number] == nil }
            let streams = min(Limits.mostStreams, move.streams ?? bucket.limits.streams)
            try await Lanes.run(missing, atOnce: streams) { number, range in
                let reading = try PartSource(source, move.readOrder, hashing: nil)
                defer { reading.abandon() }
                try await part(number, range, of: reading, upload, progress)
            }
            return (nil, nil)
        }
        let reading = try PartSource(source, move.readOrder, hashing: move.algorithm)
        defer { reading.abandon() }
        for (number, range) in parts {
            if let part = there[number] {
                // Where all of it has to be read, all is compared.
                if move.algorithm == nil { continue }
                if try await isSame(part, of: reading) == true { continue }
            }
            try await part(number, range, of: reading, upload, progress)
        }
        let now = try await reading.finish()
        return (await reading.sum(), now)
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
                try await read(range, of: reading) { data in
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

    private func read(
        _ range: Range<Int>, of reading: PartSource<Source>, _ body: (Data) async throws -> Void
    ) async throws {
        try await withTaskCancellationHandler {
            var offset = range.lowerBound
            while offset < range.upperBound {
                let data = try await reading.next(at: offset, upTo: range.upperBound)
                offset += data.count
                try await body(data)
            }
        } onCancel: {
            reading.abandon()
        }
    }

    // MARK: The end

    /// Nothing is left where nobody goes on from it.
    private func settle(_ upload: MultipartUpload, _ error: any Error) async {
        let failure = (error as? ObjectStream.Refused)?.failure ?? error as? BackendFailure
        let isPermanent = failure?.errorClass.isPermanent ?? !(error is CancellationError)
        if !isPermanent, isResumable, !report.isGivenUp, !end.element.last, await !hasChanged() {
            return report.log("the parts that went up stay for the next attempt")
        }
        await Task { [bucket] in
            try? await Abandonable.run(limit: .seconds(3)) { await bucket.abort(upload) }
        }.value
    }

    /// The next attempt at a source that is another by now cuts it in another way. Not known where it can't be looked at.
    private func hasChanged() async -> Bool {
        guard !source.traits.isNear, !report.isCancelled, !Task.isCancelled else { return false }
        do {
            let now = try await Abandonable.run(limit: .seconds(10)) { [source, move] in
                try await source.facts(follow: move.follow)
            }
            return now?.isStill(facts) != true
        } catch { return false }
    }
}
