import HaulHTTP
import HaulModel
import Support
import Testing

/// Registering jobs: `POST /jobs`, `/list`, `/copy`, `/remove`, `/rename`, `/mkdir` as README.md lists
/// them, each field and each fault.
@Suite(.server()) struct RegistrationTests {
    /// The documented answer's fields, and those that are added.
    private func check(_ answer: Answer, type: String, source: String, destination: (site: Int, path: String)?) {
        #expect(answer.status == 200, "\(answer)")
        #expect(answer.headers["Content-Type"] == "application/json")
        #expect(answer["id"]?.int ?? 0 >= 1)
        #expect(answer["user_id"]?.int != nil)
        #expect(answer["src_siteid"] == 12)
        #expect(answer["src_filepath"]?.string == source)
        #expect(answer["type"]?.string == type)
        #expect(answer["status"] == "SUBMITTED")
        #expect(answer["extra_opts"] == [:])
        #expect(answer["priority"] == 5)
        #expect(answer["protocol"] == "GRIDFTP")
        #expect(answer["log_uid"]?.string?.count == 32)
        let form = #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/#
        #expect((try? form.wholeMatch(in: answer["timestamp"]?.string ?? "")) ?? nil != nil)
        #expect(answer["dst_siteid"]?.int == destination?.site)
        #expect(answer["dst_filepath"]?.string == destination?.path)
        #expect(answer.json.keys.contains("dst_siteid") == (destination != nil), "left out where not in use")
        #expect(answer.json.keys.contains("dst_filepath") == (destination != nil))
        #expect(answer["max_tries"] == 2 && answer["queue"] == "default")
    }

    /// POST /jobs, 200: the documented example, whose type is a numeric string.
    @Test func jobsExample() async throws {
        let user = try await newPerson().user
        let answer = try await user.post("/jobs", ["src_siteid": 12, "src_filepath": "somefile", "type": "0"])
        check(answer, type: "LIST", source: "somefile", destination: nil)
    }

    /// POST /list, /copy, /remove, /rename, /mkdir, 200: each documented example.
    @Test func shorthandExamples() async throws {
        let user = try await newPerson().user
        check(
            try await user.post("/list", ["src_siteid": 12, "src_filepath": "somefile"]), type: "LIST",
            source: "somefile", destination: nil)
        check(
            try await user.post(
                "/copy",
                [
                    "src_siteid": 12, "dst_siteid": 14, "src_filepath": "somefile", "dst_filepath": "someotherfile",
                ]), type: "COPY", source: "somefile", destination: (14, "someotherfile"))
        check(
            try await user.post("/remove", ["src_siteid": 12, "src_filepath": "somefile"]), type: "REMOVE",
            source: "somefile", destination: nil)
        check(
            try await user.post(
                "/rename", ["src_siteid": 12, "src_filepath": "somefile", "dst_filepath": "someotherfile"]),
            type: "RENAME", source: "somefile", destination: (12, "someotherfile"))
        check(
            try await user.post("/mkdir", ["src_siteid": 12, "src_filepath": "~/somedir"]), type: "MKDIR",
            source: "~/somedir", destination: nil)
    }

    /// Types and protocols: integer, numeric string, or name in any case.
    @Test(arguments: [
        (JSONValue.int(0), "LIST"), (.string("0"), "LIST"), (.string("list"), "LIST"), (.string("LiSt"), "LIST"),
        (.int(2), "REMOVE"), (.string("4"), "MKDIR"), (.string("MKDIR"), "MKDIR"),
    ])
    func typesInEveryForm(type: JSONValue, name: String) async throws {
        let user = try await newPerson().user
        let answer = try await user.post("/jobs", ["src_siteid": 12, "src_filepath": "x", "type": type])
        #expect(answer["type"]?.string == name, "\(answer)")
    }

    /// A user's queues are bounded: each costs every claim a look.
    @Test func queuesAreBounded() async throws {
        let user = try await newPerson().user
        for number in 0..<100 {
            let answer = try await user.post(
                "/list", ["src_siteid": 12, "src_filepath": "x", "queue": .string("q\(number)")])
            #expect(answer.status == 200, "\(answer)")
        }
        let refused = try await user.post("/list", ["src_siteid": 12, "src_filepath": "x", "queue": "one more"])
        #expect(refused.status == 400 && refused["code"] == "too_many_queues", "\(refused)")
        #expect(try await user.post("/list", ["src_siteid": 12, "src_filepath": "x", "queue": "q7"]).status == 200)
    }

    @Test func protocolsInEveryForm() async throws {
        let user = try await newPerson().user
        let forms: [(JSONValue, String)] = [
            (0, "GRIDFTP"), ("1", "SSH"), (2, "DUMMY"), ("ssh", "SSH"), ("Http", "HTTP"), ("LOCAL", "LOCAL"),
        ]
        for (form, name) in forms {
            let answer = try await user.post("/list", ["src_siteid": 12, "src_filepath": "x", "protocol": form])
            #expect(answer["protocol"]?.string == name, "\(answer)")
        }
        // The site's, where the job names none.
        #expect(try await user.post("/list", ["src_siteid": 1, "src_filepath": "x"])["protocol"] == "SSH")
        for wrong: JSONValue in [3, -1, "99", "no/such", "unheard-of", "", true, ["ssh"]] {
            let answer = try await user.post("/list", ["src_siteid": 12, "src_filepath": "x", "protocol": wrong])
            #expect(answer.status == 400 && answer["fields"]?.keys == ["protocol"], "\(wrong) \(answer)")
        }
    }

    /// POST, 400: what is missing or ill-typed, and the answer names every such field.
    @Test func everyWrongFieldIsNamed() async throws {
        let user = try await newPerson().user
        func fields(_ path: String, _ document: JSONValue) async throws -> Set<String> {
            let answer = try await user.post(path, document)
            #expect(answer.status == 400, "\(answer)")
            #expect(answer.headers["Content-Type"] == "application/problem+json")
            #expect(answer["code"] == "invalid_field" && answer["hint"] != nil && answer["detail"] != nil)
            return answer["fields"]?.keys ?? []
        }
        #expect(try await fields("/jobs", [:]) == ["type", "src_siteid", "src_filepath"])
        #expect(try await fields("/jobs", ["type": 9]) == ["type", "src_siteid", "src_filepath"])
        #expect(try await fields("/list", [:]) == ["src_siteid", "src_filepath"])
        #expect(try await fields("/copy", [:]) == ["src_siteid", "src_filepath", "dst_siteid", "dst_filepath"])
        #expect(try await fields("/rename", [:]) == ["src_siteid", "src_filepath", "dst_filepath"])
        #expect(try await fields("/remove", ["src_siteid": .null]) == ["src_siteid", "src_filepath"])
        #expect(try await fields("/mkdir", ["src_siteid": [], "src_filepath": 7]) == ["src_siteid", "src_filepath"])
        let wrong: JSONValue = [
            "src_siteid": 12, "src_filepath": "x", "priority": "high", "max_tries": 0, "extra_opts": [1], "queue": "",
            "label": 3,
        ]
        #expect(try await fields("/list", wrong) == ["priority", "max_tries", "extra_opts", "queue", "label"])
    }

    @Test(arguments: [
        ("priority", JSONValue.int(10)), ("priority", .int(-1)), ("priority", .double(4.5)), ("max_tries", .int(101)),
        ("max_tries", .int(0)), ("max_tries", .int(Int.max)), ("src_siteid", .int(4711)), ("src_siteid", .int(-1)),
        ("src_siteid", .string("nowhere")), ("src_siteid", .double(1e300)), ("src_filepath", .string("")),
        ("src_filepath", .string("a\u{0}b")), ("src_filepath", .string("a\nb")), ("src_filepath", .string("a\u{1b}b")),
        ("src_filepath", .string("a\u{7f}")), ("src_filepath", .string("a\u{85}")),
        ("src_filepath", .string("~other/x")), ("src_filepath", .string(String(repeating: "p", count: 4097))),
    ])
    func outOfRange(field: String, value: JSONValue) async throws {
        let user = try await newPerson().user
        var document: [String: JSONValue] = ["src_siteid": 12, "src_filepath": "x"]
        document[field] = value
        let answer = try await user.post("/list", .object(document))
        #expect(answer.status == 400 && answer["fields"]?.keys == [field], "\(answer)")
    }

    /// Paths: any UTF-8 but control characters, echoed as they were written.
    @Test(arguments: [
        "-rf", "--", "$(reboot)", "`id`", "a b", "ü/日本/🎈", "e\u{301}", "'\"\\", "..", "a;b|c&d", "%00%2e", "~/",
        "~", "/", "//a//b/", "*?[x]", "\u{202e}gnp.exe", String(repeating: "p", count: 4096),
    ])
    func pathsAreEchoed(path: String) async throws {
        let person = try await newPerson()
        let answer = try await person.user.post("/list", ["src_siteid": 12, "src_filepath": .string(path)])
        #expect(answer.status == 200)
        #expect(answer["src_filepath"]?.string?.utf8.elementsEqual(path.utf8) == true, "\(answer)")
        let shown = try await person.user.get("/jobs/\(answer["id"]?.int ?? 0)")
        #expect(shown["src_filepath"]?.string?.utf8.elementsEqual(path.utf8) == true, "\(shown)")
        let held = try await ActingWorker(sessionless: person.worker).takeOne()
        #expect(held.source.utf8.elementsEqual(path.utf8))
    }

    /// A source that is its own destination: 400, however it is spelled.
    @Test func ontoItself() async throws {
        let user = try await newPerson().user
        for (from, to) in [("a", "a"), ("/a/b", "/a//b/"), ("x", "~/x"), ("/a/../b", "/b"), ("~/./x", "x")] {
            let rename = try await user.post(
                "/rename", ["src_siteid": 12, "src_filepath": .string(from), "dst_filepath": .string(to)])
            #expect(rename.status == 400 && rename["fields"]?.keys == ["dst_filepath"], "\(rename)")
            let copy: [String: JSONValue] = [
                "src_siteid": 12, "src_filepath": .string(from), "dst_siteid": 12, "dst_filepath": .string(to),
            ]
            #expect(try await user.post("/copy", .object(copy)).status == 400)
            let other = copy.merging(["dst_siteid": 13]) { _, new in new }
            #expect(try await user.post("/copy", .object(other)).status == 200)
        }
    }

    /// REMOVE of a site's root: 400 unless confirmed.
    @Test func rootIsSpared() async throws {
        let user = try await newPerson().user
        for (site, path) in [
            (12, "/"), (12, "~"), (12, "~/"), (12, "."), (12, "a/.."), (5, "/srv/local-a/"), (3, "//"),
        ] {
            var document: [String: JSONValue] = ["src_siteid": .int(site), "src_filepath": .string(path)]
            let refused = try await user.post("/remove", .object(document))
            #expect(refused.status == 400 && refused["fields"]?.keys == ["src_filepath"], "\(path) \(refused)")
            document["extra_opts"] = ["confirm": false]
            #expect(try await user.post("/remove", .object(document)).status == 400)
            document["extra_opts"] = ["confirm": true]
            #expect(try await user.post("/remove", .object(document)).status == 200)
        }
        #expect(try await user.post("/remove", ["src_siteid": 12, "src_filepath": "/a"]).status == 200)
    }

    /// `extra_opts`: an ill-typed known option is a 400; an unknown one is kept and echoed.
    @Test func options() async throws {
        let person = try await newPerson()
        let wrong: [(String, JSONValue)] = [
            ("depth", "deep"), ("depth", -1), ("overwrite", "perhaps"), ("overwrite", true), ("verify", "md4"),
            ("parents", "yes"), ("symlinks", 1), ("confirm", "true"), ("sync", "yes"), ("checksum_algorithm", "crc32"),
            ("bandwidth", 1023), ("bandwidth", "1M"), ("streams", 0), ("streams", 65),
        ]
        for (name, value) in wrong {
            let answer = try await person.user.post(
                "/list", ["src_siteid": 1, "src_filepath": "x", "extra_opts": .object([name: value])])
            #expect(answer.status == 400 && answer["fields"]?.keys == ["extra_opts.\(name)"], "\(answer)")
        }
        let options: JSONValue = [
            "depth": 2, "overwrite": "always", "verify": "checksum", "parents": false, "symlinks": "follow",
            "sync": true, "checksum_algorithm": "adler32", "bandwidth": 1024, "streams": 64,
            "frobnicate": ["deep": [1, 2.5, .null, true, "ü\u{0}\n"]], "": "empty name",
        ]
        let id = try await person.list("/x", ["extra_opts": options])
        #expect(try await person.user.get("/jobs/\(id)")["extra_opts"] == options)
        let held = try await ActingWorker(person.worker).takeOne()
        #expect(held.job["extra_opts"] == options)
        // More than anyone needs would only wear out whoever reads lists of jobs.
        let huge = try await person.user.post(
            "/list",
            [
                "src_siteid": 1, "src_filepath": "x",
                "extra_opts": ["blob": .string(String(repeating: "b", count: 1 << 20))],
            ])
        #expect(huge.status == 400 && huge["fields"]?.keys == ["extra_opts"], "\(huge)")
    }

    /// Foreign fields are ignored: no one sets ids, states or owners.
    @Test func foreignFields() async throws {
        let person = try await newPerson()
        let answer = try await person.user.post(
            "/list",
            [
                "src_siteid": 12, "src_filepath": "x", "id": 4711, "status": "DONE", "user_id": 999_999_999,
                "log_uid": "../../etc", "attempts": 7, "timestamp": "1970-01-01T00:00", "dst_siteid": "no",
                "dst_filepath": 5, "password": "hunter2",
            ])
        #expect(answer.status == 200, "\(answer)")
        #expect(answer["id"] != 4711 && answer["status"] == "SUBMITTED" && answer["user_id"] != 999_999_999)
        #expect(!answer.text.contains("hunter2") && !answer.text.contains(".."))
        let shown = try await person.user.get("/jobs/\(answer["id"]?.int ?? 0)")
        #expect(!shown.text.contains("hunter2") && shown["dst_siteid"] == nil)
    }

    /// Priority 0 is served first; among equals the older job is.
    @Test func priorityZeroFirst() async throws {
        let person = try await newPerson()
        let order = [5, 0, 9, 0, 1]
        var ids: [Int] = []
        for priority in order { ids.append(try await person.list("/p\(priority)", ["priority": .int(priority)])) }
        let worker = try await ActingWorker(person.worker)
        var served: [Int] = []
        while let held = try await worker.take(1).first { served.append(held.jobID) }
        #expect(served == [ids[1], ids[3], ids[4], ids[0], ids[2]])
    }

    /// Ids: jobs count from 1, elements from 0, attempts from 1.
    @Test func firstIDs() async throws {
        let server = try await LiveServer.start()
        let person = try await server.person()
        #expect(try await person.list("/first") == 1)
        let held = try await ActingWorker(person.worker).takeOne()
        #expect(held.jobID == 1 && held.id == 0 && held.attempt == 1)
        await server.remove()
    }
}
