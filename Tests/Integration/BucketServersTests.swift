import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// Servers of one database whose logs go to a bucket: a real S3 service, which checks signatures and dies.
@Suite(.serialized, .timeLimit(.minutes(4))) struct BucketServersTests {
    private func settings(
        _ moto: MotoServer, bytes: Int = 64 << 20, secret: String = MotoServer.secretKey
    ) throws -> LiveServer.Settings {
        var settings = LiveServer.Settings()
        let folder = NSTemporaryDirectory() + "haul-server-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let keys = "{access_key: \"\(MotoServer.accessKey)\", secret_key: \"\(secret)\"}"
        try keys.write(toFile: folder + "/s3.json5", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder + "/s3.json5")
        settings.folder = folder
        settings.logs = """
            {
                s3: "s3://\(MotoServer.bucket)/some/prefix", endpoint: "\(moto.url)", credentials: "s3.json5",
                spool: {folder: "spool", bytes: \(bytes)},
            }
            """
        return settings
    }

    private func servers(
        _ count: Int, bytes: Int = 64 << 20, _ body: (MotoServer, [LiveServer]) async throws -> Void
    ) async throws {
        let moto = try await MotoServer.start()
        var servers: [LiveServer] = []
        do {
            for _ in 0..<count {
                var settings = try settings(moto, bytes: bytes)
                settings.state = servers.first?.stateFolder
                settings.store = servers.first?.sharedStore
                servers.append(try await LiveServer.start(settings))
            }
            try await body(moto, servers)
        } catch {
            for server in servers.reversed() { await server.remove() }
            await moto.kill()
            throw error
        }
        for server in servers.reversed() { await server.remove() }
        await moto.kill()
    }

    private func waiting(_ server: LiveServer) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: server.folder + "/spool/finished")
    }

    private func drained(_ servers: [LiveServer]) async throws {
        try await eventually("the spools are empty", within: .seconds(60)) {
            try servers.allSatisfy { try waiting($0).isEmpty }
        }
    }

    private func log(_ job: Int, _ user: Caller, _ element: Int = 0) async throws -> String? {
        try await user.get("/jobs/\(job)/elements/\(element)/output")["log"]?.string
    }

    @Test func fromReportToObjectAndBackThroughBoth() async throws {
        try await servers(2) { moto, servers in
            let person = try await servers[0].person()
            let worker = try await ActingWorker(person.worker)
            let id = try await person.copy("/d", "/to")
            let list = try await worker.takeOne()
            let files = 60
            try await worker.finish(list, ["listing": .object(["/d": .array((0..<files).map { entry("f\($0)") })])])
            var held: [Held] = []
            while held.count < files { held.append(try await worker.takeOne()) }
            for (number, item) in held.enumerated() {
                let there = ActingWorker(person.worker.at(servers[number % 2]), item)
                try await there.finish(item, ["log": .string("log of \(item.id)\n")])
            }
            // At once, out of the spools, through either; and when all of it is in the bucket.
            for round in 0..<2 {
                for server in servers {
                    let output = try await person.user.at(server).get("/jobs/\(id)/output")
                    #expect(output.status == 200 && output.json.array?.count == files + 1, "\(round): \(output)")
                    for item in output.json.array ?? [] where item["elementid"] != 0 {
                        #expect(item["log"]?.string == "log of \(item["elementid"]?.int ?? 0)\n")
                    }
                    let listing = try await person.user.at(server).get("/jobs/\(id)/elements/0?listing=long")
                    #expect(listing["listing"]?[0]?["/d"]?.array?.count == files, "\(listing)")
                }
                try await drained(servers)
            }
            let keys = try await moto.keys()
            #expect(keys.allSatisfy { $0.hasPrefix("some/prefix/") })
            // Listing, and for each server few objects for its many logs.
            #expect((3...20).contains(keys.count), "\(keys)")
            let secrets = [MotoServer.secretKey]
            for server in servers { #expect(secrets.allSatisfy { !server.log.contains($0) }) }
        }
    }

    @Test func downThenFullThenKilledThenBack() async throws {
        try await servers(1, bytes: 300_000) { moto, servers in
            let server = servers[0]
            let person = try await server.person()
            let worker = try await ActingWorker(person.worker)
            await moto.kill()
            let text = String(repeating: "0123456789abcde\n", count: 1250)
            var kept: [Int] = []
            var refused: Held?
            while refused == nil, kept.count < 40 {
                let id = try await person.mkdir("/d\(kept.count)")
                let held = try await worker.takeOne()
                let answer = try await worker.report(held, 0, ["log": .string("\(id)\n" + text)])
                if answer.status == 200 {
                    kept.append(id)
                } else {
                    #expect(answer.status == 503 && answer["code"] == "spool_full", "\(answer)")
                    #expect(answer.headers["Retry-After"] != nil)
                    refused = held
                }
            }
            let held = try #require(refused)
            #expect((5...15).contains(kept.count), "\(kept.count)")
            #expect(try await log(kept[0], person.user) == "\(kept[0])\n" + text)
            try await eventually("it says why") { server.log.contains("uploads wait cause=") }
            await server.kill()
            try await server.start()
            #expect(
                try await worker.report(held, 0, ["log": .string(text + text)]).status == 503,
                "what a process before it left counts")
            for id in kept { #expect(try await log(id, person.user) == "\(id)\n" + text) }
            try await moto.start()
            try await eventually("there is room again", within: .seconds(60)) {
                try await worker.report(held, 0, ["log": .string(text + text)]).status == 200
            }
            try await drained(servers)
            for id in kept { #expect(try await log(id, person.user) == "\(id)\n" + text) }
            #expect(try await log(held.jobID, person.user) == text + text)
            #expect(try await moto.keys().count >= kept.count)
        }
    }

    /// Logs that are in a bucket which is down are out of reach, not lost; those that another server's spool has are not.
    @Test func readWhileTheBucketIsDown() async throws {
        try await servers(2) { moto, servers in
            let (first, second) = (servers[0], servers[1])
            let person = try await first.person()
            let worker = try await ActingWorker(person.worker)
            let early = try await person.mkdir("/a")
            try await worker.finish(worker.takeOne())
            try await drained(servers)
            await moto.kill()
            let late = try await person.mkdir("/b")
            try await worker.finish(worker.takeOne(), ["log": "in the spool\n"])
            for server in servers {
                let answer = try await person.user.at(server).get("/jobs/\(early)/elements/0/output")
                #expect(answer.status == 503 && answer["code"] == "logs_away", "\(answer)")
                #expect(try await log(late, person.user.at(server)) == "in the spool\n")
            }
            await first.kill()
            let answer = try await person.user.at(second).get("/jobs/\(late)/elements/0/output")
            #expect(answer.status == 503, "\(answer)")
            try await first.start()
            try await moto.start()
            try await drained(servers)
            #expect(try await log(late, person.user.at(second)) == "in the spool\n")
            // The service forgot what it had before: that is lost, and said to be.
            let lost = try await person.user.at(second).get("/jobs/\(early)/elements/0/output")
            #expect(lost.status == 500 && lost["code"] == "log_missing", "\(lost)")
        }
    }

    /// A listing of Overview that can't be asked for now is not made anew; one that is gone is.
    @Test func listingThatIsAwayOrGone() async throws {
        try await servers(1) { moto, servers in
            let person = try await servers[0].person()
            let worker = try await ActingWorker(person.worker)
            let client = FaceClient(person.user, OverviewRoutes.root)
            let wanted: KeyValuePairs<String, String> = ["server": "ssh-a", "documentSetId": "/data"]
            func generate() async throws {
                let reader = OverviewReader()
                let task = reader.follow(client, wanted)
                let listing: JSONValue = ["/data": .array([entry("a", size: 7)])]
                try await worker.finish(try await worker.takeOne(), ["listing": listing])
                try await task.value
                #expect(reader.events.last?["returncode"] == 0)
                try await drained(servers)
            }
            try await generate()
            await moto.kill()
            let away = try await client.form("POST", "/generate", wanted)
            #expect(away.status == 503 && away["code"] == "logs_away", "\(away)")
            // The service forgets what it had.
            try await moto.start()
            let search = "/search?server=ssh-a&documentSetId=/data&q=a"
            #expect(try await client.get(search).status == 404)
            try await generate()
            #expect(try await client.form("POST", "/generate", wanted).text == "[]")
            #expect(try await client.get(search).json.array?.count == 1)
            #expect(try await person.user.get("/jobs").json.array?.count == 2)
        }
    }

    /// What grows is followed through the other server, and lost with its own: then the log goes on anew.
    @Test func grownElsewhere() async throws {
        try await servers(2) { _, servers in
            let (first, second) = (servers[0], servers[1])
            let person = try await first.person()
            let worker = try await ActingWorker(person.worker)
            let id = try await person.mkdir("/d")
            let held = try await worker.takeOne()
            func piece(_ text: String, at offset: Int, _ server: LiveServer) async throws -> Answer {
                try await Caller(server: server, token: held.token).send(
                    "POST", "\(held.path)/log?offset=\(offset)", Array(text.utf8),
                    headers: ["Content-Type": "text/plain"])
            }
            #expect(try await piece("one\n", at: 0, first).status == 200)
            let reader = StreamReader()
            let task = reader.follow("/jobs/\(id)/elements/0/output?follow=1", person.user.at(second))
            try await eventually("the first piece") { reader.text == "one\n" }
            #expect(try await piece("two\n", at: 4, second).status == 200)
            try await eventually("the second piece") { reader.text == "one\ntwo\n" }
            await first.kill()
            try await OutsideSQL.run(second, "UPDATE servers SET seen = seen - 60000 WHERE url = '\(first.url)'")
            let wrong = try await piece("three\n", at: 8, second)
            #expect(wrong.status == 409 && wrong["offset"] == 0, "\(wrong)")
            #expect(try await piece("anew\n", at: 0, second).status == 200)
            try await eventually("the new beginning", within: .seconds(60)) { reader.text == "one\ntwo\nanew\n" }
            try await ActingWorker(person.worker.at(second), held).finish(held, ["log": "end\n"])
            try await task.value
            #expect(reader.text == "one\ntwo\nanew\nend\n")
            #expect(try await log(id, person.user.at(second)) == "anew\nend\n")
            // What the first still has of it is of no use to anybody.
            let left = first.folder + "/spool/running"
            #expect(FileManager.default.subpaths(atPath: left)?.contains { $0.hasSuffix(".log") } == true)
            try await first.start()
            try await eventually("it is tidied away") {
                FileManager.default.subpaths(atPath: left)?.contains { $0.hasSuffix(".log") } != true
            }
        }
    }

    /// A listing that is past a piece is sorted by each server for itself.
    @Test func aLargeRemovalOverBoth() async throws {
        try await servers(2) { _, servers in
            let person = try await servers[0].person()
            let worker = try await ActingWorker(person.worker.at(servers[1]))
            let id = try await person.remove("/d")
            let held = try await worker.takeOne()
            let entries = (0..<5000).map { entry("f\($0)") }
            try await worker.finish(held, ["listing": .object(["/d": .array(entries)])])
            try await eventually("all elements are there", within: .seconds(60)) {
                try await person.user.get("/jobs/\(id)")["num_elements"] == 5002
            }
        }
    }

    @Test func aWrongSecretKeepsAllInTheSpool() async throws {
        let moto = try await MotoServer.start()
        let server = try await LiveServer.start(try settings(moto, secret: "wrong"))
        let person = try await server.person()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/d")
        try await worker.finish(worker.takeOne())
        try await eventually("it says why", within: .seconds(60)) {
            server.log.contains("uploads wait cause=") && server.log.contains("403 SignatureDoesNotMatch")
        }
        #expect(try waiting(server).count == 1)
        #expect(try await moto.keys().isEmpty)
        #expect(try await log(id, person.user) == "done\n")
        await server.stop()
        let right = "{access_key: \"\(MotoServer.accessKey)\", secret_key: \"\(MotoServer.secretKey)\"}"
        let file = server.folder + "/s3.json5"
        try Data(right.utf8).write(to: URL(fileURLWithPath: file))
        try await server.start()
        try await drained([server])
        #expect(try await log(id, person.user) == "done\n")
        // A secret that others can read is none.
        await server.stop()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        let run = try await ProgramRun("hauld", ["--config", server.config])
        #expect(run.code == 1 && run.errors.contains("make it 600"), "\(run)")
        await server.remove()
        await moto.kill()
    }
}
