import HaulModel
import HaulProtocol
import Synchronization

/// A copy that the server makes: in one request up to a size, in parts above it. Nothing passes through the worker.
struct ServerCopy: Sendable {
    let source: S3End
    let target: S3End
    let facts: FileFacts
    let replace: Bool
    /// Parts on their way at a time; nil for as many as the worker's settings say.
    var streams: Int?
    let report: ElementReport

    private var bucket: Bucket { target.bucket }

    /// - Returns: False where the server does not do that; nothing was written.
    func run() async throws -> Bool {
        guard source.bucket.site.isSameService(as: bucket.site), bucket.canCopy else { return false }
        let limits = bucket.limits
        let etag: String
        if facts.size < limits.copyThreshold {
            let copied = try await bucket.copy(
                source.place, at: source.bucket.site, etag: facts.version ?? "", to: target.place,
                onlyIfMissing: !replace)
            guard let copied else {
                bucket.rememberNoCopy()
                return false
            }
            etag = copied
        } else {
            etag = try await inParts()
        }
        // Equal ETags of whole objects are equal md5s; else what is there is looked at.
        let known = source.known.object
        if let md5 = known?.md5, ObjectFacts.md5(etag) == md5 {
            target.known.wrote(ObjectFacts(written: etag, size: facts.size, source: facts), proven: "md5:\(md5)")
        } else {
            target.known.saw(try await bucket.object(target.place))
        }
        return true
    }

    private func inParts() async throws -> String {
        let known = source.known.object
        let upload = try await bucket.begin(
            target.place,
            headers: Bucket.metadata(mtime: known?.mtime ?? "", contentType: known?.contentType ?? ""))
        do {
            let ranges = Limits.parts(facts.size, wanted: bucket.limits.copyPart)
            let done = Done()
            let atOnce = bucket.limits.streams(asked: streams)
            try await Lanes.run(ranges.enumerated().map { ($0.offset, $0.element) }, atOnce: atOnce) { index, range in
                let part = try await bucket.copyPart(
                    index + 1, range, of: source.place, at: source.bucket.site, etag: facts.version ?? "", into: upload)
                report.progress(transferred: done.add(part), total: facts.size)
            }
            return try await bucket.finish(upload, done.parts, at: target.place, onlyIfMissing: !replace)
        } catch {
            await bucket.letGo(of: upload)
            throw error
        }
    }

    /// The parts that are there.
    private final class Done: Sendable {
        private let state = Mutex<[MultipartUpload.Part]>([])

        var parts: [MultipartUpload.Part] { state.withLock { $0 } }

        /// - Returns: The bytes of all of them.
        func add(_ part: MultipartUpload.Part) -> Int {
            state.withLock { parts in
                parts.append(part)
                return parts.reduce(0) { $0 + $1.size }
            }
        }
    }
}
