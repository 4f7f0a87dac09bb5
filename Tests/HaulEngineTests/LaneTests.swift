import HaulModel
import Support
import Testing

@testable import HaulEngine
@testable import HaulStore

/// A user's lanes take turns, and a claim reads no more of them than it needs.
@Suite(.timeLimit(.minutes(6))) struct LaneTests {
    /// One old job, and newer ones that come as fast as they are handed out, in a lane that was there before its own.
    @Test(arguments: [1, 5]) func newerWorkStarvesNothing(limit: Int) async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let worker = try await test.session()
        _ = try await test.register(alice, path: "/first")
        _ = try await test.register(alice, path: "/second", extra: ["queue": "zz"])
        #expect(try await test.claim(worker, limit: 9).count == 2)
        let old = try await test.register(alice, path: "/old", extra: ["queue": "zz"]).id
        var claims = 0
        var isServed = false
        while !isServed, claims < 20 {
            for n in 0..<2 * limit { _ = try await test.register(alice, path: "/new\(claims)-\(n)") }
            let handouts = try await test.claim(worker, limit: limit)
            #expect(handouts.map(\.items.count).reduce(0, +) == limit)
            isServed = handouts.contains { $0.job.id == old }
            claims += 1
        }
        #expect(isServed && claims <= 2, "after \(claims) claims: \(isServed)")
    }

    /// One after the other, whatever is added meanwhile; of each the oldest job first.
    @Test func turns() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let worker = try await test.session()
        var ids: [String: [Int]] = [:]
        func add(_ queue: String) async throws {
            let job = try await test.register(alice, path: "/\(queue)", extra: ["queue": .string(queue)])
            ids[queue, default: []].append(job.id)
        }
        for queue in ["a", "b", "c"] { for _ in 0..<3 { try await add(queue) } }
        var order: [Int] = []
        for _ in 0..<9 {
            let job = try #require(try await test.claim(worker).first?.job)
            order.append(job.id)
            if job.queue == "a" { try await add("a") }
        }
        let expected = (0..<3).flatMap { n in ["a", "b", "c"].compactMap { ids[$0]?[n] } }
        #expect(order == expected)
        // A batch goes on in the next lane; what it began with, and what it came to, go behind the others.
        for queue in ["a", "b", "c"] { for _ in 0..<4 { try await add(queue) } }
        let batch = try await test.claim(worker, limit: 8).map(\.job.queue)
        #expect(batch == ["a", "a", "a", "a", "a", "a", "a", "b"], "\(batch)")
        #expect(try await test.claim(worker, limit: 4).map(\.job.queue) == ["c", "c", "c", "c"])
    }

    /// A lane that is closed keeps its turn, and holds nobody up.
    @Test func aClosedLaneKeepsItsTurn() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let worker = try await test.session()
        for queue in ["a", "b"] {
            for n in 0..<9 { _ = try await test.register(alice, path: "/\(n)", extra: ["queue": .string(queue)]) }
        }
        _ = try await test.engine.change(queue: "a", ofUser: alice.id, isPaused: true)
        for _ in 0..<3 { #expect(try await test.claim(worker).first?.job.queue == "b") }
        _ = try await test.engine.change(queue: "a", ofUser: alice.id, isPaused: false)
        #expect(try await test.claim(worker).first?.job.queue == "a")
        _ = try await test.engine.change(queue: "b", ofUser: alice.id, limit: 1)
        for _ in 0..<3 { #expect(try await test.claim(worker).first?.job.queue == "a") }
        _ = try await test.engine.change(queue: "b", ofUser: alice.id, limit: .some(nil))
        #expect(try await test.claim(worker).first?.job.queue == "b")
    }

    /// A database that counts what is asked of it.
    private final class Counted: SQLConnection {
        let base: any SQLConnection
        var statements = 0
        var rows = 0

        init(_ base: any SQLConnection) { self.base = base }

        var memory: WriterMemory? { base.memory }
        var clock: String? { base.clock }

        func run(_ sql: String, _ values: [SQLValue], row: (any SQLRow) throws -> Void) throws -> Int {
            statements += 1
            return try base.run(sql, values) {
                rows += 1
                try row($0)
            }
        }

        func run(_ sql: String, batch: [[SQLValue]], row: (Int, any SQLRow) throws -> Void) throws -> [Int] {
            statements += batch.count
            return try base.run(sql, batch: batch) {
                rows += 1
                try row($0, $1)
            }
        }

        func run(together statements: [SQLBatch]) throws -> [[Int]] {
            try statements.map { try run($0.sql, batch: $0.sets, row: $0.row) }
        }

        func later(_ sql: String, batch: [[SQLValue]]) throws { try base.later(sql, batch: batch) }
        func check() throws { try base.check() }
        func laterEach(_ sql: String, batch: [[SQLValue]]) throws { try base.laterEach(sql, batch: batch) }
        func insert(_ sql: String, batch: [[SQLValue]]) throws -> [Int] { try base.insert(sql, batch: batch) }
    }

    /// What one claim asks: where it looks, where it takes, and where it tells whether there is more.
    private func cost(
        _ test: TestEngine, _ worker: (bearer: TokenRecord, id: Int), limit: Int, _ measure: ClaimQuery.Measure? = nil
    ) async throws -> [(statements: Int, rows: Int)] {
        let engine = test.engine
        let query = ClaimQuery(
            types: Set(JobType.transfers), protocols: nil, sites: nil, session: worker.id,
            measure: measure ?? .number(limit), bearer: worker.bearer, host: "h")
        return try await engine.store.write { writer in
            let now = engine.world.now()
            let looking = Counted(writer.db)
            let reader = StoreReader(db: looking)
            try query.visitLanes(reader, sites: engine.rules.sites, try Gates(reader, engine, now: now)) { _, _ in
                false
            }
            let taking = Counted(writer.db)
            let counted = StoreWriter(db: taking, told: writer.told)
            let handouts = try engine.handOut(query, counted, Ledger(counted, engine: engine))
            #expect(handouts.map(\.items.count).reduce(0, +) == limit)
            let telling = Counted(writer.db)
            let last = StoreReader(db: telling)
            #expect(try engine.hasOpenWork(last, Gates(last, engine, now: now)))
            return [looking, taking, telling].map { ($0.statements, $0.rows) }
        }
    }

    /// In front of 2,240 lanes a claim reads what it needs, also where in all of them something is nearly finished.
    @Test func manyLanes() async throws {
        let sites = (1...8).map { Site(id: $0, name: "s\($0)", protocolName: .ssh, endpoints: []) }
        let test = try await TestEngine(sites: sites)
        let alice = try await test.user("alice")
        let worker = try await test.session()
        var requests: [JobRequest] = []
        for queue in 0..<40 {
            for source in 1...8 {
                for destination in 1...8 where source != destination {
                    let document: [String: JSONValue] = [
                        "src_siteid": .int(source), "src_filepath": "/s", "dst_siteid": .int(destination),
                        "dst_filepath": "/d", "queue": .string("q\(queue)"),
                    ]
                    requests.append(try JobRequest(document, type: .copy, rules: test.engine.rules))
                }
            }
        }
        #expect(try await test.engine.register(requests, user: alice).count == 2240)
        for limit in [1, 50] {
            for (step, found) in zip(
                ["looking", "taking", "telling"], try await cost(test, worker, limit: limit))
            {
                #expect(found.rows <= 150 + 20 * limit, "\(step) \(limit): \(found)")
                #expect(found.statements <= 20 + 10 * limit, "\(step) \(limit): \(found)")
            }
        }
        try await test.engine.store.write { _ = try $0.db.run("UPDATE jobs SET n_done = 3 WHERE n_ready > 0") }
        for limit in [1, 50] {
            for (step, found) in zip(
                ["looking", "taking", "telling"], try await cost(test, worker, limit: limit))
            {
                #expect(found.rows <= 250 + 20 * limit, "\(step) \(limit): \(found)")
                #expect(found.statements <= 20 + 10 * limit, "\(step) \(limit): \(found)")
            }
        }
        // Nothing else fits beside the first.
        try await test.engine.store.write { _ = try $0.db.run("UPDATE elements SET size = 10 WHERE phase = 1") }
        for found in try await cost(test, worker, limit: 1, .size(15)) {
            #expect(found.rows <= 300 && found.statements <= 80, "\(found)")
        }
        // And it comes to the last of them all the same.
        #expect(try await test.claim(worker, limit: 1000).count == 1000)
        #expect(try await test.claim(worker, limit: 1000).count == 1000)
        #expect(try await test.claim(worker, limit: 1000).count == 240 - 2 * 51 - 1)
    }

    /// What is nearly finished goes by age, whatever its lane.
    @Test func theOldestTailFirst() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let worker = try await test.session()
        _ = try await test.register(alice, path: "/untouched")
        var ids: [Int] = []
        for n in 0..<6 {
            ids.append(try await test.register(alice, path: "/\(n)", extra: ["queue": n % 3 == 0 ? "b" : "a"]).id)
        }
        // The lane of the latest is the first.
        let last = try await test.register(alice, path: "/last").id
        let tails = ids + [last]
        try await test.engine.store.write { writer in
            for id in tails { try writer.db.run("UPDATE jobs SET n_done = 3 WHERE id = $1", [.int(id)]) }
        }
        var order: [Int] = []
        for _ in tails { order += try await test.claim(worker).map(\.job.id) }
        #expect(order == tails)
    }
}
