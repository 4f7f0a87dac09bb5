import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// Lists of jobs, however they are narrowed: each is put together of parts, and has what going through all of them has.
@Suite(.timeLimit(.minutes(6))) struct JobListTests {
    /// Jobs at all stages, of two users, that ended in different seconds.
    private func jobs(_ test: TestEngine) async throws -> [Job] {
        let users = [try await test.user("alice"), try await test.user("bob")]
        let worker = try await test.session()
        for round in 0..<6 {
            for user in users {
                let extra: [String: JSONValue] = ["max_tries": 1, "src_siteid": .int(1 + round % 2)]
                let cancelled = try await test.register(user, extra: extra)
                _ = try await test.engine.cancel(job: cancelled.id)
                for ending in 0..<3 {
                    let job = try await test.register(user, ending == 0 ? .list : .mkdir, extra: extra)
                    let handout = try #require(try await test.claim(worker, limit: 100).first { $0.job.id == job.id })
                    let errors: [ErrorClass] = [.permission, .notFound, .exists]
                    if ending > 0 || round % 2 == 0 {
                        _ = try await test.report(
                            handout, ending == 2 ? 0 : 1, as: ending == 2 ? nil : errors[round % 3])
                    }
                    test.advance(seconds: 0.1)
                }
                _ = try await test.engine.register(JobDraft(document: [:]), user: user)
            }
        }
        // Those wait.
        for user in users { for _ in 0..<3 { _ = try await test.register(user) } }
        for user in users {
            let task = try JobRequest(["task": "x"], type: .task, rules: test.engine.rules)
            _ = try await test.engine.register([task, task], user: user)
        }
        return try await test.engine.jobs(JobFilter(), after: 0, limit: 1000)
    }

    private static func holds(_ filter: JobFilter, _ job: Job) -> Bool {
        if let user = filter.userID, job.userID != user { return false }
        if let since = filter.endedSince, let ended = job.ended, ended < since { return false }
        if let stages = filter.stages, !stages.contains(job.stage) { return false }
        let hasStages = filter.stages != nil || filter.returnCode != nil
        if hasStages, let failures = filter.failures, job.stage == .failed,
            !failures.contains(job.errorClass ?? .unknown)
        {
            return false
        }
        if let code = filter.returnCode {
            guard job.stage.isEnded, code == (job.status == .done ? 0 : 1) else { return false }
        }
        if let place = filter.placeID, max(0, (job.destination ?? job.source).siteID) != place { return false }
        return true
    }

    private static let placesAndCodes: [(Int?, Int?)] = [
        (nil, nil), (2, nil), (JobFilter.nowhere, nil), (nil, 0), (2, 1),
    ]

    @Test func parts() async throws {
        let test = try await TestEngine()
        let all = try await jobs(test)
        #expect(Set(all.map(\.stage)) == Set(JobStage.allCases), "\(Set(all.map(\.stage)))")
        let times = all.compactMap(\.ended).sorted()
        let stages: [Set<JobStage>?] = [
            nil, [], [.failed], [.done, .executing], [.waiting, .failed, .cancelled], Set(JobStage.allCases),
        ]
        let failures: [Set<ErrorClass>?] = [nil, [.notFound, .deadline], Set(ErrorClass.allCases)]
        for user in [nil, all.first?.userID] {
            for since in [nil, times.first, times[times.count / 2], times.last?.adding(seconds: 1)] {
                for stages in stages {
                    for failures in failures {
                        for (place, code) in Self.placesAndCodes {
                            var filter = JobFilter(userID: user)
                            (filter.endedSince, filter.stages, filter.failures) = (since, stages, failures)
                            (filter.placeID, filter.returnCode) = (place, code)
                            try await check(filter, all.filter { Self.holds(filter, $0) }.map(\.id), test.engine)
                        }
                    }
                }
            }
        }
    }

    private func check(_ filter: JobFilter, _ wanted: [Int], _ engine: Engine) async throws {
        try await engine.store.read { reader in
            for newestFirst in [false, true] {
                let order: [Int] = newestFirst ? wanted.reversed() : wanted
                for most in [StoreReader.mostSorted, 0] {
                    var found: [Int] = []
                    var after = newestFirst ? Int.max : 0
                    while true {
                        let page = try reader.jobs(
                            filter, after: after, limit: 30, newestFirst: newestFirst, sorting: most)
                        found += page.map(\.id)
                        guard page.count == 30, let last = page.last else { break }
                        after = last.id
                    }
                    #expect(found == order, "\(filter)")
                }
                let place = order.count / 2
                let there = try reader.job(filter, afterMany: place, newestFirst: newestFirst)
                #expect(there == (place < order.count ? order[place] : nil), "\(filter)")
                #expect(try reader.job(filter, afterMany: wanted.count, newestFirst: newestFirst) == nil)
            }
            #expect(try reader.count(filter, most: 1000) == wanted.count, "\(filter)")
            #expect(try reader.count(filter, most: 3) == min(3, wanted.count), "\(filter)")
        }
    }
}
