import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// Whose name is whose: a session that lives is ended by its own worker alone.
@Suite(.timeLimit(.minutes(5))) struct SessionTests {
    @Test func namesOfTheLiving() async throws {
        let test = try await TestEngine()
        let first = try await test.session()
        let stranger = try await test.token(of: try await test.user("stranger"))
        func isRefused() async throws -> Bool {
            do {
                _ = try await test.session(bearer: stranger)
                return false
            } catch let error as EngineError where error.code == "worker_name_taken" {
                return error.kind == .conflict
            }
        }
        #expect(try await isRefused())
        let isOver = try await test.engine.store.read { try $0.session(first.id)?.ended != nil }
        #expect(!isOver)
        // Its own worker begins as many as it likes.
        _ = try await test.session()
        test.advance(seconds: test.engine.configuration.leaseSeconds - 1)
        #expect(try await isRefused())
        // Its time has come, whether somebody noticed or not.
        test.advance(seconds: 1)
        #expect(try await !isRefused())
    }

    @Test func namesOfTheRevoked() async throws {
        let test = try await TestEngine()
        let engine = test.engine
        for round in 0..<2 {
            let worker = try await test.session("w\(round)")
            let stranger = try await test.token(of: try await test.user("stranger"))
            await #expect(throws: EngineError.self) { _ = try await test.session("w\(round)", bearer: stranger) }
            if round == 0 {
                let now = engine.world.now()
                #expect(try await engine.store.write { try $0.revokeToken(worker.bearer.id, now: now) } == 1)
            } else {
                _ = try await engine.endSession(ofWorker: "w\(round)")
            }
            _ = try await test.session("w\(round)", bearer: stranger)
        }
    }
}
