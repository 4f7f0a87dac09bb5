import Foundation
import FoundationXML
import HaulHTTP
import HaulModel
import Support
import Testing

/// Who gets in to the UWS face, and what it answers to what is wrong.
@Suite(.server(), .timeLimit(.minutes(6))) struct UWSAccessTests {
    private func client() async throws -> (Person, UWSClient) {
        let person = try await newPerson()
        return (person, UWSClient(person.user))
    }

    private func make(_ client: UWSClient) async throws -> String {
        try await client.make("mkdir", ["src_siteid": "1", "src_filepath": "/d"])
    }

    /// Every route with every role, another's job, and a token that is narrower than its role.
    @Test func everyRouteAndRole() async throws {
        let server = try LiveServer.ofSuite
        let (person, owner) = try await client()
        let other = try await newPerson()
        let boss = try await server.caller(user: "chief", role: "operator")
        func narrow(_ scope: String) async throws -> UWSClient {
            let made = try await person.user.post("/tokens", ["scopes": [.string(scope)]])
            return UWSClient(person.user.with(made["token"]?.string))
        }
        let (reader, writer) = (try await narrow("jobs.read"), try await narrow("jobs.write"))
        for route in UWSRoutes.all {
            let isReading = route.method == "GET"
            let ownsJob = route.path.contains(":job")
            func place() async throws -> String {
                let job = try await make(owner)
                return route.path.replacing("/:list/:job", with: job).replacing(":list", with: "mkdir")
                    .replacing(":name", with: route.path.contains("results") ? "result" : "src_filepath")
            }
            func send(_ client: UWSClient, _ path: String) async throws -> Answer {
                try await client.send(route.method, path, form: isReading ? nil : form(path))
            }
            for token in [nil, "garbage", "haul_unknown"] {
                let answer = try await send(UWSClient(server.anonymous.with(token)), try await place())
                #expect(answer.status == 401, "\(route) \(answer)")
                #expect(answer.headers["WWW-Authenticate"] == "Basic realm=\"haul\"")
                #expect(answer.headers["Content-Type"]?.hasPrefix("text/plain") == true)
            }
            #expect(try await send(UWSClient(person.worker), try await place()).status == 403, "\(route) worker")
            #expect(try await send(isReading ? writer : reader, try await place()).status == 403, "\(route) scope")
            if ownsJob {
                let path = try await place()
                let answer = try await send(UWSClient(other.user), path)
                #expect(answer.status == 403 && !answer.text.contains(person.name), "\(route) \(answer)")
                let nowhere = path.replacing(#/mkdir\/\d+/#, with: "mkdir/999999")
                #expect(try await send(owner, nowhere).status == 404, "\(route) absent")
                #expect(try await send(owner, path.replacing("/mkdir/", with: "/copy/")).status == 404, "\(route)")
            }
            // A job that was not run has neither error nor results.
            let isNothing = ["error", "results/:name"].contains { route.path.hasSuffix($0) }
            let expected = isNothing ? 404 : isReading ? 200 : 303
            for visitor in [owner, isReading ? reader : writer] {
                let answer = try await send(visitor, try await place())
                #expect(answer.status == expected, "\(route) \(answer)")
            }
            // An operator has no say in what another's job does.
            let isOwners = route.method == "PUT"
            let answer = try await send(UWSClient(boss), try await place())
            #expect(answer.status == (isOwners ? 403 : expected), "\(route) \(answer)")
        }
        let job = try await make(owner)
        for form in [["PHASE": "RUN"], ["src_filepath": "/e"]] as [KeyValuePairs] {
            #expect(try await UWSClient(boss).send("POST", job, form: form).status == 403, "\(form)")
        }
        #expect(try await owner.phase(job) == "PENDING")
        try await UWSClient(boss).post(job, ["PHASE": "ABORT"])
        #expect(try await owner.phase(job) == "ABORTED")
    }

    /// What is posted to a part of a job says what that shall be.
    private func form(_ path: String) -> KeyValuePairs<String, String> {
        switch path.split(separator: "/").last {
        case "phase": ["PHASE": "ABORT"]
        case "executionduration": ["EXECUTIONDURATION": "60"]
        case "destruction": ["DESTRUCTION": "2040-01-01"]
        default: [:]
        }
    }

    /// A part of a job that is posted to without what it shall be: nothing is done, not even of what else is said.
    @Test func missingParameters() async throws {
        let (_, client) = try await client()
        let job = try await make(client)
        let others: KeyValuePairs = ["RUNID": "x", "src_filepath": "/e"]
        for part in ["phase", "executionduration", "destruction"] {
            for form in [[:], others] {
                let answer = try await client.send("POST", "\(job)/\(part)", form: form)
                #expect(answer.status == 400 && answer.text.contains(part.uppercased()), "\(part) \(answer)")
                #expect(answer.headers["Content-Type"]?.hasPrefix("text/plain") == true)
            }
            #expect(try await client.send("POST", "\(job)/\(part)").status == 400, "\(part), without a body")
        }
        #expect(try await client.get(job + "/parameters/src_filepath").text == "/d")
        #expect(try await client.get(job).element("runId") == nil)
        // It may stand in the query; an empty time is none; the job itself and its parameters need nothing.
        #expect(try await client.send("POST", job + "/executionduration?executionDuration=9").status == 303)
        #expect(try await client.get(job + "/executionduration").text == "9")
        try await client.post(job + "/destruction", ["DESTRUCTION": "2040-01-01"])
        try await client.post(job + "/destruction", ["DESTRUCTION": ""])
        #expect(try await client.get(job + "/destruction").text == "")
        for path in [job, job + "/parameters"] { try await client.post(path, [:]) }
        #expect(try await client.send("POST", job + "/phase?phase=RUN").status == 303)
        #expect(try await client.phase(job) == "QUEUED")
    }

    /// Names with passwords and tokens, as clients of UWS show them.
    @Test func basic() async throws {
        let server = try LiveServer.ofSuite
        let (person, owner) = try await client()
        let job = try await make(owner)
        let token = person.user.token ?? ""
        func status(_ user: String, _ password: String) async throws -> Int {
            var client = UWSClient(server.anonymous)
            client.headers = ["Authorization": "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"]
            return try await client.get(job).status
        }
        #expect(try await status(person.name, token) == 200)
        #expect(try await status(token, "x-api-token") == 200)
        #expect(try await status(person.name, "wrong") == 401)
        #expect(try await status("somebody", token) == 401)
    }

    @Test func wrongRequests() async throws {
        let (_, client) = try await client()
        let job = try await make(client)
        let bad: [(String, String, KeyValuePairs<String, String>?)] = [
            ("GET", "/mkdir?PHASE=RUNNING", nil), ("GET", "/mkdir?AFTER=yesterday", nil), ("GET", "/mkdir?LAST=0", nil),
            ("GET", "/mkdir?LAST=x", nil), ("GET", "/mkdir?PHASE=", nil), ("GET", "/mkdir?LAST=1%FF", nil),
            ("POST", "/mkdir", ["PHASE": "ABORT"]), ("POST", "/mkdir", ["EXECUTIONDURATION": "-1"]),
            ("POST", "/mkdir", ["EXECUTIONDURATION": "soon"]), ("POST", "/mkdir", ["DESTRUCTION": "soon"]),
            ("POST", "/mkdir", ["RUNID": "a\u{1}"]), ("POST", "/mkdir", ["RUNID": String(repeating: "x", count: 257)]),
            ("POST", job + "/phase", ["PHASE": "SUSPEND"]), ("POST", job, ["ACTION": "DROP"]),
            ("POST", job + "/executionduration", ["EXECUTIONDURATION": "1e3"]),
            ("POST", job + "/destruction", ["DESTRUCTION": "2015-13-01"]),
            ("POST", job + "/parameters", ["src_filepath": String(repeating: "x", count: 100_000)]),
            ("POST", job, ["RUNID": String(repeating: "x", count: 257)]), ("POST", job, ["RUNID": "a\u{1}"]),
            ("POST", "/mkdir", ["RUNID": String(repeating: "x", count: 257)]),
        ]
        for (method, path, form) in bad {
            let answer = try await client.send(method, path, form: form)
            #expect(answer.status == 400, "\(method) \(path): \(answer)")
            #expect(answer.headers["Content-Type"]?.hasPrefix("text/plain") == true && answer.text.count > 10)
        }
        let bodies: [(Int, String, String)] = [
            (415, "application/json", "{}"), (400, "application/x-www-form-urlencoded", "a=%"),
            (400, "multipart/form-data", "--x--"), (400, "multipart/form-data; boundary=x", "nothing"),
            (413, "application/x-www-form-urlencoded", "src_filepath=" + String(repeating: "x", count: 10 << 20)),
            (413, "multipart/form-data; boundary=x", String(repeating: "--x\r\n", count: 2 << 20)),
        ]
        for (status, type, body) in bodies {
            let answer = try await client.send("POST", "/mkdir", body: Array(body.utf8), type: type)
            #expect(answer.status == status, "\(type): \(answer)")
            #expect(answer.headers["Content-Type"]?.hasPrefix("text/plain") == true && answer.text.count > 10)
        }
        for path in ["/", "/jobs", "/mkdir/1/2/3", "/mkdir/x", "/mkdir/-1", "/mkdir/1e0", job + "/nothing", "/MKDIR"] {
            #expect(try await client.get(path).status == 404, "\(path)")
        }
        let wrong = try await client.send("PUT", job + "/phase", body: Array("RUN".utf8))
        #expect(wrong.status == 405 && wrong.headers["Allow"] == "GET, HEAD, POST")
        #expect(try await client.phase(job) == "PENDING")
        #expect(try !LiveServer.ofSuite.log.contains("request failed"))
    }

    /// As many options as a body holds: what they cost grows with them, not with their square.
    @Test func veryManyParameters() async throws {
        let (_, client) = try await client()
        let all = (0..<60_000).map { "\"o\($0)\":0" }.joined(separator: ",")
        let some = (0..<4000).map { "\"O\($0)\":0" }.joined(separator: ",")
        let job = try await client.make("mkdir", ["extra_opts": "{\(some)}"])
        func post(_ path: String, _ options: String) async throws -> Int {
            let body = "--x\r\nContent-Disposition: form-data; name=\"extra_opts\"\r\n\r\n{\(options)}\r\n--x--\r\n"
            return try await client.send(
                "POST", path, body: Array(body.utf8), type: "multipart/form-data; boundary=x"
            ).status
        }
        for _ in 0..<4 {
            #expect(try await post("/mkdir", all) == 400)
            #expect(try await post(job, all) == 400)
            #expect(try await post(job, some.lowercased()) == 303)
        }
        #expect(try await client.get(job + "/parameters/o7").text == "0")
    }

    /// Text that wants to be something else comes back as it was given, as far as XML can hold it.
    @Test func hostileParameters() async throws {
        let (person, client) = try await client()
        let hostile = "</uws:parameter><x a=\"&b;\">]]>\u{1}\u{FFFF}\u{7F}é\u{1F600}\r\n"
        let job = try await client.make(
            "list", ["src_filepath": hostile, hostile: hostile, "src_siteid": "1", "": "x"])
        let id = String(job.split(separator: "/").last ?? "")
        #expect(try await client.get(job + "/parameters/src_filepath").text == hostile)
        #expect(try await person.user.get("/jobs/\(id)/parameters")["extra_opts"]?[hostile] == .string(hostile))
        for path in [job, job + "/parameters", "/list"] {
            let parser = XMLParser(data: Data(try await client.get(path).body))
            #expect(parser.parse(), "\(path): \(String(describing: parser.parserError))")
        }
        try await client.post(job, ["PHASE": "RUN"])
        #expect(try await client.phase(job) == "ERROR")
        let parser = XMLParser(data: Data(try await client.get(job).body))
        #expect(parser.parse())
    }
}
