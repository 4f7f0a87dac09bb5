import Foundation
import HaulLogs
import HaulModel
import HaulStore
import Support
import Synchronization
import Testing

@testable import HaulEngine

/// An engine over a database and logs in a folder of its own, with a clock that stands still until a test moves it.
final class TestEngine: Sendable {
    let folder: String
    let engine: Engine
    private let location: StoreLocation
    private let clock: Clock
    private let ownsFolder: Bool
    private let bearers: Bearers

    /// The tokens of workers, by name: a worker that comes again has the same.
    private final class Bearers: Sendable {
        let known = Mutex<[String: TokenRecord]>([:])
    }

    /// A clock that a test moves.
    final class Clock: Sendable {
        private let milliseconds = Mutex(1_700_000_000_000)

        var now: Timestamp { Timestamp(milliseconds: milliseconds.withLock { $0 }) }
        func advance(seconds: Double) { milliseconds.withLock { $0 += Int((seconds * 1000).rounded()) } }
    }

    static let readers = 1

    static let sites = [
        Site(id: 1, name: "a", protocolName: .ssh, endpoints: []),
        Site(id: 2, name: "b", protocolName: .ssh, endpoints: []),
    ]

    /// - Parameters:
    ///   - used: an engine whose folder and clock it shares, and leaves to that one: of which nothing runs any more, or of
    ///     another server.
    ///   - server: its number.
    ///   - sites: what jobs may name.
    ///   - launcher: starts workers.
    init(
        in used: TestEngine? = nil, server: Int = 1, sites: [Site] = sites, launcher: Launcher? = nil,
        _ change: (inout EngineConfiguration) -> Void = { _ in }
    )
        async throws
    {
        folder = used?.folder ?? NSTemporaryDirectory() + "haul-engine-\(UUID().uuidString)"
        ownsFolder = used == nil
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if let used {
            location = used.location
        } else {
            location = StoreLocation(try await TestDatabase.make(file: folder + "/haul.sqlite"))
        }
        let clock = used?.clock ?? Clock()
        self.clock = clock
        bearers = used?.bearers ?? Bearers()
        var configuration = EngineConfiguration()
        change(&configuration)
        engine = try await Engine(
            store: Store(at: location, readers: Self.readers) { Issue.record("fsync failed: \($0)") },
            logs: LogStore(root: folder + "/logs", server: server),
            rules: RegistrationRules(sites: SiteDirectory(sites)) { _ in CommonOptions.specs },
            configuration: configuration,
            world: World(now: { clock.now }, random: { (0..<$0).map { _ in UInt8.random(in: 0...255) } }),
            identity: KnownServer(id: server, url: "", run: "run", seen: clock.now), launcher: launcher,
            onDiskFailure: { Issue.record("disk failed: \($0)") })
    }

    deinit { if ownsFolder { try? FileManager.default.removeItem(atPath: folder) } }

    func advance(seconds: Double) { clock.advance(seconds: seconds) }

    func user(_ name: String) async throws -> User {
        let now = clock.now
        return try await engine.store.write { try $0.user(named: name, now: now) }
    }

    func register(
        _ user: User, _ type: JobType = .mkdir, path: String = "/d", priority: Int = 5,
        extra: [String: JSONValue] = [:], key: IdempotencyKey? = nil
    ) async throws -> Job {
        let document: [String: JSONValue] = [
            "src_siteid": 1, "src_filepath": .string(path), "dst_siteid": 2, "dst_filepath": "/to",
            "priority": .int(priority),
        ]
        let request = try JobRequest(document.merging(extra) { $1 }, type: type, rules: engine.rules)
        return try #require(try await engine.register([request], user: user, key: key).first)
    }

    /// A session of a worker.
    ///
    /// - Parameter bearer: nil is the worker's own.
    func session(
        _ name: String = "w", protocols: [String] = ["SSH"], sites: [Int] = [], bearer: TokenRecord? = nil
    ) async throws -> (bearer: TokenRecord, id: Int) {
        let own = if let bearer { bearer } else { try await self.bearer(of: name) }
        let worker = WorkerRecord(name: name, host: "h", version: "1", slots: 1, protocols: protocols, sites: sites)
        return (own, try await engine.startSession(worker, bearer: own).id)
    }

    private func bearer(of worker: String) async throws -> TokenRecord {
        if let known = bearers.known.withLock({ $0[worker] }),
            try await engine.store.read({ try $0.token(known.id)?.revoked }) == nil
        {
            return known
        }
        let new = try await token(of: try await user("worker"))
        bearers.known.withLock { $0[worker] = new }
        return new
    }

