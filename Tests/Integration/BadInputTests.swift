import HaulHTTP
import HaulModel
import HaulWire
import Support
import Testing

/// What is no proper request, and what it gets. Nothing of it may crash or stall the server for others.
@Suite(.server { $0.requestSeconds = 10 }) struct BadInputTests {
    /// 400 with line and column.
    @Test(arguments: [
        ("", "line 1, column 1"), ("{", "line 1, column 2"), ("{\n\"a\": 1,\n}", "line 3, column 1"),
        ("nope", "line 1, column 1"), ("{'a': 1}", "line 1, column 2"), ("{\"a\": 01}", "line 1, column 8"),
        ("{\"a\": 1} x", "line 1, column 10"), ("{\"a\": NaN}", "line 1, column 7"),
        ("{\"a\": 1e999}", "line 1, column 7"),
        ("{\"a\": \"\\ud800\"}", "line 1"), ("{\"a\": \"\n\"}", "line 1"), ("\u{feff}{}", "line 1, column 1"),
        ("{\"a\"", "line 1, column 5"), ("[1,]", "line 1, column 4"), ("{} {}", "line 1, column 4"),
    ])
    func noJSON(body: String, place: String) async throws {
        let person = try await newPerson()
        for path in ["/jobs", "/list", "/copy"] {
            let answer = try await person.user.send(
                "POST", path, Array(body.utf8), headers: ["Content-Type": "application/json"])
            #expect(answer.status == 400 && answer["code"] == "invalid_json", "\(path) \(answer)")
            #expect(answer["detail"]?.string?.contains(place) == true, "\(answer)")
        }
        for path in ["/worker/jobs", "/worker/register", "/worker/heartbeat", "/worker/results"] {
            #expect(try await person.worker.send("POST", path, Array(body.utf8)).status == 400)
        }
    }

    /// Hints that say what to do.
    @Test func hints() async throws {
        let person = try await newPerson()
        let job = #"{"type": "MKDIR", "src_siteid": 1, "src_filepath": "/a"}"#
        let lines = try await person.user.send("POST", "/jobs", Array("\(job)\n\(job)\n".utf8))
        #expect(lines.status == 400 && lines["hint"]?.string?.contains("application/x-ndjson") == true, "\(lines)")
        let one = try await person.user.send("POST", "/mkdir", Array("\(job)\n\(job)\n".utf8))
        #expect(one.status == 400 && one["hint"]?.string?.contains("ndjson") == false, "\(one)")
        let site = try await person.user.post("/mkdir", ["src_siteid": "nosuch", "src_filepath": "/a"])
        #expect(site["detail"]?.string?.contains("\"nosuch\"") == true, "\(site)")
        #expect(site["detail"]?.string?.contains("haul sites") == true, "\(site)")
        let number = try await person.user.get("/jobs/x")
        #expect(number.status == 404 && number["detail"]?.string?.contains("\"x\" is no number") == true, "\(number)")
        let types = try await person.worker.post("/worker/jobs", ["types": ["LIST", "BOGUS"]])
        let said = types["fields"]?.object?["types"]?.string ?? ""
        #expect(types.status == 400 && said.contains("LIST (0)") && said.contains("\"BOGUS\" is none"), "\(types)")
        let bare = try await person.worker.with(nil).put("/worker/jobs/1/elements/0/monitoring", ["transferred": 1])
        #expect(bare.status == 401 && bare["hint"]?.string?.contains("came with the element") == true, "\(bare)")
    }

    @Test func bytesThatAreNoText() async throws {
        let person = try await newPerson()
        let nested = String(repeating: "[", count: 100_000)
        let bodies: [[UInt8]] = [
            [0xff, 0xfe], [0], Array("{\"src_filepath\": \"".utf8) + [0xc3, 0x28] + Array("\"}".utf8),
            Array(nested.utf8), Array(("{\"a\":" + nested).utf8), Array("{\"a\": 1".utf8) + [0],
        ]
        for body in bodies {
            #expect(try await person.user.send("POST", "/list", body).status == 400)
            #expect(try await person.user.send("POST", "/jobs", body).status == 400)
        }
    }

    /// Wrong types and absurd numbers where an object is expected.
    @Test(arguments: ["null", "1", "\"x\"", "true", "[]", "[[]]", "-1e308", "[null]"])
    func noObject(body: String) async throws {
        let person = try await newPerson()
        for path in ["/list", "/copy", "/remove", "/rename", "/mkdir"] {
            let answer = try await person.user.send("POST", path, Array(body.utf8))
            #expect(answer.status == 400 && answer["code"] == "no_object", "\(answer)")
        }
        for path in ["/worker/jobs", "/worker/register", "/worker/heartbeat"] {
            #expect(try await person.worker.send("POST", path, Array(body.utf8)).status == 400)
        }
    }

