import HaulModel
import Testing

@testable import HaulEngine
@testable import HaulStore

/// A job whose turn fails keeps no other from its own, however many such jobs there are, and is told of.
@Suite(.timeLimit(.minutes(5))) struct SetbackTests {
    private func run(_ duty: any Duty, rounds: Int) async -> Int {
        var told = 0
        for _ in 0..<rounds {
            do { _ = try await duty.run() } catch { told += 1 }
        }
        return told
    }

    private func lines(_ directory: String) -> [ListingLine] {
        (0..<10).map { ListingLine(directory: directory, entry: ListingEntry(name: "f\($0)", kind: .file)) }
    }

    @Test func expansions() async throws {
        let test = try await TestEngine { $0.expansionPiece = 2 }
        let alice = try await test.user("alice")
        var jobs: [Int] = []
        // More than have a turn at the same time.
        for number in 0..<12 {
            jobs.append(try await test.listed(alice, .copy, path: "/\(number)", lines("/\(number)")).id)
        }
        let spoiled = Array(jobs.prefix(10))
        let place = try await test.engine.store.read { try $0.jobState(spoiled[0])?.expansion }
        @Sendable func set(_ expansion: String) async throws {
            try await test.engine.store.write { writer in
                for id in spoiled {
                    try writer.db.run("UPDATE jobs SET expansion = $2 WHERE id = $1", [.int(id), .text(expansion)])
                }
            }
        }
        func expanding() async throws -> [Int] {
            try await test.engine.store.read { try $0.expandingJobs(after: 0, limit: 100) }
        }
        try await set("nonsense")
        let expander = Expander(engine: test.engine)
        let told = await run(expander, rounds: 30)
        #expect(told == 2, "each has failed once")
        #expect(try await expanding() == spoiled)
        #expect(try await expander.run() == false, "there is nothing to do")
        try await set(try #require(place))
        test.advance(seconds: 5)
        #expect(await run(expander, rounds: 30) == 0)
        #expect(try await expanding() == [])
    }

    @Test func openings() async throws {
        let test = try await TestEngine { $0.dutyPiece = 2 }
        let alice = try await test.user("alice")
        var jobs: [Int] = []
        for number in 0..<5 {
            let line = ListingLine(directory: "/\(number)", entry: nil)
            jobs.append(try await test.listed(alice, .remove, path: "/\(number)", [line]).id)
        }
        _ = await run(Expander(engine: test.engine), rounds: 10)
        let spoiled = Array(jobs.prefix(3))
        @Sendable func name(_ text: String) async throws {
            try await test.engine.store.write { writer in
                for id in spoiled {
                    try writer.db.run("UPDATE jobs SET protocol = $2 WHERE id = $1", [.int(id), .text(text)])
                }
            }
        }
        let all = jobs
        func held() async throws -> [Int] {
            try await test.engine.store.read { reader in
                try all.filter { try reader.element(1, ofJob: $0)?.phase == .held }
            }
        }
        #expect(try await held() == jobs)
        try await name("")
        let opener = DepthOpener(engine: test.engine)
        #expect((1...3).contains(await run(opener, rounds: 10)))
        #expect(try await held() == spoiled)
        #expect(try await opener.run() == false, "there is nothing to do")
        try await name("SSH")
        test.advance(seconds: 5)
        #expect(await run(opener, rounds: 10) == 0)
        #expect(try await held() == [])
    }
}