    func token(of user: User) async throws -> TokenRecord {
        let hash = (0..<32).map { _ in UInt8.random(in: 0...255) }
        let now = clock.now
        return try await engine.store.write { writer in
            try writer.addToken(TokenSpec(role: .worker), hash: hash, user: user, now: now)
            return try #require(try writer.reader.token(hash: hash))
        }
    }

    func claim(
        _ worker: (bearer: TokenRecord, id: Int), limit: Int = 1, types: Set<JobType> = Set(JobType.transfers)
    ) async throws -> [Handout] {
        try await engine.claim(
            ClaimQuery(
                types: types, protocols: nil, sites: nil, session: worker.id, measure: .number(limit),
                bearer: worker.bearer, host: "h"), wait: 0)
    }

    /// A claim as the documented system's workers make it: without a session.
    func claimSessionless(limit: Int = 1) async throws -> [Handout] {
        try await engine.claim(
            ClaimQuery(
                types: Set(JobType.transfers), protocols: nil, sites: nil, session: nil, measure: .number(limit),
                bearer: try await token(of: try await user("worker")), host: "h"), wait: 0)
    }

    /// Registers a job, and reports the listing of its LIST.
    func listed(
        _ user: User, _ type: JobType, path: String = "/d", _ lines: [ListingLine]
    ) async throws -> Job {
        let job = try await register(user, type, path: path)
        let worker = try await session("lister")
        let handout = try #require(try await claim(worker, limit: 100).first { $0.job.id == job.id })
        guard case .accepted = try await report(handout, listing: lines) else { throw StoreError.failed("refused") }
        return job
    }

    func elements(_ job: Job) async throws -> [Element] {
        try await engine.store.read { try $0.elements(ofJob: job.id, status: nil, after: -1, limit: 100_000) }
    }

    func report(
        _ handout: Handout, _ returnCode: Int = 0, item number: Int = 0, listing: [ListingLine]? = nil, hash: UInt8 = 0,
        as errorClass: ErrorClass? = nil, blamed: Int? = nil
    ) async throws -> Verdict {
        let item = try #require(handout.items.indices.contains(number) ? handout.items[number] : nil)
        let report = Report(
            jobID: handout.job.id, elementID: item.element.id, token: item.token, returnCode: returnCode, host: "h",
            log: Array("log".utf8), listing: listing, errorClass: errorClass, blamedSite: blamed, sent: ["\(hash)"])
        return try #require(try await engine.report([report]).first)
    }

    /// What a job, or one of its elements, is said to wait for.
    func codes(_ job: Int, element: Int? = nil) async throws -> [Explanation.Code] {
        let explanation =
            if let element {
                try await engine.explain(element: element, ofJob: job)
            } else {
                try await engine.explain(job: job)
            }
        return explanation.blockers.map(\.code)
    }

    /// Elements that limits count as with workers.
    func out(_ kind: LimitScope.Kind, _ id: Int) async throws -> Int {
        try await engine.store.read { try $0.occupancy(LimitScope(kind, id)) }
    }

    /// A COPY job that is expanded into so many files, none of them handed out.
    func copy(_ user: User, files: Int, path: String = "/d", extra: [String: JSONValue] = [:]) async throws -> Job {
        let job = try await register(user, .copy, path: path, priority: 0, extra: extra)
        let lister = try await session("lister")
        let handout = try #require(try await claim(lister, types: [.copy]).first { $0.job.id == job.id })
        let lines = (0..<files).map {
            ListingLine(directory: path, entry: ListingEntry(name: "f\($0)", kind: .file, size: 10))
        }
        guard case .accepted = try await report(handout, listing: lines) else { throw StoreError.failed("refused") }
        let expander = Expander(engine: engine)
        while try await engine.store.read({ try $0.jobState(job.id)?.expansion != nil }) {
            _ = try await expander.run()
        }
        return try await engine.change(job: job.id, JobChange(["priority": 5]))
    }

    /// Waits until a condition holds.
    func until(_ condition: @Sendable () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition(), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await condition())
    }

    /// Runs the duties until a condition holds.
    func withDuties(_ condition: @Sendable () async throws -> Bool) async throws {
        let engine = engine
        let duties = Task { await DutyRunner(engine) { Issue.record("\($0) failed: \($1)") }.run() }
        try await until(condition)
        duties.cancel()
        await duties.value
    }
}