    /// A path of a mebibyte: 400; bodies past their limits: 413, also when they say nothing of their length.
    @Test func tooLarge() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let long = String(repeating: "p", count: 1 << 20)
        let path = try await person.user.post("/list", ["src_siteid": 1, "src_filepath": .string(long)])
        #expect(path.status == 400 && path["fields"]?.keys == ["src_filepath"])
        #expect(path.body.count < 4096, "an error does not echo a mebibyte")
        let bytes = [UInt8](repeating: 0x20, count: (32 << 20) + 1)
        for (path, count) in [("/jobs", (32 << 20) + 1), ("/list", (2 << 20) + 1)] {
            let answer = try await person.user.send("POST", path, Array(bytes.prefix(count)))
            #expect(answer.status == 413 && answer["code"] == "too_large", "\(answer)")
        }
        #expect(try await person.user.send("POST", "/jobs", Array(bytes.prefix(32 << 20))).status == 400)
        let raw = try RawConnection(port: server.port)
        let token = try #require(person.user.token)
        await raw.send(
            "POST \(WirePath.root)/list HTTP/1.1\r\nHost: h\r\nX-Token: \(token)\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = "100000\r\n" + String(repeating: " ", count: 1 << 20) + "\r\n"
        for _ in 0..<4 { await raw.send(chunk) }
        #expect(await raw.read { $0.contains("413") }.hasPrefix("HTTP/1.1 413"))
    }

    /// A body that never ends, however steadily it drips: 408.
    @Test func endlessBody() async throws {
        let server = try LiveServer.ofSuite
        let token = try #require(try await newPerson().user.token)
        let raw = try RawConnection(port: server.port)
        await raw.send(
            "POST \(WirePath.root)/jobs HTTP/1.1\r\nHost: h\r\nX-Token: \(token)\r\nContent-Length: 1000000\r\n\r\n")
        let dripping = Task {
            while !Task.isCancelled, await raw.send(" ") { try await Task.sleep(for: .milliseconds(100)) }
        }
        let text = await raw.read(seconds: 60) { $0.contains("\r\n\r\n") }
        dripping.cancel()
        #expect(text.hasPrefix("HTTP/1.1 408"), "\(text)")
        #expect(text.contains("application/problem+json"))
        #expect(try await newPerson().user.get("/jobs").status == 200)
    }

    /// A header of 64 KiB: 431.
    @Test func longHeader() async throws {
        let server = try LiveServer.ofSuite
        let raw = try RawConnection(port: server.port)
        let padding = String(repeating: "x", count: 64 << 10)
        await raw.send("GET \(WirePath.root)/jobs HTTP/1.1\r\nHost: h\r\nX-Long: \(padding)\r\n\r\n")
        let answer = await raw.read { $0.contains("\r\n\r\n") }
        #expect(answer.hasPrefix("HTTP/1.1 431"), "\(answer.prefix(200))")
        let line = try RawConnection(port: server.port)
        await line.send("GET \(WirePath.root)/\(padding) HTTP/1.1\r\nHost: h\r\n\r\n")
        let long = await line.read { $0.contains("\r\n\r\n") }
        #expect(long.hasPrefix("HTTP/1.1 414") || long.hasPrefix("HTTP/1.1 431"), "\(long.prefix(200))")
        #expect(try await newPerson().user.get("/jobs").status == 200)
    }

