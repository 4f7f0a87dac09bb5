import HaulModel
import HaulProtocol

/// What an earlier attempt at a file has sent of it: the parts of an unfinished upload to the same key.
struct EarlierParts<Source: CopyEnd>: Sendable {
    let move: CopyMove<Source, S3End>
    let cut: PartCut

    private var end: S3End { move.target }
    private var bucket: Bucket { end.bucket }
    private var source: Source { move.source }
    private var report: ElementReport { move.report }
    /// It can be told from what others did.
    private var isTold: Bool { !cut.isOwn || !source.traits.isStream && move.facts.modified != nil }

    /// - Returns: The upload of which most is there, and what is.
    func find() async throws -> (MultipartUpload, [MultipartUpload.Part])? {
        guard end.element.attempt > 1, isTold else { return nil }
        // Not allowed, or not known there: then nothing is gone on from.
        let uploads = try await told("unfinished uploads") { try await bucket.unfinished(end.place) } ?? []
        var best: (MultipartUpload, [MultipartUpload.Part])?
        for upload in uploads {
            let parts = try await told("parts") { try await bucket.parts(of: upload, end.shown) }
            guard let parts = parts ?? nil, cut.fits(parts), parts.count > best?.1.count ?? 0 else { continue }
            var same: [MultipartUpload.Part] = []
            do {
                try await compare(parts, &same)
            } catch {
                if cut.proves(parts) || !cut.isOwn && !same.isEmpty { await settle(upload, error, isFound: true) }
                throw error
            }
            if same.count > best?.1.count ?? 0 {
                best = (upload, same)
            } else if same.isEmpty, cut.proves(parts) {
                // Of this file, and nobody can go on from it.
                await bucket.letGo(of: upload)
            }
        }
        return best
    }

    /// Nil where the server refuses to tell.
    private func told<Value>(_ what: String, _ body: () async throws -> Value) async throws -> Value? {
        do { return try await body() } catch let failure as BackendFailure where failure.errorClass.isPermanent {
            report.log("\(what) are not told: \(failure.reason)")
            return nil
        }
    }

    /// Adds those that hold what the file holds there. Of a file that comes from elsewhere the last one speaks for those
    /// before it, from the first on.
    private func compare(
        _ parts: [MultipartUpload.Part], _ same: inout [MultipartUpload.Part]
    ) async throws {
        let reading = try PartSource(source, move.readOrder)
        defer { reading.abandon() }
        let sorted = parts.sorted { $0.number < $1.number }
        guard cut.isOwn else {
            for part in sorted {
                guard let isSame = try await reading.isSame(part, cut.ranges[part.number - 1], report) else { return }
                if isSame { same.append(part) }
            }
            return
        }
        let begun = zip(sorted, 1...).prefix { $0.number == $1 }.map(\.0)
        do {
            guard let last = begun.last else { return }
            if try await reading.isSame(last, cut.ranges[last.number - 1], report) == true { same = begun }
        } catch is CopyNotResumable {
            report.log("there is no rest of \(source.shown) to be had: starting over")
        }
    }

    /// Nothing is left where nobody goes on from it.
    /// - Parameter isFound: The next attempt can tell what is there.
    func settle(_ upload: MultipartUpload, _ error: any Error, isFound: Bool) async {
        let failure = (error as? ObjectStream.Refused)?.failure ?? error as? BackendFailure
        let isPermanent = failure?.errorClass.isPermanent ?? !(error is CancellationError)
        if !isPermanent, isTold, isFound, !report.isFinal(end.element), await isListed(upload),
            await !hasChanged()
        {
            return report.log("the parts that went up stay for the next attempt")
        }
        await bucket.letGo(of: upload)
    }

    /// False where the server does not tell unfinished uploads: nobody would find this one. True where it can't be asked now.
    private func isListed(_ upload: MultipartUpload) async -> Bool {
        if report.isCancelled || Task.isCancelled { return true }
        do {
            let uploads = try await Abandonable.run(limit: .seconds(10)) { [bucket, end] in
                try await bucket.unfinished(end.place)
            }
            return uploads.contains(upload)
        } catch let failure as BackendFailure { return !failure.errorClass.isPermanent } catch { return true }
    }

    /// The next attempt at a source that is another by now cuts it in another way. False where it can't be looked at.
    private func hasChanged() async -> Bool {
        guard cut.isOwn, !report.isCancelled, !Task.isCancelled else { return false }
        do {
            let now = try await Abandonable.run(limit: .seconds(10)) { [source, move] in
                try await source.facts(follow: move.follow)
            }
            return now?.isStill(move.facts) != true
        } catch { return false }
    }
}
