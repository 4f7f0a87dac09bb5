import Foundation
import HaulModel
import Support
import Testing

/// Limits and sites that are down, over the wire and out of the configuration.
@Suite struct LimitTests {
    private func patch(_ caller: Caller, _ path: String, _ document: JSONValue) async throws -> Answer {
        try await caller.send("PATCH", path, Array(document.text.utf8))
    }

    private func blockers(_ person: Person, _ job: Int) async throws -> [String] {
        try await person.user.get("/jobs/\(job)/explain")["blockers"]?.array?.compactMap { $0["code"]?.string } ?? []
    }

    @Test func limits() async throws {
        var settings = LiveServer.Settings()
        settings.limitsOfSite1 = "{out: 2}"
        settings.runningPerUser = 3
        let server = try await LiveServer.start(settings)
        let person = try await server.person()
        let worker = try await ActingWorker(person.worker)
        var jobs: [Int] = []
        for n in 0..<5 { jobs.append(try await person.list("/\(n)")) }
        var held = try await worker.take(100)
        #expect(held.map(\.jobID) == Array(jobs.prefix(2)))
        let explained = try await person.user.get("/jobs/\(jobs[4])/explain")
        #expect(explained["blockers"]?[0]?["code"] == "site_limit", "\(explained)")
        #expect(explained["blockers"]?[0]?["detail"]?.string?.contains("ssh-a, out: 2 of 2") == true, "\(explained)")
        #expect(explained["estimate"] == .null, "nothing has ended yet: \(explained)")
        let site = try await person.user.get("/sites").json.array?.first { $0["id"] == 1 }
        #expect(site?["limits"] == ["out": 2])
        // What is freed wakes who waits.
        async let waiting = worker.takeOne()
        try await worker.finish(held.removeFirst(), ["listing": ["/0": []]])
        held.append(try await waiting)
        #expect(held.map(\.jobID) == [jobs[1], jobs[2]])
        let estimate = try await person.user.get("/jobs/\(jobs[4])/explain")["estimate"]
        #expect(
            estimate?["basis"]?.string?.hasPrefix("1 element like its own") == true, "\(String(describing: estimate))")
        #expect(estimate?["starts"]?.string != nil && estimate?["ends"]?.string != nil)
        // A queue of its user's own.
        let other = try await person.register("list", ["src_siteid": 2, "src_filepath": "/o", "queue": "slow"])
        let second = try await person.register("list", ["src_siteid": 2, "src_filepath": "/p", "queue": "slow"])
        let limited = try await patch(person.user, "/queues/slow", ["limit": 1])
        #expect(limited.status == 200 && limited["limit"] == 1 && limited["paused"] == false, "\(limited)")
        #expect(try await worker.take(100).map(\.jobID) == [other])
        #expect(try await blockers(person, second) == ["queue_limit", "user_limit"])
        #expect(try await person.user.get("/queues").json.array?.map { $0["limit"] } == [nil, 1])
        // The user's limit is left.
        #expect(try await patch(person.user, "/queues/slow", ["limit": .null])["limit"] == nil)
        #expect(try await blockers(person, second) == ["user_limit"])
        #expect(try await worker.take(100).isEmpty)
        for wrong: JSONValue in [["limit": 0], ["limit": "ten"], ["limit": 1.5]] {
            let answer = try await patch(person.user, "/queues/slow", wrong)
            #expect(answer.status == 400 && answer["fields"]?.keys == ["limit"], "\(answer)")
        }
        await server.remove()
    }

    /// Ten attempts that can't reach a site: it is left alone for a while, over a restart too, and tried then.
    @Test func aSiteThatIsDown() async throws {
        var settings = LiveServer.Settings()
        settings.breakerFailures = 3
        settings.breakerBase = 12
        let server = try await LiveServer.start(settings)
        let person = try await server.person()
        var worker = try await ActingWorker(person.worker)
        var jobs: [Int] = []
        for n in 0..<6 { jobs.append(try await person.list("/\(n)")) }
        for _ in 0..<3 {
            try await worker.report(try await worker.takeOne(), 1, ["error_class": "connect", "reason": "refused"])
        }
        #expect(try await worker.take(100).isEmpty)
        let explained = try await person.user.get("/jobs/\(jobs[5])/explain")
        #expect(explained["blockers"]?[0]?["code"] == "site_down", "\(explained)")
        #expect(explained["blockers"]?[0]?["until"]?.string != nil, "\(explained)")
        #expect(explained["blockers"]?[0]?["detail"]?.string?.contains("with connect") == true, "\(explained)")
        await server.kill()
        try await server.start()
        worker = try await ActingWorker(person.worker)
        let elsewhere = try await person.register("list", ["src_siteid": 2, "src_filepath": "/x"])
        let other = try await worker.take(100)
        #expect(other.contains { $0.jobID == elsewhere } && other.count <= 2)
        var probe = other.first { $0.jobID != elsewhere }
        if probe == nil { probe = try await worker.takeOne(["wait": 30]) }
        let tried = try #require(probe)
        #expect(try await worker.take(100).isEmpty, "one tries, the others wait")
        try await worker.finish(tried, ["listing": ["/": []]])
        #expect(try await worker.takeOne().source.isEmpty == false)
        await server.remove()
    }

    /// A report may say which of the two sites failed.
    @Test func blamed() async throws {
        var settings = LiveServer.Settings()
        settings.breakerFailures = 1
        settings.breakerBase = 600
        let server = try await LiveServer.start(settings)
        let person = try await server.person()
        let worker = try await ActingWorker(person.worker)
        let copy = try await person.copy("/d", "/e")
        try await worker.finish(try await worker.takeOne(), ["listing": ["/d": [entry("f"), entry("g")]]])
        let held = try await worker.takeOne()
        #expect(held.jobID == copy)
        let wrong = try await worker.report(held, 1, ["error_class": "connect", "error_site": "b"])
        #expect(wrong.status == 400 && wrong["fields"]?.keys == ["error_site"], "\(wrong)")
        try await worker.report(held, 1, ["error_class": "connect", "error_site": 2])
        let found = try await person.user.get("/jobs/\(copy)/elements/2/explain")
        #expect(
            found["blockers"]?[0]?["detail"]?.string?.hasPrefix("Site ssh-b: 1 attempt in a row") == true, "\(found)")
        let list = try await person.list("/at-a")
        #expect(try await worker.takeOne().jobID == list)
        await server.remove()
    }
}
