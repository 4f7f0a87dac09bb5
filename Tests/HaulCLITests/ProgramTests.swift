import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import Testing

/// The real program against a scripted server.
@Suite struct ProgramTests {
    @Test func registersWhatWasTyped() async throws {
        let server = try ScriptedServer { _, _ in Documents.json(Documents.job(7)) }
        let run = try await HaulRun.run(
            [
                "copy", "--url", server.url, "--priority=0", "--tries", "3", "-o", "streams=4", "-oname=x",
                "--overwrite",
                "never", "--sync", "--bandwidth", "4096", "--key", "k1", "--label", "a b", "--", "ssh-a:/data/a:b c",
                "14:-x",
            ], ["HAUL_TOKEN": "secret"])
        #expect(run.code == 0 && run.output == "7\n" && run.errors.isEmpty)
        let request = try #require(server.requests.first)
        #expect(request.path == "/copy" && request.headers["Idempotency-Key"] == "k1")
        #expect(request.headers["Authorization"] == "Bearer secret")
        let body = try JSONDecoder().decode(JSONValue.self, from: Data(request.body))
        #expect(
            body == [
                "src_siteid": "ssh-a", "src_filepath": "/data/a:b c", "dst_siteid": 14, "dst_filepath": "-x",
                "priority": 0, "max_tries": 3, "label": "a b",
                "extra_opts": [
                    "streams": 4, "name": "x", "overwrite": "never", "sync": true, "bandwidth": 4096,
                ],
            ])
        await server.stop()
    }

    /// Queues are listed and changed.
    @Test func queues() async throws {
        let server = try ScriptedServer { request, _ in
            request.method == "GET"
                ? Documents.json(#"[{"name":"a b","paused":true},{"name":"q","paused":false,"limit":3}]"#)
                : Documents.json(#"{"name":"a b","paused":false,"limit":3}"#)
        }
        let list = try await HaulRun.run(["queues"], ["HAUL_URL": server.url])
        #expect(list.code == 0 && list.output == "a b\tpaused\t-\nq\topen\t3\n", "\(list)")
        let change = try await HaulRun.run(["queues", "a b", "--resume", "--limit", "3"], ["HAUL_URL": server.url])
        #expect(change.code == 0 && change.output == "a b\topen\t3\n", "\(change)")
        let none = try await HaulRun.run(["queues", "a b", "--limit", "none"], ["HAUL_URL": server.url])
        #expect(none.code == 0)
        let requests = server.requests.filter { $0.method == "PATCH" }
        #expect(requests.map(\.path) == ["/queues/a%20b", "/queues/a%20b"])
        let bodies = try requests.map { try JSONDecoder().decode(JSONValue.self, from: Data($0.body)) }
        #expect(bodies == [["paused": false, "limit": 3], ["limit": .null]])
        let one = try await HaulRun.run(["queues", "q"], ["HAUL_URL": server.url])
        #expect(one.code == 0 && one.output == "q\topen\t3\n", "\(one)")
        let nobody = try await HaulRun.run(["queues", "z"], ["HAUL_URL": server.url])
        #expect(nobody.code == 3 && nobody.errors.contains("no queue z"), "\(nobody)")
        for wrong in [["--limit", "3"], ["q", "--pause", "--resume"], ["q", "--limit", "0"]] {
            #expect(try await HaulRun.run(["queues"] + wrong, ["HAUL_URL": server.url]).code == 2, "\(wrong)")
        }
        await server.stop()
    }

    /// What a job waits for, and until when; and that nobody knows.
    @Test func explains() async throws {
        let server = try ScriptedServer { request, _ in
            request.path.hasSuffix("/3/explain")
                ? Documents.json(
                    #"{"status":"DONE","blockers":[{"code":"ended","detail":"It is DONE."}],"estimate":null}"#)
                : request.path.hasSuffix("/1/explain")
                    ? Documents.json(
                        #"{"status":"SUBMITTED","ahead":3,"blockers":[{"code":"site_down","detail":"Site a","until":"T1"}],"#
                            + #""estimate":{"starts":"T2","ends":"T3","basis":"5 elements"}}"#)
                    : Documents.json(
                        #"{"status":"SUBMITTED","blockers":[{"code":"queue_paused","detail":"q"}],"estimate":null}"#)
        }
        let run = try await HaulRun.run(["explain", "1"], ["HAUL_URL": server.url])
        #expect(
            run.output
                == "site_down: Site a until T1\nahead: 3\nestimate: starts T2, ends T3 (from 5 elements)\n", "\(run)")
        let none = try await HaulRun.run(["explain", "2"], ["HAUL_URL": server.url])
        #expect(none.output == "queue_paused: q\nestimate: none, nothing is known to go by\n", "\(none)")
        let ended = try await HaulRun.run(["explain", "3"], ["HAUL_URL": server.url])
        #expect(ended.code == 0 && ended.output == "ended: It is DONE.\n", "\(ended)")
        await server.stop()
    }

    @Test(arguments: [(404, 3), (401, 4), (403, 4), (400, 7), (409, 7), (413, 7), (500, 5), (503, 5)])
    func mapsStatusesToExitCodes(status: Int, code: Int) async throws {
        let problem =
            #"{"status":\#(status),"title":"t","code":"c","detail":"it\u001b[31m failed","hint":"do that","fields":{"f":"a number"}}"#
        let server = try ScriptedServer { _, _ in Documents.json(problem, status: status) }
        let run = try await HaulRun.run(["job", "3"], ["HAUL_URL": server.url])
        #expect(run.code == code && run.output.isEmpty)
        // Where a token is missing, what the server says of headers is of no use here.
        let hint = status == 401 ? "haul login; or give a good token: --token-file FILE, " : "do that\n"
        #expect(run.errors.hasPrefix("haul: it\\u{1b}[31m failed\n  f: a number\n  hint: \(hint)"), "\(run.errors)")
        await server.stop()
    }

    @Test(arguments: [
        ["frob"], ["list"], ["list", "a:b", "c:d"], ["list", "nocolon"], ["list", ":x"], ["list", "a:x\u{1}"],
        ["job", "x"],
        ["jobs", "--staus", "DONE"], ["jobs", "--status", "done?"], ["list", "a:b", "--priority", "10"],
        ["list", "a:b", "--wait=1"], ["job", "1", "--url"], ["job", "1"], [], ["job", "1", "--url", "ftp://x"],
        ["copy", "--from", "/nonexistent", "--url", "http://127.0.0.1:1"], ["job", "1", "--config", "/nonexistent"],
    ])
    func refusesBadCommandLines(words: [String]) async throws {
        let run = try await HaulRun.run(words)
        #expect(run.code == 2 && run.output.isEmpty && !run.errors.isEmpty)
    }

    @Test func suggestsWhatWasMeant() async throws {
        #expect(try await HaulRun.run(["help", "nosuch"]).errors.contains("hint: haul help lists the verbs"))
        let run = try await HaulRun.run(
            ["job", "1", "--url", "http://127.0.0.1:1"], ["HAUL_TOKEN_FILE": "/nonexistent/token"])
        #expect(run.code == 2 && run.errors.contains("No such file") && run.errors.contains("hint: --token-file, "))
        #expect(try await HaulRun.run(["lsit"]).errors.contains("did you mean list?"))
        #expect(try await HaulRun.run(["jobs", "--staus", "x"]).errors.contains("did you mean --status?"))
    }

    @Test func triesAgainWithTheSameKeyAndThenGivesUp() async throws {
        let run = try await HaulRun.run(["list", "a:b", "--url", "http://127.0.0.1:1"])
        #expect(run.code == 5 && run.errors.contains("cannot be reached"))
    }

    @Test func printsListsOfBothForms() async throws {
        for isArray in [true, false] {
            let rows = (1...2500).map { Documents.job($0, path: "/tab\\there {[\\\"") }
            let text = isArray ? "[" + rows.joined(separator: ",\n") + "]" : rows.joined(separator: "\n") + "\n"
            let server = try ScriptedServer { _, _ in Documents.json(text) }
            let run = try await HaulRun.run(["jobs", "--status", "DONE", "--url", server.url])
            let lines = run.output.split(separator: "\n")
            #expect(run.code == 0 && lines.count == 2500)
            #expect(lines.first?.split(separator: "\t").map(String.init)[6] == "12:/tab\\there {[\"")
            #expect(server.requests.first?.query("status") == "DONE")
            #expect(server.requests.first?.query("limit") == nil)
            let raw = try await HaulRun.run(["jobs", "--json", "--url", server.url])
            #expect(raw.output == rows.map { $0 + "\n" }.joined())
            await server.stop()
        }
    }

    /// A list that a full disk cut short is none.
    @Test func failsWhereItCannotWrite() async throws {
        let server = try ScriptedServer { _, _ in Documents.json(Documents.job(1)) }
        for command in [
            "exec \(HaulRun.program) jobs --url \(server.url) > /dev/full",
            "exec \(HaulRun.program) job 1 --url \(server.url) >&-",
        ] {
            let child = try await Child.start(
                Command(executable: "/bin/sh", arguments: ["-c", command], input: .null, output: .pipe, errors: .pipe))
            let run = try await HaulRun.finish(child)
            #expect(run.code == 74 && run.errors.hasPrefix("haul: the output cannot be written: "), "\(run)")
        }
        await server.stop()
    }

    /// `haul jobs | head -1` ends with its reader, and says nothing.
    @Test func endsWithItsReader() async throws {
        let rows = (1...20_000).map { Documents.job($0) }.joined(separator: "\n")
        let server = try ScriptedServer { _, _ in Documents.json(rows + "\n") }
        let command = "{ \(HaulRun.program) jobs --url \(server.url); echo $? >&2; } | head -1"
        let child = try await Child.start(
            Command(executable: "/bin/sh", arguments: ["-c", command], input: .null, output: .pipe, errors: .pipe))
        let run = try await HaulRun.finish(child)
        #expect(run.output.split(separator: "\n").count == 1 && run.errors == "141\n", "\(run)")
        await server.stop()
    }

    @Test func saysThatAListBrokeOff() async throws {
        let server = try ScriptedServer { _, _ in Documents.json("[" + Documents.job(1)) }
        let run = try await HaulRun.run(["jobs", "--url", server.url])
        #expect(run.code == 5 && run.errors.contains("broke off"))
        await server.stop()
    }

    @Test func noElementsOfAJobThatIsNotThereIsAnError() async throws {
        let server = try ScriptedServer { request, _ in
            request.path.hasSuffix("/status") ? Documents.json("{}", status: 404) : Documents.json("[]")
        }
        #expect(try await HaulRun.run(["elements", "9", "--url", server.url]).code == 3)
        await server.stop()
    }

    @Test func printsOutputs() async throws {
        let text =
            #"[{"jobid":1,"elementid":0,"attempt":1,"type":"LIST","status":"DONE","log":"l\u001b1","listing":{"/d":["s/","f"]}}]"#
        let server = try ScriptedServer { _, _ in Documents.json(text) }
        let run = try await HaulRun.run(["output", "1", "--url", server.url])
        #expect(run.output == "=== job 1 element 0 attempt 1 LIST DONE\nl\u{1B}1\n/d/f\n/d/s/\n")
        let raw = try await HaulRun.run(["output", "1", "--json", "--url", server.url])
        #expect(raw.output == text + "\n")
        let seen = try await HaulRun.onTerminal("\(HaulRun.program) output 1 0 -1 --url \(server.url)")
        #expect(seen.output == "=== job 1 element 0 attempt 1 LIST DONE\r\nl\\u{1b}1\r\n/d:\r\n  f\r\n  s/\r\n")
        #expect(server.requests.last?.path == "/jobs/1/elements/0/output/-1")
        await server.stop()
    }

    @Test func registersAFileInGroups() async throws {
        let server = try ScriptedServer { request, number in
            let count = request.body.count { $0 == 0x0A }
            return Documents.json("[" + (0..<count).map { "\(number * 10_000 + $0)" }.joined(separator: ",") + "]")
        }
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        let lines = (0..<10_050).map { "a:/f\($0) b:/f\($0)" } + ["# no job", "", "a:/x y\tb:/z", #"{"src_siteid":1}"#]
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let run = try await HaulRun.run(["copy", "--from", path, "--key", "k", "--priority", "1", "--url", server.url])
        #expect(run.code == 0)
        #expect(run.output.split(separator: "\n").map(String.init) == (0..<10_052).map { "\($0)" })
        #expect(server.requests.map { $0.headers["Idempotency-Key"] } == ["k-1", "k-2"])
        #expect(String(decoding: server.requests[1].body, as: UTF8.self).contains(#""src_filepath":"/x y""#))
        #expect(String(decoding: server.requests[1].body, as: UTF8.self).contains(#""priority":1"#))
        await server.stop()
    }

    @Test func keepsTheTokenOfTheConfigForItsOwnServer() async throws {
        let server = try ScriptedServer { _, _ in Documents.json(Documents.job(1)) }
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("{url: '\(server.url)/', token: 'abc'}".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let run = try await HaulRun.run(["job", "1", "--config", path])
        #expect(run.code == 0 && run.errors.contains("chmod 600"))
        #expect(server.requests.last?.headers["Authorization"] == "Bearer abc")
        let other = try await HaulRun.run(
            ["job", "1", "--config", path, "--url", server.url.replacing("127.0.0.1", with: "localhost")])
        #expect(other.code == 0 && server.requests.last?.headers["Authorization"] == nil)
        await server.stop()
    }
}

/// `haul protocol`, which needs no server of haul's.
@Suite struct ProtocolVerbTests {
    @Test func saysWhichProtocolsThereAreNot() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder + "/bad", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("{".utf8).write(to: URL(filePath: folder + "/bad/protocol.json"))
        let list = try await HaulRun.run(["protocol", "list", "--protocols", folder])
        #expect(list.code == 0 && list.output.isEmpty && list.errors.hasPrefix("cannot run here: "))
        let check = try await HaulRun.run(["protocol", "check", "bad", "--against", "x://h/d", "--protocols", folder])
        #expect(check.code == 3)
        #expect(try await HaulRun.run(["protocol", "frob"]).code == 2)
    }

    /// Without --protocols: the folder of where it is typed, else that of the installation, else none and a hint.
    @Test func findsTheProtocolsOfItsInstallation() async throws {
        // Beside the program, since a link of it is its own place only on the same disk.
        let top = URL(filePath: HaulRun.program).deletingLastPathComponent().path + "/installed-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: top) }
        try FileManager.default.createDirectory(atPath: top + "/bin", withIntermediateDirectories: true)
        try FileManager.default.linkItem(atPath: HaulRun.program, toPath: top + "/bin/haul")
        func list() async throws -> HaulRun {
            let child = try await Child.start(
                Command(
                    executable: top + "/bin/haul", arguments: ["protocol", "list"],
                    environment: HaulRun.environment([:]), directory: top, input: .null, output: .pipe, errors: .pipe))
            return try await HaulRun.finish(child)
        }
        let none = try await list()
        #expect(none.code == 3 && none.output.isEmpty && none.errors.contains("hint: --protocols FOLDER"), "\(none)")
        let folder = top + "/share/haul/protocols/one"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let manifest = #"{"schema": 1, "name": "one", "backend": ["/bin/false"], "operations": {"list": {}}}"#
        try Data(manifest.utf8).write(to: URL(filePath: folder + "/protocol.json"))
        let found = try await list()
        #expect(found.code == 0 && found.output == "one\tlist\t\n", "\(found)")
    }

    /// What the worker's side has to be told is said, once.
    @Test func asksForSettings() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/one", withIntermediateDirectories: true)
        let manifest =
            #"{"schema": 1, "name": "one", "backend": ["run"], "operations": {"list": {}}, "#
            + #""settings": [{"name": "roots", "type": "list", "summary": "where"}]}"#
        try Data(manifest.utf8).write(to: URL(filePath: folder + "/one/protocol.json"))
        let script = """
            #!/bin/sh
            read -r batch
            read -r element
            printf '{"type":"result","id":"1.0.1","outcome":"failed","class":"invalid","reason":"no roots","returncode":1,"transferred":0}\\n'
            """
        try Data(script.utf8).write(to: URL(filePath: folder + "/one/run"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/one/run")
        let run = try await HaulRun.run(["protocol", "check", "--against", "one:///d", "--protocols", folder])
        #expect(run.code == 1 && run.output.split(separator: "\n").count == 1, "\(run)")
        #expect(run.output.contains("list /d: invalid: no roots"), "\(run)")
        #expect(run.errors.contains("--setting roots=... (where)"), "\(run)")
    }

    /// The scheme of the URL chooses the protocol, or has to fit the one that is named. The backends fail at once.
    @Test func takesTheSchemeAtItsWord() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, schemes) in [("one", #""schemes": ["uno", "Unos"],"#), ("two", "")] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            let manifest = """
                {"schema": 1, "name": "\(name)", \(schemes) "backend": ["/bin/false"], "operations": {"list": {}}}
                """
            try Data(manifest.utf8).write(to: URL(filePath: "\(folder)/\(name)/protocol.json"))
        }
        func check(_ words: String...) async throws -> HaulRun {
            try await HaulRun.run(["protocol", "check"] + words + ["--protocols", folder])
        }
        let other = try await check("two", "--against", "unos://h/d")
        #expect(other.code == 2 && other.errors.contains("unos is no scheme of the protocol two"))
        #expect(other.errors.contains("one of the protocol one") && other.errors.contains("names: two"))
        #expect(try await check("one", "--against", "one://h/d").code == 2)
        let none = try await check("--against", "ftp://h/d")
        #expect(none.code == 3 && none.errors.contains("has the scheme ftp"))
        for url in ["UNOS://h/d", "two://h/d"] {
            let run = try await check("--against", url)
            #expect(run.code == 1 && run.errors.contains("cases fail"), "\(run)")
        }
        #expect(try await check("one", "--against", "uno://h/d").code == 1)
    }
}
