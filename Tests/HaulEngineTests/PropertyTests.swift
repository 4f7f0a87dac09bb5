import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// What users keep with their jobs, and why jobs failed.
@Suite(.timeLimit(.minutes(5))) struct PropertyTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func concurrentChanges() async throws {
        let test = try await TestEngine()
        let job = try await test.register(try await test.user("alice"))
        let engine = test.engine
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<16 {
                group.addTask {
                    for turn in 0..<10 {
                        _ = try await engine.changeProperties(
                            ofJob: job.id, ["\(writer).\(turn)": .int(turn)],
                            removing: turn > 0 ? ["\(writer).\(turn - 1)"] : [])
                    }
                }
            }
            try await group.waitForAll()
        }
        let all = try JSONReader.value(try await engine.properties(ofJob: job.id)).object
        #expect(all?.count == 16 && (0..<16).allSatisfy { all?["\($0).9"] == 9 })
        let none = try await engine.changeProperties(ofJob: job.id, [:], removing: (0..<16).map { "\($0).9" })
        let left = try await engine.properties(ofJob: job.id)
        #expect(text(none) == "{}" && text(left) == "{}")
        #expect(try await engine.surroundings(of: [job]).propertySizes.isEmpty)
    }

    @Test func limit() async throws {
        let test = try await TestEngine()
        let job = try await test.register(try await test.user("alice"))
        func fill(_ bytes: Int) async throws -> Int {
            let long = String(repeating: "x", count: bytes - 8)
            return try await test.engine.changeProperties(ofJob: job.id, ["a": .string(long)]).count
        }
        #expect(try await fill(Engine.propertiesLimit) == Engine.propertiesLimit)
        let error = await #expect(throws: EngineError.self) { _ = try await fill(Engine.propertiesLimit + 1) }
        #expect(error?.kind == .tooLarge && error?.code == "properties_too_long")
        #expect(try await test.engine.properties(ofJob: job.id).count == Engine.propertiesLimit)
        let nowhere = await #expect(throws: EngineError.self) {
            _ = try await test.engine.changeProperties(ofJob: 999, ["a": 1])
        }
        #expect(nowhere?.kind == .notFound)
    }

    /// What one user keeps with all jobs is bounded, too; what goes makes room, also that of jobs that are gone.
    @Test func limitOfTheUser() async throws {
        let test = try await TestEngine { configuration in
            configuration.limits.usual.properties = 100
            configuration.limits.others["robot"] = UserLimits()
        }
        let (alice, robot) = (try await test.user("alice"), try await test.user("robot"))
        let jobs = [try await test.register(alice), try await test.register(alice)]
        let long = JSONValue.string(String(repeating: "x", count: 50))
        _ = try await test.engine.changeProperties(ofJob: jobs[0].id, ["a": long])
        let error = await #expect(throws: EngineError.self) {
            _ = try await test.engine.changeProperties(ofJob: jobs[1].id, ["a": long])
        }
        #expect(error?.kind == .tooLarge && error?.code == "properties_limit")
        #expect(try await test.engine.properties(ofJob: jobs[1].id) == Engine.noProperties)
        // Others are not concerned, nor is who may keep more.
        for user in [try await test.user("bob"), robot] {
            let own = try await test.register(user)
            _ = try await test.engine.changeProperties(ofJob: own.id, ["a": long])
        }
        _ = try await test.engine.changeProperties(ofJob: jobs[0].id, [:], removing: ["a"])
        _ = try await test.engine.changeProperties(ofJob: jobs[1].id, ["a": long])
        _ = try await test.engine.destroy(job: jobs[1].id)
        try await test.withDuties { try await test.engine.store.read { try $0.forgottenJobs(limit: 9) }.isEmpty }
        #expect(try await test.engine.store.read { try $0.propertyBytes(ofUser: alice.id) } == 2)
        _ = try await test.engine.changeProperties(ofJob: jobs[0].id, ["a": long])
    }

    /// What was read is written only if it is still what is there: also where it was emptied and filled again meanwhile.
    @Test func staleChanges() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let (engine, job) = (test.engine, try await test.register(alice).id)
        func keep(_ document: String, after revision: Int) async throws -> Int? {
            try await engine.store.write {
                try $0.keepProperties(document, ofJob: job, user: alice.id, after: revision)
            }
        }
        #expect(try await keep("{\"a\":1}", after: 1) == nil)
        #expect(try await keep("{\"a\":1}", after: 0) == 7)
        #expect(try await keep("{\"b\":1}", after: 0) == nil)
        _ = try await engine.changeProperties(ofJob: job, [:], removing: ["a"])
        _ = try await engine.changeProperties(ofJob: job, ["a": 2])
        for stale in 0..<3 { #expect(try await keep("{\"b\":1}", after: stale) == nil) }
        #expect(try await engine.store.read { try $0.keptProperties(ofJob: job)?.revision } == 3)
        #expect(text(try await engine.properties(ofJob: job)) == "{\"a\":2}")
    }

    /// Names are bounded: not only the bytes.
    @Test func tooManyNames() async throws {
        let test = try await TestEngine()
        let job = try await test.register(try await test.user("alice")).id
        func names(_ range: Range<Int>) -> JSONMembers {
            JSONMembers(Dictionary(uniqueKeysWithValues: range.map { ("\($0)", JSONValue.int(0)) }))
        }
        let half = Engine.mostProperties / 2
        _ = try await test.engine.changeProperties(ofJob: job, names(0..<half))
        let error = await #expect(throws: EngineError.self) {
            _ = try await test.engine.changeProperties(ofJob: job, names(half..<Engine.mostProperties + 1))
        }
        #expect(error?.code == "too_many_properties")
    }

    /// They go with the job's rows.
    @Test func goWithTheJob() async throws {
        let test = try await TestEngine()
        let (gone, stays) = (
            try await test.register(try await test.user("alice")), try await test.register(try await test.user("alice"))
        )
        for job in [gone, stays] { _ = try await test.engine.changeProperties(ofJob: job.id, ["a": .int(job.id)]) }
        _ = try await test.engine.destroy(job: gone.id)
        try await test.withDuties { try await test.engine.store.read { try $0.forgottenJobs(limit: 9) }.isEmpty }
        let left = try await test.engine.properties(ofJobs: [gone.id, stays.id])
        #expect(left == [stays.id: Array("{\"a\":\(stays.id)}".utf8)])
    }

    /// A job says why the last of its elements failed, until it is tried again.
    @Test func whyJobsFailed() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let job = try await test.register(alice, extra: ["max_tries": 1])
        let worker = try await test.session()
        let handout = try #require(try await test.claim(worker).first)
        _ = try await test.report(handout, 1, as: .permission)
        #expect(try await test.engine.job(job.id)?.errorClass == .permission)
        let retried = try await test.engine.retry(job: job.id, user: alice, key: nil)
        #expect(retried.errorClass == nil)
    }
}
