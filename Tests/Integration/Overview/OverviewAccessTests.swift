import Foundation
import HaulHTTP
import HaulModel
import HaulPlayground
import Support
import Testing

/// Who gets in to Overview's face, its clients, and what it answers to what is wrong.
@Suite(.server(), .timeLimit(.minutes(10))) struct OverviewAccessTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
    private static let wanted: KeyValuePairs<String, String> = ["server": "ssh-a", "documentSetId": "/d"]

    private func send(_ client: FaceClient, _ route: (method: String, path: String, isOpen: Bool)) async throws
        -> Answer
    {
        if route.method == "GET" { return try await client.get(route.path + "?server=ssh-a&documentSetId=/d") }
        return try await client.form(route.method, route.path, Self.wanted)
    }

    @Test func everyRouteAndRole() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let owner = FaceClient(person.user, OverviewRoutes.root)
        let reader = OverviewReader()
        let task = reader.follow(owner, Self.wanted)
        try await worker.finish(try await worker.takeOne(), ["listing": ["/d": []]])
        try await task.value
        func narrow(_ scope: String) async throws -> FaceClient {
            let made = try await person.user.post("/tokens", ["scopes": [.string(scope)]])
            return FaceClient(person.user.with(made["token"]?.string), OverviewRoutes.root)
        }
        let (reads, writes) = (try await narrow("jobs.read"), try await narrow("jobs.write"))
        for route in OverviewRoutes.all {
            for token in [nil, "garbage", "haul_unknown"] {
                let answer = try await send(FaceClient(server.anonymous.with(token), OverviewRoutes.root), route)
                #expect(answer.status == (route.isOpen ? 200 : 401), "\(route) \(answer)")
            }
            let isReading = route.method == "GET"
            for (visitor, status) in [
                (owner, 200), (isReading ? reads : writes, 200),
                (isReading ? writes : reads, route.isOpen ? 200 : 403),
                (FaceClient(person.worker, OverviewRoutes.root), route.isOpen ? 200 : 403),
            ] {
                let answer = try await send(visitor, route)
                #expect(answer.status == status, "\(route) \(answer)")
            }
        }
    }

    /// A token in the header as the original's clients show it, or in the form; never in a URL.
    @Test func tokens() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let task = OverviewReader().follow(FaceClient(person.user, OverviewRoutes.root), Self.wanted)
        try await worker.finish(try await worker.takeOne(), ["listing": ["/d": []]])
        try await task.value
        let token = person.user.token ?? ""
        var client = FaceClient(server.anonymous, OverviewRoutes.root)
        for name in ["api_token", "apiToken"] {
            let form: KeyValuePairs = ["server": "ssh-a", "documentSetId": "/d", name: token]
            #expect(try await client.form("POST", "/generate", form).text == "[]")
            let wrong: KeyValuePairs = ["server": "ssh-a", "documentSetId": "/d", name: "wrong"]
            #expect(try await client.form("POST", "/generate", wrong).status == 401)
            #expect(try await client.form("POST", "/generate?\(name)=\(token)", Self.wanted).status == 401)
            #expect(try await client.get("/search?server=ssh-a&documentSetId=/d&\(name)=\(token)").status == 401)
        }
        for (user, password, status) in [(token, "x-api-token", 200), (person.name, token, 200), (token, "", 401)] {
            client.headers = ["Authorization": "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"]
            let answer = try await client.form("POST", "/generate", Self.wanted)
            #expect(answer.status == status, "\(answer)")
            // What the header shows counts, whatever the form says.
            let both: KeyValuePairs = ["server": "ssh-a", "documentSetId": "/d", "api_token": token]
            #expect(try await client.form("POST", "/generate", both).status == status)
        }
    }

    @Test func wrongRequests() async throws {
        let person = try await newPerson()
        let client = FaceClient(person.user, OverviewRoutes.root)
        let bad: [KeyValuePairs<String, String>] = [
            [:], ["server": "ssh-a"], ["documentSetId": "/d"],
            ["server": "https://www.overviewdocs.com", "documentSetId": "1"],
            ["server": "", "documentSetId": "/d"], ["server": "ssh-a", "documentSetId": ""],
            ["server": "ssh-a", "documentSetId": "/a\u{0}"], ["server": "ssh-a", "documentSetId": "/a\nb"],
        ]
        for form in bad {
            let answer = try await client.form("POST", "/generate", form)
            #expect(answer.status == 400 && answer["code"]?.string != nil, "\(form) \(answer)")
        }
        let named = try await client.form("POST", "/generate", [:])
        #expect(named["fields"]?.keys == ["server", "documentSetId"], "\(named)")
        for body in ["%", "server=%zz", "server=%ff"] {
            #expect(try await client.send("POST", "/generate", Array(body.utf8)).status == 400, "\(body)")
        }
        #expect(try await client.json("POST", "/generate", ["server": "ssh-a"]).status == 400)
        let long = ["server": "ssh-a", "documentSetId": String(repeating: "x", count: 10 << 20)] as KeyValuePairs
        #expect(try await client.form("POST", "/generate", long).status == 413)
        #expect(try await client.get("/search").status == 400)
        #expect(try await client.get("/search?server=%ff").status == 400)
        #expect(try await client.get("/generate").status == 405)
        #expect(try await client.get("/nothing").status == 404)
        #expect(try await person.user.get("/jobs").text == "[]")
    }

    /// ijson reads the stream as it comes, and so does the page's script, in an engine for JavaScript; and the original's work queue, unchanged, runs a program that has haul do it.
    @Test func clients() async throws {
        // The suite's own has workers that only take what is theirs.
        let server = try await LiveServer.start()
        let worker = try await RealWorker.start(server)
        let token = try await server.token(user: "journalist", role: "user")
        for script in ["stream.py", "plugin.py", "page.py"] {
            let run = try await ProgramRun(
                executable: try PythonTool.path("python"), ["\(Self.folder)/Python/\(script)", server.url, token],
                environment: ["HOME": server.folder, "PYTHONDONTWRITEBYTECODE": "1"], atMost: .seconds(90))
            #expect(run.code == 0 && run.output.contains("all is well"), "\(run) \(worker.log.suffix(2000))")
        }
        await worker.stop()
        await server.remove()
    }
}
