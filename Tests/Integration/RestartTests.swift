import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// The server's death and return: what was answered is there, what was begun goes on, nothing comes twice.
@Suite struct RestartTests {
    /// SIGKILL in the middle of an expansion of 50,000 entries, more than once.
    @Test(arguments: ["COPY", "REMOVE"]) func expansionGoesOn(type: String) async throws {
        let count = 50_000
        let server = try await LiveServer.start()
        let person = try await server.person()
        let id = try await type == "COPY" ? person.copy("/s", "/d") : person.remove("/s")
        let worker = try await ActingWorker(person.worker)
        let held = try await worker.takeOne()
        let folders = 50
        var listing: [String: JSONValue] = ["/s": .array((0..<folders).map { entry("d\($0)", isDirectory: true) })]
        for folder in 0..<folders {
            listing["/s/d\(folder)"] = .array((0..<count / folders).map { entry("f\($0)", size: $0) })
        }
        try await worker.finish(held, ["listing": .object(listing), "log": "listed"])
        for least in [1000, 15_000, 30_000] {
            try await eventually("\(least) elements", within: .seconds(60)) {
                try await person.user.get("/jobs/\(id)")["num_elements"]?.int ?? 0 > least
            }
            await server.kill()
            try await server.start()
        }
        let total = 1 + count + (type == "REMOVE" ? folders + 1 : 0)
        try await eventually("all elements", within: .seconds(60)) {
            try await person.user.get("/jobs/\(id)")["num_elements"]?.int ?? 0 >= total
        }
        let all = try await person.user.get(
            "/jobs/\(id)/elements?listing=none", headers: ["Accept": "application/x-ndjson"])
        let elements = all.body.split(separator: 0x0A).compactMap { try? JSONReader.value(Array($0)) }
        #expect(elements.compactMap { $0["id"]?.int } == Array(0..<total))
        let sources = Set(elements.dropFirst().compactMap { $0["src_filepath"]?.string })
        #expect(sources.count == total - 1, "nothing twice")
        #expect(try await person.user.get("/jobs/\(id)")["num_new"]?.int == total - 1)
        #expect(try await person.user.get("/jobs/\(id)/output")[0]?["log"] == "listed")
        await server.remove()
    }

    /// Who waits - for work, or for a job - is answered at once when the server is told to end, and holds it up no longer.
    @Test func endsWhileManyWait() async throws {
        let server = try await LiveServer.start()
        let person = try await server.person()
        let worker = try await ActingWorker(person.worker)
        let client = UWSClient(person.user)
        let job = try await client.make("list", ["src_siteid": "1", "src_filepath": "/d"])
        let sockets: @Sendable () throws -> Int = {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(server.process?.pid ?? 0)/fd").count
        }
        let idle = try sockets()
        let claims = (0..<5).map { _ in Task { try await worker.ask(["wait": 60]).status } }
        let watched = Task { try await client.get(job + "?WAIT=60") }
        try await eventually("all have come") { try sockets() >= idle + 5 }
        let start = ContinuousClock.now
        await server.stop()
        #expect(ContinuousClock.now - start < .seconds(5))
        // One that had not begun to wait by then is told to come again.
        var answers = [try await watched.value.status]
        for claim in claims { answers.append(try await claim.value) }
        #expect(answers.allSatisfy([200, 404, 503].contains) && answers.contains { $0 != 503 }, "\(answers)")
        await server.remove()
    }

    /// Jobs, outputs, tokens, sessions, leases and idempotency keys outlive a SIGKILL.
    @Test func nothingAcknowledgedIsLost() async throws {
        let server = try await LiveServer.start()
        let person = try await server.person()
        let worker = try await ActingWorker(person.worker)
        let key: HTTPHeaders = ["Idempotency-Key": "k"]
        let first = try await person.user.post("/list", ["src_siteid": 1, "src_filepath": "/k"], headers: key)
        let reported = try await worker.takeOne()
        try await worker.finish(reported, ["log": "kept", "listing": ["/k": ["x"]]])
        let open = try await person.list("/open")
        let held = try await worker.takeOne()
        _ = try await worker.caller.with(held.token).send(
            "POST", held.path + "/log?offset=0", Array("before ".utf8))
        // A flood of registrations is under way when the power goes.
        let flood = Task {
            var ids: [Int] = []
            for n in 0..<10_000 {
                guard
                    let answer = try? await person.user.post(
                        "/list", ["src_siteid": 1, "src_filepath": .string("/\(n)")]),
                    answer.status == 200, let id = answer["id"]?.int
                else { break }
                ids.append(id)
            }
            return ids
        }
        try await eventually("the flood runs") { try await person.user.get("/jobs").json.array?.count ?? 0 > 20 }
        await server.kill()
        let acknowledged = await flood.value
        try await server.start()
        let there = Set(try await person.user.get("/jobs").json.array?.compactMap { $0["id"]?.int } ?? [])
        #expect(acknowledged.count > 10 && there.isSuperset(of: acknowledged))
        #expect(try await person.user.get("/jobs/\(reported.jobID)/output")[0]?["log"] == "kept")
        let again = try await person.user.post("/list", ["src_siteid": 1, "src_filepath": "/k"], headers: key)
        #expect(again.body == first.body)
        _ = try await worker.caller.with(held.token).send(
            "POST", held.path + "/log?offset=7", Array("and after".utf8))
        try await worker.finish(held, ["log": .null, "listing": ["/open": []]])
        #expect(try await person.user.get("/jobs/\(open)/elements/0/output")["log"] == "before and after")
        #expect(try await worker.report(reported, 0, ["log": "kept", "listing": ["/k": ["x"]]]).status == 200)
        await server.remove()
    }

    /// SIGTERM ends it in good order, with claims parked and half a request sent.
    @Test func goodOrder() async throws {
        let server = try await LiveServer.start()
        let person = try await server.person()
        let worker = try await ActingWorker(person.worker)
        let parked = Task { try? await worker.ask(["wait": 50]) }
        let half = try RawConnection(port: server.port)
        await half.send("POST /workqueue/api/v1.0/jobs HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\n{")
        try await eventually("it is up") { try await person.user.get("/jobs").status == 200 }
        let begun = ContinuousClock.now
        let status = await server.stop()
        #expect(status == .exited(0) && ContinuousClock.now - begun < .seconds(15), "\(String(describing: status))")
        _ = await parked.value
        try await server.start()
        #expect(try await person.user.get("/jobs").status == 200)
        await server.remove()
    }
}
