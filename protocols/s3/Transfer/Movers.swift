import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// The ways in which a file's bytes move faster than through one stream.
enum Movers {
    /// Small files to the worker over connections that many share.
    static let get: [CopyMover<S3End, LocalEnd>] = [
        .whole("", paces: true) { move in
            guard SmallObject.takes(move.facts.size, at: move.bandwidth), let path = move.target.path else {
                return nil
            }
            try await SmallObject(
                bucket: move.source.bucket, place: move.source.place, bandwidth: move.bandwidth, report: move.report
            )
            .download(into: path, size: move.facts.size, version: move.facts.version)
            // Asked for with If-Match: it was the same until its end.
            return CopyMoved(source: move.facts.version == nil ? nil : move.facts)
        }
    ]

    /// Small files from the worker likewise, large ones in parts.
    static let put: [CopyMover<LocalEnd, S3End>] = [
        .whole("", paces: true) { move in
            let bucket = move.target.bucket
            if let path = move.source.path, move.facts.size < bucket.limits.threshold,
                SmallObject.takes(move.facts.size, at: move.bandwidth)
            {
                let sums = try await SmallObject.sums(path, move.algorithm, bucket.curl)
                guard sums.size == move.facts.size else {
                    throw BackendFailure(.busy, "\(move.source.shown) was changed while it was copied")
                }
                try keepsPromise(move.target.element, sums.wanted, move.source.shown)
                let small = SmallObject(
                    bucket: bucket, place: move.target.place, bandwidth: move.bandwidth, report: move.report)
                let (etag, isProven) = try await small.upload(
                    .file(path), sums, headers: Bucket.metadata(mtime: ObjectFacts.text(move.facts)),
                    onlyIfMissing: !move.replace)
                move.target.known.wrote(
                    ObjectFacts(written: etag, size: sums.size, source: move.facts, isEncrypted: !isProven),
                    proven: isProven ? sums.wanted : nil)
                return CopyMoved(checksum: sums.wanted)
            }
            return try await inParts(move)
        }
    ]

    /// Large files of another protocol in parts.
    static let asked: [CopyMover<AskedEnd, S3End>] = [.whole("", paces: true) { try await inParts($0) }]

    /// - Returns: Nil for a file that goes up in one piece.
    private static func inParts<Source: CopyEnd>(
        _ move: CopyMove<Source, S3End>, contentType: String = ""
    ) async throws -> CopyMoved? {
        guard move.facts.size >= move.target.bucket.limits.threshold else { return nil }
        return try await PartedUpload(move, contentType: contentType).run()
    }

    /// By the server alone, where one serves both ends; else small files through the worker: its memory, or its spool; large
    /// ones in parts.
    static let copy: [CopyMover<S3End, S3End>] = [
        .whole("copied within the server", paces: false) { move in
            try await ServerCopy(
                source: move.source, target: move.target, facts: move.facts, replace: move.replace,
                streams: move.streams, report: move.report
            ).run() ? CopyMoved(source: move.facts) : nil
        },
        .whole("", paces: true) { move in
            let curl = move.target.bucket.curl
            guard move.facts.size < move.target.bucket.limits.threshold,
                SmallObject.takes(move.facts.size, at: move.bandwidth)
            else { return nil }
            let small = SmallObject(
                bucket: move.source.bucket, place: move.source.place, bandwidth: move.bandwidth, report: move.report)
            if move.facts.size <= Curl.inMemory {
                return try await curl.memory.withRoom(move.facts.size) {
                    let body = try await small.download(size: move.facts.size, version: move.facts.version)
                    return try await upload(.bytes(body), try SmallObject.sums(body, move.algorithm), move)
                }
            }
            guard curl.spool.takes(move.facts.size) else { return nil }
            return try await curl.spool.withRoom(move.facts.size) {
                let file = curl.spool.file("data")
                defer { unlink(file) }
                try await small.download(into: file, size: move.facts.size, version: move.facts.version)
                return try await upload(.file(file), try await SmallObject.sums(file, move.algorithm, curl), move)
            }
        },
        .whole("", paces: true) { move in
            try await inParts(move, contentType: move.source.known.object?.contentType ?? "")
        },
    ]

    private static func upload(
        _ content: SmallObject.Content, _ sums: SmallObject.Sums, _ move: CopyMove<S3End, S3End>
    ) async throws -> CopyMoved {
        try keepsPromise(move.target.element, sums.wanted, move.source.shown)
        let headers = Bucket.metadata(
            mtime: ObjectFacts.text(move.facts), contentType: move.source.known.object?.contentType ?? "")
        let (etag, isProven) = try await SmallObject(
            bucket: move.target.bucket, place: move.target.place, bandwidth: move.bandwidth, report: move.report
        ).upload(content, sums, headers: headers, onlyIfMissing: !move.replace)
        move.target.known.wrote(
            ObjectFacts(written: etag, size: sums.size, source: move.facts, isEncrypted: !isProven),
            proven: isProven ? sums.wanted : nil)
        return CopyMoved(checksum: sums.wanted, source: move.facts)
    }

    /// Before the object is there: what is wrong never appears.
    static func keepsPromise(_ element: ElementSpec, _ sum: String?, _ shown: String) throws {
        guard let promised = element.checksum?.lowercased(), let sum,
            promised.hasPrefix("\(sum.prefix { $0 != ":" }):"), promised != sum
        else { return }
        throw BackendFailure(.checksum, "\(shown) has the checksum \(sum), not \(promised)")
    }
}
