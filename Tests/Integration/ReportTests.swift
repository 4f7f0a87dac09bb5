import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// `PUT /worker/jobs/J/elements/E`, `POST /worker/results` and the pieces of logs and listings.
@Suite(.server()) struct ReportTests {
    private static let brokenForms: [(String, String)] = {
        let top = #"{"dir":"/a"}"# + "\n"
        let long = String(repeating: "n", count: 70_000)
        return [
            ("no json\n", "line 1"),
            (#"{"dir":"/a","name":"../x"}"# + "\n", "line 1"),
            (#"{"dir":"/a","name":""}"# + "\n", "line 1"),
            (#"{"dir":"","name":"x"}"# + "\n", "line 1"),
            (top + #"{"dir":"/etc","name":"x"}"# + "\n", "line 2"),
            (top + #"{"dir":"/a/../../etc","name":"x"}"# + "\n", "line 2"),
            (top + #"{"dir":"/a/b","name":"x"}"# + "\n" + top, "line 3"),
            (#"{"dir":"/a","name":""# + long + "\"}\n", "line 1"),
            (top + #"{"dir":"/a","name":"cut of"#, "line 2"),
        ]
    }()

    /// An element's token for another element: 403; none or garbage: 401; in `X-Token` or as a bearer token.
    @Test func elementTokens() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        _ = try await person.list("/a")
        _ = try await person.list("/b")
        let held = try await worker.take(2)
        let outcome: JSONValue = ["returncode": 1, "host": "h", "log": "x"]
        let anonymous = try LiveServer.ofSuite.anonymous
        for (path, method, body) in [
            (held[0].path, "PUT", outcome), (held[0].path + "/monitoring", "PUT", ["transferred": 1]),
            (held[0].path + "/log?offset=0", "POST", "x"), (held[0].path + "/listing?offset=0", "POST", "x"),
        ] {
            let bytes = Array(body.text.utf8)
            let other = try await anonymous.with(held[1].token).send(method, path, bytes)
            #expect(other.status == 403 && other["code"] == "other_elements_token", "\(path) \(other)")
            #expect(try await anonymous.send(method, path, bytes).status == 401)
            var bad = held[0].token
            bad.removeLast()
            for token in ["garbage", "1.0.1.AAAA", "....", bad, bad + "~", String(repeating: "a", count: 9000)] {
                #expect(try await anonymous.with(token).send(method, path, bytes).status == 401, "\(token)")
            }
            #expect(
                try await person.worker.send(method, path, bytes).status == 401, "a worker's own token proves no lease")
            #expect(try await person.user.send(method, path, bytes).status == 401)
        }
        let path = "/jobs/\(held[0].jobID)"
        #expect(try await anonymous.with(held[0].token).get(path).status == 401, "nor an element's a user")
        let header: HTTPHeaders = ["X-Token": held[0].token]
        #expect(try await anonymous.put(held[0].path, outcome, headers: header).status == 200)
    }

    /// What is wrong with an outcome: 400 that names the field; nothing is changed by it.
    @Test func wrongOutcomes() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/a")
        let held = try await worker.takeOne()
        let wrong: [(String, JSONValue)] = [
            ("returncode", .null), ("returncode", "x"), ("returncode", 1.5), ("host", 7), ("host", [7]), ("log", ["x"]),
            ("listing", "x"), ("listing", ["/a": "x"]), ("listing", ["/a": [1]]), ("listing", ["/a": [["st_size": 1]]]),
            ("listing", ["/a": ["b/c"]]), ("listing", ["/a": [".."]]), ("listing", ["/a": [""]]),
            ("listing", ["/a": ["nul\u{0}"]]), ("transferred", -2), ("transferred", "much"), ("error_class", 1),
            ("reason", []), ("checksum", ["md5": "x"]),
        ]
        for (field, value) in wrong {
            let answer = try await worker.report(held, 0, [field: value])
            #expect(answer.status == 400 && answer["fields"]?.keys == [field], "\(field) \(value) \(answer)")
        }
        let none = try await worker.report(held)
        #expect(none.status == 400 && none["code"] == "listing_missing", "\(none)")
        #expect(try await person.status(id) == "SUBMITTED")
        #expect(try await person.user.get("/jobs/\(id)/elements/0")["attempts"] == 0)
        try await worker.finish(held, ["listing": ["/a": ["x", "d/"]]])
        #expect(try await person.user.get("/jobs/\(id)/elements/0")["listing"] == [["/a": ["x", "d/"]]])
    }

    /// The same report repeated gets the first answer; another one is a 409, and its log is kept aside.
    @Test func repeatedAndLate() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/a", ["max_tries": 1])
        let held = try await worker.takeOne()
        let listing: [String: JSONValue] = ["listing": ["/a": ["x"]]]
        for _ in 0..<3 { #expect(try await worker.report(held, 0, listing).status == 200) }
        #expect(try await worker.report(held, 0, ["listing": ["/a": ["y"]]]).status == 409)
        let late = try await worker.report(held, 1, ["log": "what a late one saw"])
        #expect(late.status == 409 && late["code"] == "lease_ended" && late["hint"] != nil)
        #expect(try await person.status(id) == "DONE")
        #expect(try await person.user.get("/jobs/\(id)/elements/0")["attempts"] == 1)
        let uid = try #require(held.job["log_uid"]?.string)
        let folder = "\(server.logs)/\(uid.prefix(2))/\(uid)"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let aside = try names.filter { $0.contains(".late-") }.map {
            try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)
        }
        #expect(aside.contains { $0.lowercased().contains(" late") && $0.contains("what a late one saw") })
        for path in ["/log?offset=0", "/listing?offset=0"] {
            let piece = try await worker.caller.with(held.token).send("POST", held.path + path, Array("x".utf8))
            #expect(piece.status == 409 && piece["code"] == "lease_ended")
        }
        let progress = try await worker.caller.with(held.token).put(held.path + "/monitoring", ["transferred": 1])
        #expect(progress.status == 409)
        #expect(try await person.user.get("/jobs/\(id)/elements/0/output")["log"] == "done\n")
    }

    /// Many at once: the same report from two connections, while another is under way.
    @Test func concurrentReports() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.register("mkdir", ["src_siteid": 1, "src_filepath": "/d"])
        let held = try await worker.takeOne()
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for n in 0..<12 { group.addTask { try await worker.report(held, n % 2).status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.filter { $0 == 200 }.count == 6 && statuses.filter { $0 == 409 }.count == 6, "\(statuses)")
        #expect(try await person.user.get("/jobs/\(id)/elements/0")["attempts"] == 1)
    }

    /// `POST /worker/results`: a status each, the good ones taken whatever the others are.
    @Test func results() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        for n in 0..<6 { _ = try await person.register("mkdir", ["src_siteid": 1, "src_filepath": .string("/\(n)")]) }
        let held = try await worker.take(6)
        func item(_ held: Held, _ more: [String: JSONValue] = [:]) -> JSONValue {
            .object(
                [
                    "job_id": .int(held.jobID), "element_id": .int(held.id), "token": .string(held.token),
                    "returncode": 0, "host": ["a", "b"], "log": "x", "timestamp": "t",
                ].merging(more) { _, new in new })
        }
        try await worker.finish(held[1])
        let items: [JSONValue] = [
            item(held[0]), item(held[1], ["log": "too late"]), item(held[2], ["token": "garbage"]),
            item(held[3], ["token": .string(held[2].token)]), item(held[4], ["returncode": "x"]), "no object",
            item(held[5], ["returncode": 1, "error_class": "not_found", "reason": "gone"]), item(held[0]),
            item(held[2], ["job_id": 999_999]),
        ]
        for body in [JSONValue.array(items), ["results": .array(items)]] {
            let answer = try await person.worker.post("/worker/results", body)
            let statuses = (answer["results"]?.array ?? []).compactMap { $0["status"]?.int }
            #expect(answer.status == 200 && statuses == [200, 409, 401, 403, 400, 400, 200, 200, 403], "\(answer)")
        }
        #expect(try await person.status(held[0].jobID) == "DONE")
        #expect(try await person.status(held[5].jobID) == "FAILED")
        #expect(try await person.status(held[3].jobID) == "SUBMITTED")
        let many = JSONValue.array((0..<1001).map { _ in item(held[0]) })
        #expect(try await person.worker.post("/worker/results", many).status == 413)
        #expect(try await person.worker.post("/worker/results", ["x": 1]).status == 400)
        #expect(try await person.worker.post("/worker/results", []).json == ["results": []])
        #expect(try await person.user.post("/worker/results", []).status == 403)
    }

    /// A thousand outcomes in one request.
    @Test func thousandResults() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let jobs = JSONValue.array(
            (0..<1000).map { ["type": "MKDIR", "src_siteid": 1, "src_filepath": .string("/\($0)")] })
        #expect(try await person.user.post("/jobs", jobs).status == 200)
        let held = try await worker.take(1000)
        #expect(held.count == 1000)
        let items: [JSONValue] = held.map { held in
            [
                "job_id": .int(held.jobID), "element_id": 0, "token": .string(held.token), "returncode": 0, "host": "h",
                "log": .string("log of \(held.jobID)"),
            ]
        }
        let answer = try await person.worker.post("/worker/results", .array(items))
        #expect(answer["results"]?.array?.allSatisfy { $0["status"] == 200 } == true)
        #expect(try await person.user.get("/jobs?status=DONE").json.array?.count == 1000)
        let output = try await person.user.get("/jobs/\(held[567].jobID)/elements/0/output")
        #expect(output["log"]?.string == "log of \(held[567].jobID)")
    }

    /// Logs and listings in pieces; a wrong offset: 409 with the right one; a repeated piece is accepted again.
    @Test func pieces() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/a")
        let held = try await worker.takeOne()
        let holder = worker.caller.with(held.token)
        func piece(_ what: String, _ offset: String, _ text: String) async throws -> Answer {
            try await holder.send("POST", "\(held.path)/\(what)?offset=\(offset)", Array(text.utf8))
        }
        #expect(try await piece("log", "0", "one ").json == ["offset": 4])
        #expect(try await piece("log", "0", "one ").json == ["offset": 4], "again")
        #expect(try await piece("log", "4", "two ").json == ["offset": 8])
        #expect(try await piece("log", "2", "e two three").json == ["offset": 13], "overlapping, and the same")
        for offset in ["14", "9223372036854775807"] {
            let gap = try await piece("log", offset, "x")
            #expect(gap.status == 409 && gap["offset"] == 13 && gap["code"] == "wrong_offset", "\(gap)")
        }
        #expect(try await piece("log", "0", "ONE").status == 409, "not what is there")
        for offset in ["-1", "x", "", "1e1"] { #expect(try await piece("log", offset, "x").status == 400) }
        #expect(try await holder.send("POST", held.path + "/log", Array("x".utf8)).status == 400)
        let first = #"{"dir":"/a","name":"x","st_size":1,"st_mode":33188,"st_mtime":1}"# + "\n"
        let second = #"{"dir":"/a","name":"d","st_mode":16877}"# + "\n" + #"{"dir":"/a/d"}"# + "\n"
        #expect(try await piece("listing", "0", first).json["offset"]?.int == first.utf8.count)
        #expect(try await piece("listing", "5", "y").status == 409)
        #expect(try await piece("listing", "\(first.utf8.count)", second).status == 200)
        let done = try await worker.report(held, 0, ["log": .null])
        #expect(done.status == 200, "\(done)")
        let output = try await person.user.get("/jobs/\(id)/elements/0/output")
        #expect(output["log"] == "one two three" && output["listing"] == ["/a": ["x", "d/"], "/a/d": []], "\(output)")
        // A COPY's file has no listing.
        _ = try await person.copy("/p/f", "/q")
        let list = try await worker.takeOne()
        try await worker.finish(list, ["listing": ["/p": ["f"]]])
        let file = try await worker.takeOne()
        let refused = try await worker.caller.with(file.token).send(
            "POST", file.path + "/listing?offset=0", Array(first.utf8))
        #expect(refused.status == 400 && refused["code"] == "no_listing_here")
    }

    /// A listing in pieces that breaks its form fails the attempt for good, and says where.
    @Test(arguments: brokenForms)
    func brokenListings(text: String, complaint: String) async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.copy("/a", "/b")
        let held = try await worker.takeOne()
        let sent = try await worker.caller.with(held.token).send(
            "POST", held.path + "/listing?offset=0", Array(text.utf8))
        #expect(sent.status == 200, "\(sent)")
        #expect(try await worker.report(held).status == 200)
        #expect(try await person.status(id) == "FAILED")
        let element = try await person.user.get("/jobs/\(id)/elements/0")
        #expect(element["error_class"] == "invalid", "\(element)")
        #expect(element["reason"]?.string?.contains(complaint) == true, "\(element)")
    }

    /// Retries: `max_tries` attempts of what may pass, one of what is permanent; every attempt's log stays.
    @Test func retries() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.register("mkdir", ["src_siteid": 1, "src_filepath": "/d", "max_tries": 3])
        for attempt in 1...3 {
            let held = try await worker.takeOne()
            #expect(held.attempt == attempt && held.element["attempts"]?.int == attempt - 1)
            try await worker.report(held, 1, ["error_class": "busy", "log": .string("try \(attempt)")])
            let element = try await person.user.get("/jobs/\(id)/elements/0")
            #expect(element["status"] == "FAILED" && element["attempts"]?.int == attempt, "also between tries")
            #expect(try await person.status(id) == (attempt < 3 ? "SUBMITTED" : "FAILED"))
        }
        #expect(try await worker.take().isEmpty)
        let output = try await person.user.get("/jobs/\(id)/output?attempts=all")
        #expect(output[0]?.array?.compactMap { $0["log"]?.string } == ["try 1", "try 2", "try 3"])
    }

    @Test(arguments: [
        "not_found", "exists", "permission", "auth", "credential_expired", "no_space", "checksum", "invalid",
    ])
    func permanentClasses(name: String) async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/d", ["max_tries": 9])
        try await worker.report(try await worker.takeOne(), 1, ["error_class": .string(name), "reason": "because"])
        #expect(try await person.status(id) == "FAILED")
        let element = try await person.user.get("/jobs/\(id)/elements/0")
        #expect(element["error_class"]?.string == name && element["attempts"] == 1 && element["reason"] == "because")
    }

    @Test(arguments: ["connect", "timeout", "interrupted", "busy", "lost", "backend", "unknown", "no_such_class", ""])
    func passingClasses(name: String) async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/d", ["max_tries": 9])
        try await worker.report(try await worker.takeOne(), 255, ["error_class": .string(name)])
        #expect(try await person.status(id) == "SUBMITTED")
        #expect(try await worker.takeOne().attempt == 2)
    }
}