    /// Unknown route: 404; wrong method: 405 with `Allow`.
    @Test func routes() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        for path in ["", "/", "/job", "/jobs/1/2/3/4/5/6", "/worker", "/worker/job", "/jobs/1/elements/0/log", "/JOBS"]
        {
            let answer = try await person.user.get(path)
            #expect(answer.status == 404 && answer["code"] == "no_such_route", "\(path) \(answer)")
            #expect(answer.headers["Content-Type"] == "application/problem+json")
        }
        for path in ["/", "/workqueue", "/workqueue/api/v2.0/jobs", "/etc/passwd", "/../../etc/passwd", "//"] {
            let raw = try RawConnection(port: server.port)
            await raw.send("GET \(path) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            let answer = await raw.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 404") && answer.contains("application/problem+json"), "\(answer)")
        }
        let wrong = [
            ("DELETE", "/list", "POST"), ("GET", "/copy", "POST"), ("PUT", "/jobs", "GET, HEAD, POST"),
            ("POST", "/jobs/1/status", "GET, HEAD"), ("POST", "/jobs/1/output", "GET, HEAD"),
            ("PUT", "/jobs/1/elements", "GET, HEAD"), ("GET", "/worker/jobs", "POST"),
            ("POST", "/worker/jobs/1/elements/0", "PUT"), ("BREW", "/jobs", "GET, HEAD, POST"),
        ]
        for (method, path, allowed) in wrong {
            let answer = try await person.user.send(method, path)
            #expect(answer.status == 405 && answer["code"] == "method", "\(method) \(path) \(answer)")
            #expect(answer.headers["Allow"] == allowed)
            #expect(answer.headers["Content-Type"] == "application/problem+json")
        }
        let head = try await person.user.send("HEAD", "/jobs")
        #expect(head.status == 200 && head.body.isEmpty)
        #expect(try await person.user.get("/jobs/").status == 200, "a slash at the end names the same")
    }

    /// Broken percent escapes and NUL: 400.
    @Test(arguments: ["%", "%zz", "%0", "%00", "%ff", "%c3%28", "a%", "1%00"])
    func brokenEscapes(text: String) async throws {
        let person = try await newPerson()
        for path in ["/jobs/\(text)", "/jobs?queue=\(text)", "/jobs/1/elements/\(text)/output"] {
            let answer = try await person.user.get(path)
            let codes: [JSONValue?] = ["bad_encoding", "bad_request"]
            #expect(answer.status == 400 && codes.contains(answer["code"]), "\(path) \(answer)")
        }
        let put = try await person.worker.put("/worker/jobs/1/elements/\(text)", [:])
        #expect(put.status == 400, "\(put)")
    }

    /// What is no HTTP at all.
    @Test func noHTTP() async throws {
        let server = try LiveServer.ofSuite
        let attacks: [[UInt8]] = [
            [0x16, 3, 1, 2, 0, 1, 0], Array("\r\n\r\n\r\n".utf8), Array(repeating: 0, count: 70_000),
            Array("GET\r\n\r\n".utf8), Array("GET / HTTP/9.9\r\n\r\n".utf8), Array("SSH-2.0-x\r\n".utf8),
            Array("POST /jobs HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n".utf8),
            Array("POST /jobs HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n".utf8),
            Array("POST /jobs HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n".utf8),
            Array("GET /jobs HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n".utf8),
        ]
        for attack in attacks {
            let raw = try RawConnection(port: server.port)
            await raw.send(attack)
            raw.hangUp()
        }
        for _ in 0..<50 {
            let raw = try RawConnection(port: server.port)
            raw.sendNow("POST \(WirePath.root)/jobs HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{\"ty")
            raw.reset()
        }
        #expect(try await newPerson().user.get("/jobs").status == 200)
    }

    /// Texts that end up in headers of logs, rows and answers.
    @Test func hostileTexts() async throws {
        let person = try await newPerson()
        let texts = [
            "a\u{0}b", "x\r\nSet-Cookie: a=b", "=== element 9 attempt 9", "'; DROP TABLE jobs; --", "%s%n", "../../x",
        ]
        for text in texts {
            let worker = try await ActingWorker(person.worker, name: text + person.name)
            let id = try await person.register(
                "mkdir", ["src_siteid": 1, "src_filepath": "/d", "max_tries": 1])
            let held = try await worker.takeOne()
            let answer = try await worker.report(
                held, 1,
                [
                    "host": .string(text), "log": .string(text), "reason": .string(text), "checksum": .string(text),
                    "error_class": .string(text), "timestamp": .string(text),
                ])
            #expect(answer.status == 200, "\(answer)")
            let element = try await person.user.get("/jobs/\(id)/elements/0")
            // PostgreSQL has no text with a zero in it.
            let kept = TestDatabase.isPostgreSQL ? text.replacing("\0", with: "\u{FFFD}") : text
            #expect(element["reason"]?.string == kept, "\(element)")
            #expect(try await person.user.get("/jobs/\(id)/output")[0]?["log"]?.string == text)
            for query in ["queue", "user", "site", "since", "status"] {
                let escaped = text.utf8.map { "%" + String(Int($0) + 256, radix: 16).dropFirst() }.joined()
                let listed = try await person.user.get("/jobs?\(query)=\(escaped)")
                #expect([200, 400, 403].contains(listed.status), "\(listed)")
                #expect(listed.headers["Set-Cookie"] == nil)
            }
        }
    }
}
