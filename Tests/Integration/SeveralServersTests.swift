import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// Two servers of one database, and workers that talk to either.
@Suite(.serialized, .timeLimit(.minutes(4))) struct SeveralServersTests {
    private func send(
        _ text: String, to stream: String = "log", at offset: Int, _ held: Held, _ server: LiveServer
    ) async throws -> Answer {
        try await Caller(server: server, token: held.token).send(
            "POST", "\(held.path)/\(stream)?offset=\(offset)", Array(text.utf8),
            headers: ["Content-Type": "text/plain"])
    }

    private func log(_ job: Int, _ user: Caller) async throws -> String? {
        try await user.get("/jobs/\(job)/elements/0/output")["log"]?.string
    }

    @Test func piecesGoToEither() async throws {
        try await LiveServer.two { first, second in
            let person = try await first.person()
            let worker = try await ActingWorker(person.worker)
            for last in [first, second] {
                let id = try await person.mkdir("/d")
                let held = try await worker.takeOne()
                var text = ""
                for number in 0..<6 {
                    let line = "line \(number)\n"
                    let answer = try await send(line, at: text.utf8.count, held, number % 2 == 0 ? first : second)
                    try #require(answer.status == 200, "\(answer)")
                    text += line
                    #expect(answer["offset"]?.int == text.utf8.count)
                }
                // A wrong offset is told alike by both.
                for server in [first, second] {
                    let wrong = try await send("x", at: 4096, held, server)
                    #expect(wrong.status == 409 && wrong["offset"]?.int == text.utf8.count, "\(wrong)")
                }
                let there = ActingWorker(person.worker.at(last), held)
                try await there.finish(held, ["log": "the end\n"])
                #expect(try await there.report(held, 0, ["log": "the end\n"]).status == 200, "the same again")
                for server in [first, second] {
                    #expect(try await log(id, person.user.at(server)) == text + "the end\n")
                }
            }
        }
    }

    @Test func aListingInPiecesIsExpandedByEither() async throws {
        try await LiveServer.two { first, second in
            let person = try await first.person()
            let worker = try await ActingWorker(person.worker)
            let id = try await person.copy("/d", "/to")
            let held = try await worker.takeOne()
            var offset = 0
            for number in 0..<40 {
                let line = "{\"dir\":\"/d\",\"name\":\"f\(number)\",\"st_size\":1,\"st_mode\":33188,\"st_mtime\":0}\n"
                let answer = try await send(line, to: "listing", at: offset, held, number % 2 == 0 ? second : first)
                try #require(answer.status == 200, "\(answer)")
                offset += line.utf8.count
            }
            try await worker.finish(held)
            try await worker.finish(job: id, of: person.user.at(second))
            #expect(try await person.user.at(second).get("/jobs/\(id)")["num_done"] == 41)
            let listing = try await person.user.get("/jobs/\(id)/elements/0/output")["listing"]
            #expect(listing?["/d"]?.array?.count == 40)
        }
    }

    @Test func followedThroughTheOther() async throws {
        try await LiveServer.two { first, second in
            let person = try await first.person()
            let worker = try await ActingWorker(person.worker)
            let id = try await person.mkdir("/d")
            let held = try await worker.takeOne()
            #expect(try await send("one\n", at: 0, held, first).status == 200)
            let readers = (0..<2).map { _ in StreamReader() }
            let tasks = zip(readers, [first, second]).map { reader, server in
                reader.follow("/jobs/\(id)/elements/0/output?follow=1", person.user.at(server))
            }
            try await eventually("the first piece") { readers.allSatisfy { $0.text == "one\n" } }
            #expect(try await send("two\n", at: 4, held, second).status == 200)
            try await eventually("the second piece", within: .seconds(3)) {
                readers.allSatisfy { $0.text == "one\ntwo\n" }
            }
            #expect(readers.allSatisfy { !$0.isOver })
            try await ActingWorker(person.worker.at(second), held).finish(held, ["log": "end\n"])
            for task in tasks { try await task.value }
            #expect(readers.allSatisfy { $0.text == "one\ntwo\nend\n" }, "\(readers.map(\.text))")
        }
    }

    @Test func overTLS() async throws {
        let certificate = try await Certificate()
        try await LiveServer.two({ $0.certificate = certificate }) { first, second in
            let person = try await first.person()
            let worker = try await ActingWorker(person.worker)
            let id = try await person.mkdir("/d")
            let held = try await worker.takeOne()
            #expect(try await send("one\n", at: 0, held, first).status == 200)
            #expect(try await send("two\n", at: 4, held, second).status == 200)
            try await ActingWorker(person.worker.at(second), held).finish(held, ["log": "end\n"])
            #expect(try await log(id, person.user) == "one\ntwo\nend\n")
        }
    }

    /// Two that call themselves the same would write into one file: the second does not start.
    @Test func theSameAddressTwice() async throws {
        let first = try await LiveServer.start()
        var settings = LiveServer.Settings()
        settings.state = first.stateFolder
        settings.store = first.sharedStore
        settings.more = "advertise: \"\(first.url)\","
        let second = try LiveServer(settings)
        await #expect(throws: LiveServer.Failure.self) { try await second.start() }
        #expect(second.log.contains("is in use by another hauld"), "\(second.log)")
        await second.remove()
        // The first does not notice: what asks it as the run that it is finds it.
        let person = try await first.person()
        let worker = try await ActingWorker(person.worker)
        _ = try await person.mkdir("/d")
        let held = try await worker.takeOne()
        let run = try await OutsideSQL.text(first, "SELECT run FROM servers WHERE url = '\(first.url)'")
        #expect(try await send("so far\n", at: 0, held, first).status == 200)
        settings.folder = nil
        settings.logs = "\"logs-of-its-own\""
        let third = try LiveServer(settings)
        await #expect(throws: LiveServer.Failure.self) { try await third.start() }
        #expect(third.log.contains("another hauld runs and advertises \(first.url)"), "\(third.log)")
        await third.remove()
        #expect(try await OutsideSQL.text(first, "SELECT run FROM servers WHERE url = '\(first.url)'") == run)
        settings.logs = nil
        settings.more = ""
        let other = try await LiveServer.start(settings)
        #expect(try await send("more\n", at: 7, held, other).status == 200)
        await other.remove()
        for url in ["h:1", "http://", "http://h:1/", "ftp://h:1", "http://u@h:1"] {
            var settings = settings
            settings.more = "advertise: \"\(url)\","
            let odd = try LiveServer(settings)
            await #expect(throws: LiveServer.Failure.self) { try await odd.start() }
            #expect(odd.log.contains("advertise: expected"), "\(odd.log)")
            await odd.remove()
        }
        await first.remove()
    }

    /// One whose place another took while it stood still ends; one whose row is gone enters itself again.
    @Test func oustedAndForgotten() async throws {
        try await LiveServer.two { first, second in
            let name = "url = '\(second.url)'"
            try await OutsideSQL.run(first, "DELETE FROM servers WHERE \(name)")
            try await eventually("it is there again", within: .seconds(60)) {
                try await OutsideSQL.text(first, "SELECT COUNT(*) FROM servers WHERE \(name)") == "1"
            }
            #expect(second.process?.status == nil)
            try await OutsideSQL.run(first, "UPDATE servers SET run = 'other' WHERE \(name)")
            try await eventually("it ends", within: .seconds(60)) { second.process?.status != nil }
            #expect(second.log.contains("ousted"), "\(second.log)")
        }
    }

    /// A lease that ends, noticed by whichever server's duty is first: what the attempt sent is in its log.
    @Test func lostAttemptsOfTheOther() async throws {
        try await LiveServer.two { first, second in
            let person = try await first.person()
            for server in [first, second, first, second] {
                let worker = try await ActingWorker(person.worker)
                let id = try await person.mkdir("/d")
                let held = try await worker.takeOne()
                #expect(try await send("so far\n", at: 0, held, server).status == 200)
                // A new session of the worker ends the old one.
                _ = try await ActingWorker(person.worker.at(server), name: worker.name)
                try await eventually("the attempt is lost") {
                    try await log(id, person.user)?.hasPrefix("so far\nhaul: ") == true
                }
                #expect(try await person.user.send("DELETE", "/jobs/\(id)").status < 300)
            }
        }
    }

    /// An element that its worker does not have, and whose log another server has than the one that the worker beats at.
    @Test func unheldAtTheOther() async throws {
        try await LiveServer.two({
            $0.leaseSeconds = 8
            $0.heartbeatSeconds = 0.5
        }) { first, second in
            let person = try await first.person()
            let worker = try await ActingWorker(person.worker)
            let id = try await person.mkdir("/d")
            let held = try await worker.takeOne()
            #expect(try await send("so far\n", at: 0, held, second).status == 200)
            let beat: JSONValue = ["session": .int(try #require(worker.session)), "holding": []]
            try await eventually("it is lost and handed out again") {
                let answer = try await worker.caller.post("/worker/heartbeat", beat)
                try #require(answer.status == 200, "\(answer)")
                return try await log(id, person.user)?.contains("the worker does not hold it") == true
            }
            let again = try await worker.takeOne()
            #expect(again.jobID == id && again.attempt == 2)
        }
    }

    /// The server that had the beginning dies and stays away: the other, which shares its folder, goes on where it was.
    @Test func aDeadHolder() async throws {
        try await LiveServer.two { first, second in
            let person = try await first.person()
            let worker = try await ActingWorker(person.worker)
            let id = try await person.mkdir("/d")
            let held = try await worker.takeOne()
            #expect(try await send("one\n", at: 0, held, first).status == 200)
            await first.kill()
            let refused = try await send("two\n", at: 4, held, second)
            #expect(refused.status == 503 && refused["code"] == "server_away", "\(refused)")
            #expect(refused.headers["Retry-After"] != nil)
            try await OutsideSQL.run(second, "UPDATE servers SET seen = seen - 60000 WHERE url = '\(first.url)'")
            let taken = try await send("two\n", at: 4, held, second)
            #expect(taken.status == 200, "\(taken)")
            let there = ActingWorker(person.worker.at(second), held)
            try await there.finish(held, ["log": "end\n"])
            #expect(try await log(id, person.user.at(second)) == "one\ntwo\nend\n")
        }
    }

    @Test func aReportOverADeadHolder() async throws {
        try await LiveServer.two { first, second in
            let person = try await first.person()
            let worker = try await ActingWorker(person.worker)
            let id = try await person.mkdir("/d")
            let held = try await worker.takeOne()
            #expect(try await send("one\n", at: 0, held, first).status == 200)
            await first.kill()
            let there = ActingWorker(person.worker.at(second), held)
            #expect(try await there.report(held).status == 503)
            try await OutsideSQL.run(second, "UPDATE servers SET seen = seen - 60000 WHERE url = '\(first.url)'")
            try await there.finish(held, ["log": "end\n"])
            #expect(try await log(id, person.user.at(second)) == "one\nend\n")
            // It comes back as itself and finds its attempt ended.
            try await first.start()
            #expect(try await log(id, person.user) == "one\nend\n")
            #expect(try await send("late\n", at: 4, held, first).status == 409)
        }
    }

    /// Both append to the logs of one job at once: none tears the other's.
    @Test func oneJobsLogsThroughBoth() async throws {
        try await LiveServer.two { first, second in
            let person = try await first.person()
            let worker = try await ActingWorker(person.worker)
            let id = try await person.copy("/d", "/to")
            let held = try await worker.takeOne()
            try await worker.finish(held, ["listing": .object(["/d": .array((0..<200).map { entry("f\($0)") })])])
            var all: [Held] = []
            while all.count < 200 { all.append(try await worker.takeOne()) }
            try await withThrowingTaskGroup { group in
                for (number, held) in all.enumerated() {
                    let server = number % 2 == 0 ? first : second
                    group.addTask {
                        try await ActingWorker(person.worker.at(server), held).finish(
                            held, ["log": .string(String(repeating: "\(held.id)\n", count: 50))])
                    }
                }
                try await group.waitForAll()
            }
            let output = try await person.user.at(second).get("/jobs/\(id)/output")
            #expect(output.json.array?.count == 201)
            for item in output.json.array ?? [] {
                guard let number = item["elementid"]?.int, number > 0 else { continue }
                #expect(item["log"]?.string == String(repeating: "\(number)\n", count: 50))
            }
        }
    }
}

extension ActingWorker {
    /// The worker that holds an element, at another server.
    init(_ caller: Caller, _ held: Held) {
        self.caller = caller
        name = ""
    }
}
