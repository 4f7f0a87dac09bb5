import Foundation
import HaulModel
import Synchronization

@testable import HaulProtocol

/// A site in memory: files by path, what was done to them, and what is to go wrong.
final class MemoryStore: Sendable {
    struct File: Equatable {
        var data: Data
        var modified: Int? = 1000
        var permissions: Int? = 0o640
        var kind = ListingEntry.Kind.file
    }

    struct State {
        var files: [String: File] = [:]
        /// Bytes that readers gave and writers took.
        var read = 0
        var written = 0
        /// Checksums that the site computed.
        var sums = 0
        /// Directories that are not there.
        var missing: Set<String> = []
        /// Every name that ever had content, other than parts.
        var seen: [String] = []

        var readFailsAt: Int?
        /// What it fails as.
        var readFailure = BackendFailure(.interrupted, "cut")
        var writeFailsAt: Int?
        /// Names no part can be written under.
        var isHeld = false
        /// Neither looked at nor written to.
        var isAway = false
        var refuses = false
        var corrupts = false
        var hasRanges = true
        var answersSums = true
        var renames = true
        var discardFails = false
        /// The directory can't be had now.
        var refusesParents = false
        /// The connection is cut when a part is to get its name.
        var refusesNames = false
        /// The part is gone when it is to get its name.
        var publishFails = false
        /// What readers give instead of what is there.
        var sends: Data?
        /// Runs once, when a reader has given so many bytes.
        var afterBytes: (count: Int, run: @Sendable (inout State) -> Void)?
    }

    private let state: Mutex<State>

    init(_ files: [String: String] = [:]) {
        state = Mutex(State(files: files.mapValues { File(data: Data($0.utf8)) }))
    }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    func use<Value: Sendable>(_ body: (inout State) throws -> Value) rethrows -> Value {
        try state.withLock { try body(&$0) }
    }

    var files: [String: File] { state.withLock { $0.files } }
    func text(_ path: String) -> String? { files[path].map { String(decoding: $0.data, as: UTF8.self) } }
    var parts: [String] { files.keys.filter { $0.contains(PartFile.prefix) } }
}

struct MemoryEnd: CopyEnd {
    let store: MemoryStore
    let path: String
    var given = CopyTraits()

    var shown: String { path }
    var traits: CopyTraits {
        var traits = given
        if !store.use({ $0.renames }) { traits.publication = .inPlace }
        return traits
    }
    private var parent: String { ListingPath.parent(path).directory }

    func facts(follow: Bool) async throws -> FileFacts? {
        try store.use { state in
            if state.isAway { throw BackendFailure(.connect, "away") }
            guard let file = state.files[path] else { return nil }
            let kind = file.kind == .link && follow ? .file : file.kind
            return FileFacts(
                kind: kind, size: file.data.count, modified: file.modified, permissions: file.permissions,
                version: version(file))
        }
    }

    private func version(_ file: MemoryStore.File) -> String {
        "\(path) \(file.data.count) \(file.modified ?? -1)"
    }

    func sibling(_ name: String) -> MemoryEnd {
        MemoryEnd(store: store, path: ListingPath.child(parent, name), given: given)
    }

    func prepareParent(make: Bool, isMissing: Bool) async throws {
        if store.use({ $0.refusesParents }) { throw BackendFailure(.busy, "come back later") }
        if make, isMissing { store.change { $0.missing.remove(parent) } }
    }

    func publish(as target: MemoryEnd, replace: Bool) async throws -> Bool {
        try store.use { state in
            guard state.renames else { return false }
            if state.refusesNames { throw BackendFailure(.connect, "cut") }
            if state.publishFails { throw BackendFailure(.notFound, "no part") }
            if !replace, state.files[target.path] != nil { throw BackendFailure(.exists, "there by now") }
            state.files[target.path] = state.files.removeValue(forKey: path)
            return true
        }
    }

    func discard() async throws {
        try store.use { state in
            if state.discardFails { throw BackendFailure(.connect, "away") }
            state.files[path] = nil
        }
    }

    func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? {
        guard given.checksums.contains(algorithm) else { return nil }
        return try store.use { state in
            guard state.answersSums, let data = state.files[path]?.data else { return nil }
            state.sums += 1
            let hash = try StreamHash(algorithm)
            hash.update(data)
            return hash.finish()
        }
    }

    func reader(_ order: ReadOrder) async throws -> any CopyReader {
        guard order.from == 0 || store.use({ $0.hasRanges }) else { throw CopyNotResumable() }
        // As HTTP has it (416).
        guard order.from == 0 || order.from < order.facts.size else { throw CopyNotResumable() }
        if let wanted = order.facts.version, store.use({ $0.files[path].map(version) != wanted }) {
            throw BackendFailure(.busy, "it is another version")
        }
        return MemoryReader(store, path, order)
    }

    func writer(_ order: WriteOrder) async throws -> any CopyWriter {
        let existing = try store.use { state in
            if state.isAway { throw BackendFailure(.connect, "away") }
            if state.isHeld { throw CopyWriteFailure(.init(.busy, "another writes"), wroteNothing: true) }
            if state.refuses { throw CopyWriteFailure(.init(.permission, "refused"), wroteNothing: true) }
            if state.missing.contains(parent) {
                throw CopyWriteFailure(.init(.notFound, "no directory"), parentIsMissing: true)
            }
            return given.publication == .whole ? 0 : state.files[path]?.data.count ?? 0
        }
        return MemoryWriter(store, path, existing: existing, isWhole: given.publication == .whole)
    }
}

