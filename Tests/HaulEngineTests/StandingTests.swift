import HaulModel
import HaulStore
import Synchronization
import Testing

@testable import HaulEngine

/// Those who stand by a job, and those who join it.
@Suite(.timeLimit(.minutes(1))) struct StandingTests {
    /// Whoever comes first looks, for all who heard no more than that.
    @Test func oneLookForAll() async throws {
        let looks = Looks()
        let begun = Begun()
        func look(_ heard: Int, within: Double = 60) -> Task<Engine.Standing?, any Error> {
            looks.look(at: 1, heard: heard, within: within) {
                begun.add()
                return Task { nil }
            }
        }
        try await looks.standing(by: 1) {
            for _ in 0..<200 { _ = look(3) }
            #expect(begun.count == 1)
            // What rang since is seen; what another heard later counts for those before.
            _ = (look(4), look(3), look(4))
            #expect(begun.count == 2)
            _ = look(4, within: 0)
            #expect(begun.count == 3 && looks.count == 1)
            #expect(looks.ahead(of: 1, within: 60) == nil)
            looks.keep(ahead: 7, of: 1)
            #expect(looks.ahead(of: 1, within: 60) == 7 && looks.ahead(of: 1, within: 0) == nil)
            looks.keep(ahead: nil, of: 1)
            #expect(looks.ahead(of: 1, within: 60) == nil)
        }
        #expect(looks.count == 0)
    }

    private final class Begun: Sendable {
        private let number = Atomic(0)
        var count: Int { number.load(ordering: .relaxed) }
        func add() { number.add(1, ordering: .relaxed) }
    }

    /// Each change is told as it comes, to all who stand by, and what is ahead is not counted for each of them.
    @Test func changesAreTold() async throws {
        let test = try await TestEngine()
        let job = try await test.register(try await test.user("alice"), .list)
        let told = Told()
        let visitors = (0..<20).map { number in
            Task { try await test.engine.stand(by: job.id) { told.keep($0?.job.stage, by: number) } }
        }
        try await test.until { told.all { $0.first == .waiting } }
        #expect(test.engine.looks.count == 1)
        let worker = try await test.session()
        let handout = try #require(try await test.claim(worker).first)
        try await test.until { told.all { $0.last == .executing } }
        _ = try await test.report(handout, listing: [ListingLine(directory: "/d", entry: nil)])
        for visitor in visitors { try await visitor.value }
        #expect(told.all { $0.first == .waiting && $0.last == .done })
        #expect(test.engine.looks.count == 0)
    }

    private final class Told: Sendable {
        private let stages = Mutex([[JobStage]](repeating: [], count: 20))

        func keep(_ stage: JobStage?, by visitor: Int) {
            guard let stage else { return }
            stages.withLock { $0[visitor].append(stage) }
        }

        func all(_ condition: ([JobStage]) -> Bool) -> Bool { stages.withLock { $0.allSatisfy(condition) } }
    }

    private func request(_ test: TestEngine, _ more: [String: JSONValue] = [:]) throws -> JobRequest {
        let document: [String: JSONValue] = ["src_siteid": 1, "src_filepath": "/d"]
        return try JobRequest(document.merging(more) { $1 }, type: .list, rules: test.engine.rules)
    }

    /// However a path is spelled it is the same; what waits elsewhere, or ends otherwise, is not.
    @Test func whatIsJoined() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let first = try await test.engine.join(try request(test), user: alice).job.id
        for path in ["/d/", "//d", "/./d", "/x/../d"] {
            let joined = try await test.engine.join(try request(test, ["src_filepath": .string(path)]), user: alice)
            #expect(joined.job.id == first && !joined.isNew, "\(path)")
        }
        let others: [[String: JSONValue]] = [
            ["queue": "other"], ["max_queue_time": 1], ["deadline": "2100-01-01T00:00:00Z"], ["execution_duration": 5],
            ["destruction": "2100-01-01T00:00:00Z"],
        ]
        for other in others {
            let joined = try await test.engine.join(try request(test, other), user: alice)
            #expect(joined.isNew && joined.job.id != first, "\(other)")
            #expect(try await !test.engine.join(try request(test, other), user: alice).isNew, "\(other)")
        }
        // Of a TASK the text is what it does.
        for isNew in [true, false] {
            for text in ["x", "y"] {
                let task = try JobRequest(["task": .string(text)], type: .task, rules: test.engine.rules)
                #expect(try await test.engine.join(task, user: alice).isNew == isNew, "\(text)")
            }
        }
    }

    /// One that is being cancelled is not joined, though it runs yet; nor one that was forgotten.
    @Test func whatIsNotJoined() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let request = try request(test)
        let first = try await test.engine.join(request, user: alice).job.id
        let worker = try await test.session()
        let handout = try #require(try await test.claim(worker).first)
        _ = try await test.engine.cancel(job: first)
        #expect(try await test.engine.job(first)?.stage == .executing)
        #expect(try await test.engine.joined(request, user: alice) == nil)
        let second = try await test.engine.join(request, user: alice)
        #expect(second.isNew && second.job.id != first)
        _ = try await test.report(handout, 1)
        try await test.engine.forgetJoined(job: second.job.id)
        #expect(try await test.engine.join(request, user: alice).isNew)
        // What goes with its queue is not joined, before it is told so.
        #expect(try await !test.engine.join(request, user: alice).isNew)
        try await test.engine.store.write { writer in
            let queue = try #require(try writer.reader.queue(request.queue, ofUser: alice.id))
            try writer.removeQueue(queue.id, now: test.engine.world.now())
        }
        #expect(try await test.engine.join(request, user: alice).isNew)
        #expect(try await !test.engine.join(request, user: alice).isNew)
    }
}
