import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// Uploads a file of this machine in parts, several at a time. An attempt that fails leaves them to the next one, which
/// finds its own again: those of an unfinished upload to the same key whose parts have the sizes and the md5s of this
/// file.
struct PartedUpload: Sendable {
    /// How many times a part is sent that the server is too busy for, or that breaks off.
    private static let tries = 4

    let end: S3End
    let source: LocalEnd
    let facts: FileFacts
    let follow: Bool
    let replace: Bool
    /// Of the whole content, as it is read; then the parts go one after the other.
    let algorithm: StreamHash.Algorithm?
    let report: ElementReport

    private var bucket: Bucket { end.bucket }
    private var ranges: [Range<Int>] { Limits.parts(facts.size, wanted: bucket.limits.part) }

    /// - Returns: The content's checksum, where it was wanted.
    func run() async throws -> String? {
        let headers = Bucket.metadata(mtime: ObjectFacts.text(facts))
        var kept: [MultipartUpload.Part] = []
        var upload: MultipartUpload
        if end.element.attempt > 1, let found = try await earlier() {
            (upload, kept) = found
            let bytes = kept.map(\.size).reduce(0, +)
            report.log(
                "going on from byte \(bytes) of an earlier attempt: \(kept.count) of \(ranges.count) parts are there")
        } else {
            upload = try await bucket.begin(end.place, headers: headers)
        }
        do {
            let progress = Progress(report: report, total: facts.size)
            for part in kept { progress.add(part.size) }
            let sum = try await send(upload, kept, progress)
            let parts = progress.parts
            if let promised = end.element.checksum?.lowercased(), let sum, sum != promised,
                promised.hasPrefix("\(sum.prefix { $0 != ":" }):")
            {
                throw BackendFailure(.checksum, "\(source.shown) has the checksum \(sum), not \(promised)")
            }
            let etag = try await bucket.finish(upload, kept + parts, at: end.place, onlyIfMissing: !replace)
            end.known.wrote(
                ObjectFacts(written: etag, size: facts.size, source: facts),
                proven: progress.isProven ? sum : nil)
            return sum
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
            let same = try await equal(parts)
            if same.count > best?.1.count ?? 0 { best = (upload, same) }
        }
        return best
    }

    /// Cut as this file is cut.
    private func isOurs(_ parts: [MultipartUpload.Part]) -> Bool {
        !parts.isEmpty
            && parts.allSatisfy { part in
                ranges.indices.contains(part.number - 1) && part.size == ranges[part.number - 1].count
            }
    }

    /// Those that hold what the file holds there.
    private func equal(_ parts: [MultipartUpload.Part]) async throws -> [MultipartUpload.Part] {
        var same: [MultipartUpload.Part] = []
        for part in parts {
            guard let md5 = part.md5 else { return [] }
            let hash = try StreamHash(.md5)
            var seen = 0
            try await read(ranges[part.number - 1]) { data in
                data.withUnsafeBytes { hash.update($0) }
                seen += data.count
                // Long for a large file, and no standstill.
                report.progress(transferred: seen, total: facts.size)
            }
            if hash.finish() == "md5:\(md5)" { same.append(part) }
        }
        return same
    }

    // MARK: Parts

    /// Sends what is missing.
    private func send(
        _ upload: MultipartUpload, _ kept: [MultipartUpload.Part], _ progress: Progress
    ) async throws -> String? {
        let there = Set(kept.map(\.number))
        if let algorithm {
            let whole = try StreamHash(algorithm)
            for (index, range) in ranges.enumerated() {
                // Hashed on its own: a part may have to be read twice to be sent.
                try await read(range) { data in data.withUnsafeBytes { whole.update($0) } }
                if !there.contains(index + 1) { try await part(index + 1, range, upload, progress) }
            }
            return whole.finish()
        }
        let missing = ranges.enumerated().filter { !there.contains($0.offset + 1) }.map { ($0.offset, $0.element) }
        try await Lanes.run(missing, atOnce: bucket.limits.streams) { index, range in
            try await part(index + 1, range, upload, progress)
        }
        return nil
    }

    private func part(
        _ number: Int, _ range: Range<Int>, _ upload: MultipartUpload, _ progress: Progress
    ) async throws {
        for attempt in 1... {
            do {
                return try await once(number, range, upload, progress)
            } catch let refused as ObjectStream.Refused where refused.passes && attempt < Self.tries {
                report.log("part \(number) is sent again: \(refused.failure.reason)")
                try await Task.sleep(for: .seconds(0.2 * Double(attempt * attempt) * Double.random(in: 0.7...1.3)))
            }
        }
    }

    private func once(
        _ number: Int, _ range: Range<Int>, _ upload: MultipartUpload, _ progress: Progress
    ) async throws {
        let what = "PUT \(end.shown), part \(number)"
        let stream = try await ObjectStream.start(
            bucket, upload.key, query: [("partNumber", "\(number)"), ("uploadId", upload.id)], length: range.count,
            what: what)
        let sent = Mutex(0)
        do {
            try await withTaskCancellationHandler {
                try await read(range) { data in
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

    private func read(_ range: Range<Int>, _ body: (Data) async throws -> Void) async throws {
        let reader = try await source.reader(
            ReadOrder(facts: facts, from: range.lowerBound, to: range.upperBound, follow: follow))
        defer { reader.abandon() }
        while let data = try await reader.next() {
            try Task.checkCancellation()
            try await body(data)
        }
    }

    // MARK: The end

    /// Nothing is left where nobody goes on from it.
    private func settle(_ upload: MultipartUpload, _ error: any Error) async {
        let failure = (error as? ObjectStream.Refused)?.failure ?? error as? BackendFailure
        let isPermanent = failure?.errorClass.isPermanent ?? !(error is CancellationError)
        if !isPermanent, !report.isGivenUp, !end.element.last {
            return report.log("the parts that went up stay for the next attempt")
        }
        await Task { [bucket] in
            try? await Abandonable.run(limit: .seconds(3)) { await bucket.abort(upload) }
        }.value
    }

    /// What several parts do at a time.
    private final class Progress: Sendable {
        private struct State {
            var bytes = 0
            var parts: [MultipartUpload.Part] = []
            var isProven = true
        }

        private let report: ElementReport
        private let total: Int
        private let state = Mutex(State())

        init(report: ElementReport, total: Int) { (self.report, self.total) = (report, total) }

        var parts: [MultipartUpload.Part] { state.withLock { $0.parts } }
        var isProven: Bool { state.withLock { $0.isProven } }

        func add(_ bytes: Int) {
            let sum = state.withLock { state in
                state.bytes += bytes
                return state.bytes
            }
            report.progress(transferred: sum, total: total)
        }

        func done(_ part: MultipartUpload.Part, isProven: Bool) {
            state.withLock { state in
                state.parts.append(part)
                state.isProven = state.isProven && isProven
            }
        }
    }
}