final class MemoryReader: CopyReader {
    private let store: MemoryStore
    private let path: String
    private let order: ReadOrder
    private let offset: Mutex<Int>

    init(_ store: MemoryStore, _ path: String, _ order: ReadOrder) {
        self.store = store
        self.path = path
        self.order = order
        offset = Mutex(order.from)
    }

    func next() async throws -> Data? {
        let start = offset.withLock { $0 }
        guard start < order.to else { return nil }
        let data = try store.use { state in
            guard let file = state.files[path] else { throw BackendFailure(.notFound, "gone") }
            if let fails = state.readFailsAt, start >= fails { throw state.readFailure }
            let data = (state.sends ?? file.data).dropFirst(start).prefix(min(64 << 10, order.to - start))
            guard !data.isEmpty else { throw BackendFailure(.interrupted, "shorter") }
            state.read += data.count
            if let after = state.afterBytes, state.read >= after.count {
                state.afterBytes = nil
                after.run(&state)
            }
            return Data(data)
        }
        offset.withLock { $0 += data.count }
        return data
    }

    func finish() async throws -> FileFacts? { nil }
    func abandon() {}
}

final class MemoryWriter: CopyWriter {
    let existing: Int
    private let store: MemoryStore
    private let path: String
    private let isWhole: Bool
    private let collected = Mutex(Data())

    init(_ store: MemoryStore, _ path: String, existing: Int, isWhole: Bool) {
        self.store = store
        self.path = path
        self.existing = existing
        self.isWhole = isWhole
        if !isWhole, existing == 0 { store.change { $0.files[path] = .init(data: Data()) } }
    }

    func cut(to size: Int) async throws {
        store.change { state in
            let kept = Data(state.files[path]?.data.prefix(size) ?? Data())
            state.files[path]?.data = kept
        }
    }

    func write(_ data: Data, at offset: Int) async throws {
        try store.use { state in
            if let fails = state.writeFailsAt, offset + data.count > fails { throw BackendFailure(.connect, "cut") }
            var data = Data(data)
            if state.corrupts { data[0] ^= 1 }
            state.written += data.count
            if isWhole { return collected.withLock { $0.append(data) } }
            let old = state.files[path]?.data ?? Data()
            if old.count != offset { throw BackendFailure(.backend, "written at \(offset), not at \(old.count)") }
            state.files[path] = MemoryStore.File(data: old + data)
            if !path.contains(PartFile.prefix) { state.seen.append(path) }
        }
    }

    func finish(_ source: FileFacts) async throws -> Int? {
        store.use { state in
            if isWhole { state.files[path] = .init(data: collected.withLock { $0 }) }
            state.files[path]?.modified = source.modified
            state.files[path]?.permissions = source.permissions
            return state.files[path]?.data.count
        }
    }

    func abandon() {}
}

/// Time that passes only where somebody sleeps.
final class SleepClock: Clock {
    struct Instant: InstantProtocol {
        var time = Swift.Duration.zero
        func advanced(by duration: Swift.Duration) -> Instant { Instant(time: time + duration) }
        func duration(to other: Instant) -> Swift.Duration { other.time - time }
        static func < (one: Instant, other: Instant) -> Bool { one.time < other.time }
    }

    private let time = Mutex(Instant())
    let minimumResolution = Swift.Duration.nanoseconds(1)
    var now: Instant { time.withLock { $0 } }

    func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
        try Task.checkCancellation()
        time.withLock { $0 = max($0, deadline) }
    }
}

/// One copy and what it told.
struct Copied: Sendable {
    var failure: BackendFailure?
    var wasCancelled = false
    var result = ElementResult()
    var log = ""

    /// Copies as a backend does.
    static func run<Source: CopyEnd, Target: CopyEnd>(
        _ source: Source, _ target: Target, _ options: CommonOptions = CommonOptions(), checksum: String? = nil,
        attempt: Int = 1, last: Bool = false, movers: [CopyMover<Source, Target>] = [],
        clock: any Clock<Duration> = ContinuousClock(), onReport: (ElementReport) -> Void = { _ in }
    ) async throws -> Copied {
        let file = NSTemporaryDirectory() + "haul-copy-\(UUID().uuidString)"
        defer { unlink(file) }
        let descriptor = open(file, O_RDWR | O_CREAT, 0o600)
        defer { close(descriptor) }
        let writer = LineWriter(descriptor: descriptor)
        let report = ElementReport(id: "e", writer: writer)
        onReport(report)
        let element = ElementSpec(
            id: "e", source: source.shown, destination: target.shown, checksum: checksum, attempt: attempt, last: last)
        var copied = Copied()
        do {
            try await FileCopying(
                element, options, report, from: source, to: target, movers: movers, clock: clock
            ).run()
        } catch let failure as BackendFailure {
            copied.failure = failure
        } catch is CancellationError {
            copied.wasCancelled = true
        }
        await writer.flush()
        copied.result = report.end(failure: copied.failure)?.result ?? copied.result
        copied.log = String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
        return copied
    }
}
