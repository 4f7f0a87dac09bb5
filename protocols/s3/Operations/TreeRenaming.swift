import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// RENAME of a directory: every key below it is copied, then every one that is at the new name is removed. A mark at the new name, made first and
/// removed last, tells a later attempt that what it finds there is its own doing.
struct TreeRenaming: Sendable {
    private static let atOnce = 16
    /// The keys that are in memory at a time.
    private static let page = 1_000

    let bucket: Bucket
    let element: ElementSpec
    let report: ElementReport
    let source: Place
    let target: Place

    /// Keys that were copied or removed, and the bytes of the copied ones.
    private let done = Done()

    private final class Done: Sendable {
        private let state = Mutex((keys: 0, bytes: 0))

        func add(_ report: ElementReport, bytes: Int = 0) {
            let keys = state.withLock { state in
                state.keys += 1
                state.bytes += bytes
                return state.keys
            }
            // In keys: what is empty takes its time too.
            report.progress(transferred: keys)
        }

        var bytes: Int { state.withLock { $0.bytes } }
    }

    init(bucket: Bucket, element: ElementSpec, report: ElementReport, source: Place, target: Place) {
        (self.bucket, self.element, self.report) = (bucket, element, report)
        (self.source, self.target) = (source, target)
    }

    private func mark() throws -> Place {
        let name = try PartFile.name(seed: element.partSeed, size: 0, modified: 0)
        return try Place(target.location.child(name.utf8), at: bucket.site)
    }

    func wasBegun() async throws -> Bool { try await bucket.object(try mark()) != nil }

    func begin() async throws {
        let mark = try mark()
        _ = try await bucket.accepted(
            bucket.request(.put, mark.key, headers: Bucket.metadata(mtime: "")), "PUT \(mark.shown)")
        try await goOn()
    }

    /// Copies what is not yet removed, then removes it. Again from the beginning is as good: a copy of what was copied
    /// changes nothing.
    func goOn() async throws {
        do {
            try await eachPage { keys in try await all(keys) { try await copy($0) } }
        } catch {
            await undo(error)
            throw error
        }
        try await removeAll()
        bucket.marked.forget()
        bucket.usable.forget()
        let mark = try mark()
        try await bucket.delete(mark.key, mark.shown)
        report.transferred(done.bytes)
    }

    /// Removes what is at the new name, and nothing else: what came or changed since it was copied is copied first.
    /// Removing changes what is listed: the first page, until there is none.
    private func removeAll() async throws {
        var copies = Copies(bucket: bucket, target: target)
        while true {
            let objects = try await bucket.firstKeys(of: source.directoryKey, most: Self.page, source.shown)
            guard let last = objects.last else { return }
            try await copies.read(until: below(last))
            let known = copies.known
            try await all(objects) { object in
                if !isCopied(object, as: known[below(object)]) { try await copy(object) }
                try await bucket.delete(object.key, source.shown)
                done.add(report)
            }
        }
    }

    /// Written after its source, as far as that can be told: copying again is always right.
    private func isCopied(_ object: ListPage.Object, as copy: ListPage.Object?) -> Bool {
        guard let copy, copy.size == object.size else { return false }
        if !object.etag.isEmpty, copy.etag == object.etag { return true }
        guard let written = object.modified, let copied = copy.modified else { return false }
        return copied > written
    }

    private func below(_ object: ListPage.Object) -> ArraySlice<UInt8> {
        object.key.dropFirst(source.directoryKey.count)
    }

    /// What the new name has, listed as far as the old one's keys are looked at: both lists are in one order.
    private struct Copies {
        let bucket: Bucket
        let target: Place
        /// By what stands behind the directory's key; of the last pages alone.
        private(set) var known: [ArraySlice<UInt8>: ListPage.Object] = [:]
        private var token: String?
        private var isAtEnd = false
        private var last: ArraySlice<UInt8> = []
        /// What was wanted last: nothing up to there is asked for again, but for what has come since.
        private var floor: ArraySlice<UInt8> = []

        init(bucket: Bucket, target: Place) { (self.bucket, self.target) = (bucket, target) }

        mutating func read(until wanted: ArraySlice<UInt8>) async throws {
            known = known.filter { floor.lexicographicallyPrecedes($0.key) }
            floor = wanted
            while !isAtEnd, last.lexicographicallyPrecedes(wanted) {
                let page = try await bucket.page(
                    below: target.directoryKey, most: TreeRenaming.page, delimited: false, after: token, target.shown)
                for object in page.objects { known[object.key.dropFirst(target.directoryKey.count)] = object }
                if let key = page.objects.last?.key { last = key.dropFirst(target.directoryKey.count) }
                token = page.next
                isAtEnd = page.next == nil
            }
        }
    }

    private func copy(_ object: ListPage.Object) async throws {
        let below = object.key.dropFirst(source.directoryKey.count)
        let known = ObjectFacts(object)
        let one = S3End(
            Place(key: object.key, location: source.location.child(below)), at: bucket, element, isSource: true)
        let other = S3End(
            Place(key: target.directoryKey + below, location: target.location.child(below)), at: bucket, element,
            isSource: false)
        // Of a part copied in parts, its metadata is wanted.
        one.known.saw(object.size < bucket.limits.copyThreshold ? known : try await bucket.object(one.place) ?? known)
        let copied = try await ServerCopy(
            source: one, target: other, facts: known.facts, replace: true, report: report
        ).run()
        guard copied else { throw BackendFailure(.invalid, "the server copies nothing, so it renames nothing") }
        done.add(report, bytes: object.size)
    }

    /// Nothing of the old name was removed yet: what is at the new one is a copy, and goes, where nobody goes on from it.
    private func undo(_ error: any Error) async {
        let isPermanent = (error as? BackendFailure)?.errorClass.isPermanent ?? false
        if !isPermanent, !report.isFinal(element) { return }
        // In a task of its own: it is a cancellation, maybe. Not for long: what stays says by its mark what it is.
        await Task { [self] in
            try? await Abandonable.run(limit: .seconds(3)) {
                try await eachPage { keys in
                    try await all(keys) { object in
                        let below = object.key.dropFirst(source.directoryKey.count)
                        try await bucket.delete(target.directoryKey + below, target.shown)
                    }
                }
                let mark = try mark()
                try await bucket.delete(mark.key, mark.shown)
            }
        }.value
    }

    private func eachPage(_ body: ([ListPage.Object]) async throws -> Void) async throws {
        var token: String?
        repeat {
            let page = try await bucket.page(
                below: source.directoryKey, most: Self.page, delimited: false, after: token, source.shown)
            try await body(page.objects)
            token = page.next
        } while token != nil
    }

    private func all(
        _ objects: [ListPage.Object], _ body: @escaping @Sendable (ListPage.Object) async throws -> Void
    ) async throws {
        try await Lanes.run(objects, atOnce: Self.atOnce, body)
    }
}
