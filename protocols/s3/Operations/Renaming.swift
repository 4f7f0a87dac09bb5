import HaulCurl
import HaulModel
import HaulProtocol

/// RENAME, which S3 has not: the server copies, and what was copied is removed. Not atomic: meanwhile, and where it fails,
/// both names are there. What is at the old name goes only once all of it is at the new one, so that an attempt can
/// always be made again.
struct Renaming: Sendable {
    let bucket: Bucket
    let options: CommonOptions
    let element: ElementSpec
    let report: ElementReport

    func run() async throws {
        let source = try Place(element.source, at: bucket.site)
        let target = try Place(element.destination ?? "", at: bucket.site)
        if source.location.isRoot || target.location.isRoot {
            throw BackendFailure(.permission, "the site's root cannot be renamed, nor can anything become it")
        }
        let tree = TreeRenaming(bucket: bucket, element: element, report: report, source: source, target: target)
        // What was begun is gone on with, whatever is there by now.
        if element.attempt > 1, try await tree.wasBegun() { return try await tree.goOn() }
        async let there = bucket.look(target)
        async let found = bucket.look(source)
        let (thing, old) = try await (found, there)
        if case .file(let object)? = thing, case .file(let copy)? = old,
            try await isCopied(object, copy, source, target)
        {
            return
        }
        let plan = ChangePlan.rename(
            from: source.shown, to: target.shown, source: thing?.facts, destination: old?.facts,
            overwrite: options.overwrite, attempt: element.attempt)
        switch plan {
        case .done(let log): return report.log(log)
        case .fail(let failure): throw failure
        case .go(let replace):
            try check(source, target)
            try await bucket.prepareParent(of: target, make: options.parents)
            if let doubt = await bucket.keep(try source.parent(at: bucket.site)) { report.log(doubt) }
            switch thing {
            case .file?: try await file(source, target, replace: replace)
            case .directory?: try await tree.begin()
            case nil: break
            }
        }
    }

    private func check(_ source: Place, _ target: Place) throws {
        if target.key == source.key {
            throw BackendFailure(.invalid, "\(source.shown) and \(target.shown) are one and the same")
        }
        if target.key.starts(with: source.directoryKey) {
            throw BackendFailure(.invalid, "\(target.shown) is below \(source.shown)")
        }
    }

    private func file(_ source: Place, _ target: Place, replace: Bool) async throws {
        guard let object = try await bucket.object(source) else {
            throw BackendFailure(.notFound, "\(source.shown) does not exist any more")
        }
        let from = try S3End(source.shown, at: bucket, element, isSource: true)
        from.known.saw(object)
        let to = try S3End(target.shown, at: bucket, element, isSource: false)
        let copied = try await ServerCopy(
            source: from, target: to, facts: object.facts, replace: replace, report: report
        ).run()
        guard copied else { throw BackendFailure(.invalid, "the server copies nothing, so it renames nothing") }
        guard to.known.object?.size == object.size else {
            throw BackendFailure(.checksum, "\(target.shown) is not as long as \(source.shown), which stays")
        }
        try await bucket.delete(source.key, source.shown)
        report.progress(transferred: object.size, total: object.size)
    }

    /// An earlier attempt copied it and could not remove the old one: equal in content, so only that is left to do.
    private func isCopied(
        _ object: ObjectFacts, _ copy: ObjectFacts, _ source: Place, _ target: Place
    ) async throws -> Bool {
        guard element.attempt > 1, source.key != target.key, object.size == copy.size, !object.etag.isEmpty,
            object.etag == copy.etag
        else { return false }
        report.log("\(target.shown) has what \(source.shown) has: an earlier attempt copied it")
        if let doubt = await bucket.keep(try source.parent(at: bucket.site)) { report.log(doubt) }
        try await bucket.delete(source.key, source.shown)
        return true
    }
}
