import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// Another server that is gone: each try to reach it takes seconds, so there are few.
@Suite(.timeLimit(.minutes(5))) struct SilentServerTests {
    @Test func isNotAskedAgainAtOnce() async throws {
        let test = try await TestEngine()
        let start = test.engine.world.now()
        let gone = try await test.engine.store.write {
            try $0.findServer(id: nil, url: "http://gone:1", run: "r", now: start)
        }
        var asked = 0
        func ask() async throws -> Bool? {
            try await test.engine.asking(gone.id, about: []) { _ -> Bool in
                asked += 1
                throw ServerUnreachable("no answer")
            }
        }
        for _ in 0..<5 { await #expect(throws: EngineError.self) { _ = try await ask() } }
        #expect(asked == 1, "it may come back")
        test.advance(seconds: 31)
        for _ in 0..<5 { #expect(try await ask() == nil, "it is taken over from") }
        #expect(asked == 2)
        // It is heard of.
        var heard = gone
        heard.seen = test.engine.world.now()
        try await test.engine.store.write { [heard] in _ = try $0.touchServer(heard) }
        for _ in 0..<5 { await #expect(throws: EngineError.self) { _ = try await ask() } }
        #expect(asked == 3)
        // It began anew.
        (heard.url, heard.run) = ("http://gone:2", "s")
        try await test.engine.store.write { [heard] in try $0.enterServer(heard) }
        await #expect(throws: EngineError.self) { _ = try await ask() }
        #expect(asked == 4)
    }
}
