import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// `GET /jobs/J/output`, `.../elements/E/output` and `.../output/N`.
@Suite(.server()) struct OutputTests {
    /// A COPY of one file: the LIST done, the file's first attempt failed, its second done.
    private func copied(_ person: Person, as name: String? = nil) async throws -> Int {
        let worker = try await ActingWorker(person.worker, name: name ?? "w" + UUID().uuidString)
        let id = try await person.copy("/p/file1", "/q/file1")
        try await worker.finish(
            try await worker.takeOne(), ["log": "listed\n", "listing": ["/p": [entry("file1", size: 3)]]])
        try await worker.report(
            try await worker.takeOne(), 1, ["log": "first \"try\"\t\u{1b}[0m\n", "error_class": "connect"])
        try await worker.finish(try await worker.takeOne(), ["log": "ünd: second try"])
        return id
    }

    /// GET /jobs/J/output, 200: a flat array, the latest attempt of each element that has one, by element id.
    @Test func ofJob() async throws {
        let person = try await newPerson()
        let id = try await copied(person)
        let answer = try await person.user.get("/jobs/\(id)/output")
        #expect(answer.status == 200 && answer.headers["Content-Type"] == "application/json")
        #expect(
            answer.json == [
                [
                    "jobid": .int(id), "elementid": 0, "attempt": 1, "type": "LIST", "status": "DONE",
                    "log": "listed\n", "listing": ["/p": ["file1"]],
                ],
                [
                    "jobid": .int(id), "elementid": 1, "attempt": 2, "type": "COPY", "status": "DONE",
                    "log": "ünd: second try",
                ],
            ], "\(answer)")
        let fresh = try await person.list("/nothing")
        #expect(try await person.user.get("/jobs/\(fresh)/output").text == "[]")
        let long = try await person.user.get("/jobs/\(id)/output?listing=long")
        #expect(long[0]?["listing"]?["/p"]?[0]?["size"] == 3)
        #expect(try await person.user.get("/jobs/\(id)/output?listing=none").status == 400)
    }

    /// `?attempts=all`: an array an element, oldest attempt first.
    @Test func allAttempts() async throws {
        let person = try await newPerson()
        let id = try await copied(person)
        let answer = try await person.user.get("/jobs/\(id)/output?attempts=all")
        let attempts = (answer.json.array ?? []).map { ($0.array ?? []).compactMap { $0["attempt"]?.int } }
        #expect(attempts == [[1], [1, 2]], "\(answer)")
        #expect(answer[1]?[0]?["status"] == "FAILED")
        let lines = try await person.user.get(
            "/jobs/\(id)/output?attempts=all", headers: ["Accept": "application/x-ndjson"])
        #expect(lines.lines.map { $0.array?.count } == [1, 2])
        #expect(try await person.user.get("/jobs/\(id)/output?attempts=some").status == 400)
        #expect(try await person.user.get("/jobs/\(id)/output?attempts=latest").json.array?.count == 2)
    }

    /// GET .../elements/E/output and .../output/N, 200; 400: not yet ready, or an invalid attempt.
    @Test func ofElement() async throws {
        let person = try await newPerson()
        let id = try await copied(person)
        let path = "/jobs/\(id)/elements/1/output"
        let latest = try await person.user.get(path)
        #expect(latest.status == 200 && latest["attempt"] == 2)
        #expect(latest.json.keys == ["jobid", "elementid", "attempt", "type", "status", "log"])
        let first = try await person.user.get(path + "/1")
        #expect(first["status"] == "FAILED" && first["log"] == "first \"try\"\t\u{1b}[0m\n", "\(first)")
        for (number, attempt) in [("2", 2), ("-1", 2), ("-2", 1)] {
            #expect(try await person.user.get("\(path)/\(number)")["attempt"]?.int == attempt)
        }
        for number in ["0", "3", "-3", "9223372036854775807", "-9223372036854775808"] {
            let answer = try await person.user.get("\(path)/\(number)")
            #expect(answer.status == 400 && answer["code"] == "no_such_attempt", "\(answer)")
        }
        #expect(try await person.user.get("\(path)/x").status == 404)
        let fresh = try await person.list("/nothing")
        for rest in ["", "/1", "/-1"] {
            let answer = try await person.user.get("/jobs/\(fresh)/elements/0/output\(rest)")
            #expect(answer.status == 400 && answer["code"] == "output_not_ready", "\(answer)")
        }
    }

    /// 500: a log that is not on disk. It says which attempt, names no path, and comes before anything was streamed.
    @Test func missingLog() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let id = try await copied(person)
        let uid = try #require(try await person.user.get("/jobs/\(id)")["log_uid"]?.string)
        let folder = "\(server.logs)/\(uid.prefix(2))/\(uid)"
        try FileManager.default.moveItem(atPath: folder + "/attempts-1.log", toPath: folder + "/aside")
        func check(_ path: String, _ what: String) async throws {
            let answer = try await person.user.get("/jobs/\(id)\(path)")
            #expect(answer.status == 500 && answer["code"] == "log_missing", "\(path) \(answer)")
            #expect(answer["detail"]?.string?.contains(what) == true, "\(answer)")
            #expect(!answer.text.contains(uid) && !answer.text.contains("attempts-1") && !answer.text.contains("/"))
        }
        try await check("/output", "attempt 1 at element 0")
        try await check("/output?attempts=all", "attempt 1 at element 0")
        try await check("/elements/1/output", "attempt 2 at element 1")
        try await check("/elements/1/output/1", "attempt 1 at element 1")
        #expect(server.log.contains("log of \(id).0.1 missing"))
        try FileManager.default.moveItem(atPath: folder + "/aside", toPath: folder + "/attempts-1.log")
        #expect(try await person.user.get("/jobs/\(id)/output").status == 200)
        // One that was cut short is as good as missing.
        let file = try #require(FileHandle(forUpdatingAtPath: folder + "/attempts-1.log"))
        try file.truncate(atOffset: 70)
        try file.close()
        #expect(try await person.user.get("/jobs/\(id)/elements/1/output").status == 500)
        let listing = folder + "/element-0.attempt-1.listing.ndjson"
        try FileManager.default.removeItem(atPath: listing)
        let output = try await person.user.get("/jobs/\(id)/elements/0/output")
        #expect(output.status == 500 && output["code"] == "log_missing", "\(output)")
        // An element is there without the listing that it lost, and so are all others.
        let lost = try await person.user.get("/jobs/\(id)/elements/0")
        #expect(lost.status == 200 && lost["status"] == "DONE" && lost["listing"] == nil, "\(lost)")
        #expect(try await person.user.get("/jobs/\(id)/elements").json.array?.count == 2)
        #expect(try await person.user.get("/jobs/\(id)/elements/1").status == 200)
    }

    /// A log of any bytes is served as JSON; one past a mebibyte stands in a file of its own, and is whole.
    @Test func logsOfEverySize() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let texts = [
            "", "\u{0}\u{1}\u{7f}\"\\/\n\r\t", String(repeating: "é\n", count: 800_000), "=== element 0 attempt 1",
        ]
        var ids: [Int] = []
        for text in texts {
            let id = try await person.register("mkdir", ["src_siteid": 1, "src_filepath": "/d"])
            try await worker.finish(try await worker.takeOne(), ["log": .string(text)])
            ids.append(id)
        }
        for (id, text) in zip(ids, texts) {
            let answer = try await person.user.get("/jobs/\(id)/elements/0/output")
            #expect(answer["log"]?.string == text, "\(text.prefix(40))")
        }
    }

    /// A log in which a person finds an attempt: a header line with element, attempt, worker and time.
    @Test func headersOnDisk() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let id = try await copied(person, as: "w-17")
        let uid = try #require(try await person.user.get("/jobs/\(id)")["log_uid"]?.string)
        let text = try String(
            contentsOfFile: "\(server.logs)/\(uid.prefix(2))/\(uid)/attempts-1.log", encoding: .utf8)
        for (element, attempt) in [(0, 1), (1, 1), (1, 2)] {
            #expect(text.contains("=== element \(element) attempt \(attempt) worker w-17 20"))
        }
    }

    /// Progress and output of a RENAME and a MKDIR; what is not LIST has no listing.
    @Test func renameAndMkdir() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let rename = try await person.register(
            "rename", ["src_siteid": 1, "src_filepath": "a", "dst_filepath": "b"])
        try await worker.finish(try await worker.takeOne(), ["listing": ["~": [entry("a")]]])
        let second = try await worker.takeOne()
        #expect(second.type == .rename && second.source == "a" && second.destination == "b")
        try await worker.finish(second)
        #expect(try await person.status(rename) == "DONE")
        let mkdir = try await person.register("mkdir", ["src_siteid": 1, "src_filepath": "~/d"])
        let only = try await worker.takeOne()
        #expect(only.type == .mkdir && only.id == 0 && only.destination == nil)
        try await worker.finish(only)
        #expect(try await person.status(mkdir) == "DONE")
        let output = try await person.user.get("/jobs/\(mkdir)/output")
        #expect(output.json.array?.count == 1 && output[0]?["listing"] == nil && output[0]?["type"] == "MKDIR")
    }
}
