import HaulLogs
import HaulModel
import HaulStore
import Support
import Testing

@testable import HaulEngine

/// REMOVE: deepest first whatever its size, its directories opened in order, and nothing left of the order afterwards.
@Suite(.timeLimit(.minutes(6))) struct RemovalTests {
    /// `/d` with `width` directories in each other, `files` files in each.
    private static func lines(depth: Int, files: Int) -> [ListingLine] {
        var lines: [ListingLine] = []
        var directory = "/d"
        for level in 0..<depth {
            for n in 0..<files {
                lines.append(ListingLine(directory: directory, entry: ListingEntry(name: "f\(n)", kind: .file)))
            }
            lines.append(ListingLine(directory: directory, entry: ListingEntry(name: "s", kind: .directory)))
            directory += "/s"
            if level == depth - 1 { lines.append(ListingLine(directory: directory, entry: nil)) }
        }
        return lines
    }

    /// Expected: every file and directory of ``lines(depth:files:)``, and the top.
    private static func count(depth: Int, files: Int) -> Int { depth * (files + 1) + 1 }

    private func expectOrder(_ elements: [Element], count: Int) {
        let removals = elements.filter { $0.type == .remove }
        #expect(removals.count == count && elements.map(\.id) == Array(0...count))
        #expect(zip(removals, removals.dropFirst()).allSatisfy { $0.depth >= $1.depth })
        #expect(Set(removals.map(\.sourcePath)).count == count)
        #expect(removals.last?.sourcePath == "/d/")
    }

    /// A piece of 3 lines: small ones are sorted in memory, large ones spilled over many turns.
    @Test(arguments: [(1, 1), (1, 2), (4, 20), (40, 3)])
    func order(depth: Int, files: Int) async throws {
        let test = try await TestEngine { $0.expansionPiece = 3 }
        let job = try await test.listed(try await test.user("alice"), .remove, Self.lines(depth: depth, files: files))
        try await test.withDuties { try await test.engine.store.read { try $0.jobState(job.id)?.expansion == nil } }
        expectOrder(try await test.elements(job), count: Self.count(depth: depth, files: files))
        #expect(try await test.engine.logs.spill(job.logUID).depths() == [], "the scratch is gone")
    }

    /// The server ends anywhere in the middle; the next one finishes what it finds.
    @Test(arguments: [1, 2, 3, 5, 8, 13, 30])
    func restarts(turns: Int) async throws {
        let test = try await TestEngine { $0.expansionPiece = 3 }
        let job = try await test.listed(try await test.user("alice"), .remove, Self.lines(depth: 6, files: 12))
        let expander = Expander(engine: test.engine)
        for _ in 0..<turns { _ = try await expander.run() }
        let next = try await TestEngine(in: test) { $0.expansionPiece = 3 }
        try await next.withDuties { try await next.engine.store.read { try $0.jobState(job.id)?.expansion == nil } }
        expectOrder(try await next.elements(job), count: Self.count(depth: 6, files: 12))
    }

    /// Two servers take turns, in any order: what one sorted is of no use to the other, and is the same.
    @Test(arguments: [[1, 2], [1, 1, 1, 1, 1, 1, 2], [2, 1, 1], [1, 2, 2, 2, 2, 2, 2, 1]])
    func twoServers(turns: [Int]) async throws {
        let first = try await TestEngine { $0.expansionPiece = 3 }
        let second = try await TestEngine(in: first, server: 2) { $0.expansionPiece = 3 }
        let job = try await first.listed(try await first.user("alice"), .remove, Self.lines(depth: 6, files: 12))
        let expanders = [Expander(engine: first.engine), Expander(engine: second.engine)]
        for turn in 0..<10_000 {
            _ = try await expanders[turns[turn % turns.count] - 1].run()
            if try await first.engine.store.read({ try $0.jobState(job.id)?.expansion }) == nil { break }
        }
        expectOrder(try await first.elements(job), count: Self.count(depth: 6, files: 12))
    }

    /// A large listing has its turns, and small ones come in between.
    @Test func takesTurns() async throws {
        let test = try await TestEngine { $0.expansionPiece = 2 }
        let alice = try await test.user("alice")
        let large = try await test.listed(alice, .remove, Self.lines(depth: 30, files: 30))
        let expander = Expander(engine: test.engine)
        for _ in 0..<3 { _ = try await expander.run() }
        let small = try await test.listed(
            alice, .copy, path: "/one",
            [
                ListingLine(directory: "/one", entry: ListingEntry(name: "f", kind: .file))
            ])
        for _ in 0..<2 { _ = try await expander.run() }
        let states = try await test.engine.store.read { try ($0.jobState(large.id), $0.jobState(small.id)) }
        #expect(states.0?.expansion != nil && states.1?.expansion == nil)
    }

    /// Runs to its end by many jobs at once; what ordered them is forgotten.
    @Test func manyAtOnce() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        var jobs: [Job] = []
        for _ in 0..<20 { jobs.append(try await test.listed(alice, .remove, Self.lines(depth: 3, files: 2))) }
        let worker = try await test.session()
        let all = jobs
        try await test.withDuties {
            for handout in try await test.claim(worker, limit: 1000) {
                for number in handout.items.indices {
                    // One file stays: the directories above it do too.
                    let fails = handout.job.id == all[0].id && handout.items[number].element.sourcePath == "/d/s/f1"
                    _ = try await test.report(handout, fails ? 1 : 0, item: number, hash: UInt8(number))
                }
            }
            test.advance(seconds: 1)
            _ = try await test.engine.heartbeat(
                session: worker.id, holding: [], HeartbeatRecord(), bearer: worker.bearer)
            return try await test.engine.store.read { reader in
                try all.allSatisfy { [.done, .failed].contains(try reader.job($0.id)?.status) }
            }
        }
        let statuses = try await test.engine.store.read { reader in
            try all.map { try reader.job($0.id)?.status }
        }
        #expect(statuses.first == .failed && statuses.dropFirst().allSatisfy { $0 == .done })
        let failed = try await test.elements(all[0]).filter { $0.errorClass == .notEmpty }
        #expect(failed.map(\.sourcePath) == ["/d/s/", "/d/"])
        #expect(try await test.engine.store.read { try $0.endedRemovals(limit: 100) }.count == 20)
        try await test.withDuties { try await test.engine.store.read { try $0.endedRemovals(limit: 100) }.isEmpty }
    }
    /// No directory waits for the elements of a COPY.
    @Test func othersOpenNothing() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let bell = test.engine.depthBell
        // Who begins to listen to others rings once, for what was there before.
        if TestDatabase.isPostgreSQL { try await test.until { bell.rings > 0 } }
        let rings = bell.rings
        _ = try await test.copy(alice, files: 3)
        #expect(bell.rings == rings)
        _ = try await test.listed(alice, .remove, Self.lines(depth: 1, files: 0))
        _ = try await Expander(engine: test.engine).run()
        #expect(bell.rings == rings + 1)
    }
}
