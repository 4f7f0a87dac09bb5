import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// Who gets in to the qdo face, and what it answers to what is wrong.
@Suite(.server(), .timeLimit(.minutes(6))) struct QdoAccessTests {
    /// Every route with every role, another's queue, and a token that is narrower than its role.
    @Test func everyRouteAndRole() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let other = try await newPerson()
        let owner = QdoClient(person)
        let boss = QdoClient(try await server.caller(user: "chief", role: "operator"), user: person.name)
        func narrow(_ scope: String) async throws -> QdoClient {
            let made = try await person.user.post("/tokens", ["scopes": [.string(scope)]])
            return QdoClient(person.user.with(made["token"]?.string), user: person.name)
        }
        let (reader, writer) = (try await narrow("jobs.read"), try await narrow("jobs.write"))
        for route in QdoRoutes.all {
            let isReading = route.method == "GET"
            let makes = route.method == "PUT" && route.path.hasSuffix(":queue")
            func send(_ client: QdoClient) async throws -> Answer {
                let queue = "q" + UUID().uuidString.prefix(8)
                var task = "0"
                if route.path.contains(":queue"), !makes {
                    _ = try await owner.send("PUT", queue)
                    task = try await owner.add("x", to: queue)
                }
                let path = route.path.replacing(":user", with: person.name).replacing(":queue", with: queue)
                    .replacing(":task", with: task)
                let body: JSONValue = ["command": "x", "commands": ["x", "y"], "state": "Running"]
                let answer = try await client.send(route.method, at: path, isReading ? nil : body)
                // A user may have a hundred queues.
                _ = try await owner.send("DELETE", queue)
                return answer
            }
            for token in [nil, "garbage", "haul_unknown"] {
                let answer = try await send(QdoClient(server.anonymous.with(token), user: person.name))
                #expect(answer.status == 401 && answer["code"] == "no_token", "\(route) \(answer)")
            }
            for stranger in [person.worker, other.worker, other.user] {
                let answer = try await send(QdoClient(stranger, user: person.name))
                #expect(answer.status == 403, "\(route) \(answer)")
            }
            #expect(try await send(isReading ? writer : reader).status == 403, "\(route) scope")
            for visitor in [owner, isReading ? reader : writer, boss] {
                let answer = try await send(visitor)
                #expect((200...202).contains(answer.status), "\(route) \(answer)")
                #expect(answer.headers["Content-Type"] == "application/json")
            }
        }
        // Somebody who is not there is nobody else's business either.
        #expect(try await QdoClient(person.user, user: "nobody").get("").status == 403)
        #expect(try await QdoClient(boss.server.anonymous.with(boss.token), user: "nobody").get("").status == 404)
    }

    /// What is not there: nobody's queue, another queue's task, another user's job under a queue of the same name.
    @Test func absent() async throws {
        let person = try await newPerson()
        let (mine, theirs) = (QdoClient(person), QdoClient(try await newPerson()))
        for client in [mine, theirs] { for queue in ["q", "r"] { _ = try await client.send("PUT", queue) } }
        let task = try await mine.add("x", to: "q")
        for (client, path) in [
            (mine, "r/tasks/\(task)"), (theirs, "q/tasks/\(task)"), (mine, "q/tasks/0"), (mine, "q/tasks/x"),
            (mine, "q/tasks/-1"), (mine, "q/tasks/99999999999999999999"), (mine, "s/tasks/\(task)"),
        ] {
            #expect(try await client.get(path).status == 404, "\(path)")
            #expect(try await client.send("PUT", path, ["state": "Failed"]).status == 404, "\(path)")
        }
        for (method, path) in [
            ("GET", "s"), ("DELETE", "s"), ("PUT", "s/retry"), ("PUT", "s/recover"), ("PUT", "s/pause"),
            ("PUT", "s/resume"), ("POST", "s/launch"), ("GET", "s/tasks"), ("POST", "s/get"), ("POST", "s/poptask"),
        ] { #expect(try await mine.send(method, path).status == 404, "\(method) \(path)") }
        for path in ["s/tasks", "s/addtasks"] {
            #expect(try await mine.send("POST", path, ["command": "x", "commands": ["x"]]).status == 404)
        }
        #expect(try await mine.get("").json.array?.count == 2, "nothing was made by asking")
        #expect(try await mine.state(task, in: "q") == "Pending")
        let wrong = try await mine.send("POST", "q/retry")
        #expect(wrong.status == 405 && wrong.headers["Allow"] == "PUT")
    }

    @Test func wrongRequests() async throws {
        let client = QdoClient(try await newPerson())
        _ = try await client.send("PUT", "q")
        let task = try await client.add("x", to: "q")
        let long = String(repeating: "x", count: 100_000)
        let bad: [(String, String, JSONValue?)] = [
            ("GET", "q/tasks?state=Killed", nil), ("GET", "q/tasks?exitcode=x", nil), ("GET", "q/tasks?state=%FF", nil),
            ("POST", "q/tasks", [:]), ("POST", "q/tasks", ["command": 7]), ("POST", "q/tasks", ["command": ""]),
            ("POST", "q/tasks", ["command": .string(long)]), ("POST", "q/tasks", ["command": ["x"]]),
            ("POST", "q/tasks", []), ("POST", "q/addtasks", ["commands": 7]), ("POST", "q/addtasks", ["commands": [7]]),
            ("POST", "q/addtasks", ["commands": ["x", ""]]), ("POST", "q/addtasks", [:]),
            ("POST", "q/tasks", ["command": "list ssh-a:/x depth=many"]),
            ("PUT", "q/tasks/\(task)", [:]), ("PUT", "q/tasks/\(task)", ["state": "Killed"]),
            ("PUT", "q/tasks/\(task)", ["state": 3]), ("PUT", "q/tasks/\(task)", ["state": "Failed", "err": "x"]),
            ("PUT", "q/tasks/\(task)", ["state": "Failed", "err": 1.5]),
            ("PUT", "q/tasks/\(task)", ["state": "Failed", "message": .string(long)]),
            ("PUT", "q/tasks/\(task)", ["state": "Failed", "message": ["x"]]), ("PUT", "%01", nil),
            ("PUT", String(repeating: "x", count: 65), nil),
        ]
        for (method, path, document) in bad {
            let answer = try await client.send(method, path, document)
            #expect(answer.status == 400 && answer["detail"] != nil, "\(method) \(path): \(answer)")
        }
        let place = "/\(client.user)/queues/q/tasks"
        let bodies: [(Int, String, String)] = [
            (400, "application/json", "{"), (400, "application/json", "[]"), (415, "text/plain", "x"),
            (400, "application/x-www-form-urlencoded", "command=%"), (400, "multipart/form-data", "--x--"),
            (413, "application/json", "{\"command\": \"" + String(repeating: "x", count: 10 << 20) + "\"}"),
            (413, "application/x-www-form-urlencoded", "command=" + String(repeating: "x", count: 10 << 20)),
        ]
        for (status, type, body) in bodies {
            let answer = try await client.send("POST", at: place, body: Array(body.utf8), type: type)
            #expect(answer.status == status, "\(type): \(answer)")
        }
        let many = JSONValue.array((0...10_000).map { .string("\($0)") })
        #expect(try await client.send("POST", "q/addtasks", ["commands": many]).status == 413)
        let wrong = try await client.send("POST", "q/addtasks", ["commands": ["x", "list ssh-a:/x depth=many"]])
        #expect(wrong["index"] == 1, "\(wrong)")
        #expect(try await client.get("q/tasks").json.array?.count == 1, "all or none")
        #expect(try await client.state(task, in: "q") == "Pending")
        #expect(try !LiveServer.ofSuite.log.contains("request failed"))
    }

    /// Cookies: given by a login, good below /qdo alone, both of one user, and not for pages of other sites.
    @Test func cookies() async throws {
        let server = try LiveServer.ofSuite
        let name = "c" + UUID().uuidString.prefix(8).lowercased()
        try await server.addUser(name, role: "user", password: "correct horse")
        var client = QdoClient(server.anonymous, user: name)
        func login(_ user: String, _ password: String) async throws -> Answer {
            try await client.send(
                "POST", at: "/site/login", ["username": .string(user), "password": .string(password)])
        }
        #expect(try await login(name, "wrong horse").status == 401)
        #expect(try await login("nobody", "correct horse").status == 401)
        #expect(try await client.send("POST", at: "/site/login", ["username": "x"]).status == 400)
        let answer = try await login(name, "correct horse")
        #expect(answer.status == 200 && answer["duration"] == 43_200 && answer["qdo_username"] == .string(name))
        let key = try #require(answer["qdo_authkey"]?.string)
        let cookies = answer.headers.all("Set-Cookie")
        #expect(cookies.count == 2)
        for cookie in cookies {
            #expect(cookie.hasSuffix("; Path=/qdo; HttpOnly; SameSite=Strict; Max-Age=43200"), "\(cookie)")
        }
        func status(_ cookie: String, _ more: HTTPHeaders = [:], path: String? = nil) async throws -> Int {
            client.headers = more
            client.headers.set("Cookie", cookie)
            return try await client.send("GET", at: path ?? "/\(name)/queues/").status
        }
        let both = "qdo_authkey=\(key); qdo_username=\(name)"
        #expect(try await status(both) == 200)
        #expect(try await status("other=1; \(both)") == 200)
        let person = try await newPerson()
        for wrong in [
            "qdo_authkey=\(key)", "qdo_username=\(name)", "qdo_authkey=\(key); qdo_username=\(person.name)",
            "qdo_authkey=\(person.user.token ?? ""); qdo_username=\(name)", "qdo_authkey=x; qdo_username=\(name)",
            "\(both); qdo_authkey=\(key)",
        ] { #expect(try await status(wrong) == 401, "\(wrong)") }
        #expect(try await status(both, ["Origin": "https://evil.example"]) == 401)
        #expect(try await status(both, ["Sec-Fetch-Site": "cross-site"]) == 401)
        #expect(try await status(both, ["Sec-Fetch-Site": "same-origin", "Origin": .init(server.url)]) == 200)
        // Nowhere else.
        let elsewhere = try await server.anonymous.send("GET", "/jobs", headers: ["Cookie": both])
        #expect(elsewhere.status == 401)
        client.headers = ["Origin": "https://evil.example"]
        #expect(try await login(name, "correct horse").status == 403, "another site's page logs nobody in")
        // Who is known gets the same once more; who is not, a form.
        client.headers = ["Cookie": both]
        let again = try await client.send("GET", at: "/site/login")
        #expect(again["qdo_authkey"] == .string(key) && again["qdo_username"] == .string(name), "\(again)")
        let basic = Data("\(name):correct horse".utf8).base64EncodedString()
        client.headers = ["Authorization": "Basic \(basic)"]
        #expect(try await client.send("GET", at: "/site/login")["qdo_authkey"]?.string?.hasPrefix("haul_") == true)
        // Who only looks gets none.
        func made() async throws -> Int {
            let tokens = try await server.anonymous.with(key).get("/tokens").json.array ?? []
            return tokens.count
        }
        let before = try await made()
        #expect(try await client.send("HEAD", at: "/site/login").status == 200)
        #expect(try await made() == before)
        for (headers, expected) in [
            ([:], 200), (["Cookie": "qdo_authkey=haul_x; qdo_username=\(name)"], 200),
            (["Authorization": "Basic \(Data("\(name):wrong".utf8).base64EncodedString())"], 401),
        ] as [(HTTPHeaders, Int)] {
            client.headers = headers
            let form = try await client.send("GET", at: "/site/login")
            #expect(form.status == expected && form.text.contains("<form") == (expected == 200), "\(form)")
        }
        client.headers = ["Cookie": both]
        #expect(try await client.send("GET", at: "/site/info")["sitename"] != nil)
        // It ends with the token.
        #expect(try await server.anonymous.with(key).post("/logout", [:]).status == 200)
        #expect(try await status(both) == 401)
    }

    /// The site is told to who may read, by the name that they call it, with their own queues and nobody else's.
    @Test func site() async throws {
        let server = try LiveServer.ofSuite
        let (person, other) = (try await newPerson(), try await newPerson())
        let owner = QdoClient(person)
        let host = "127.0.0.1:\(server.port)"
        func expect(_ queues: JSONValue, _ client: QdoClient) async throws {
            let answer = try await client.send("GET", at: "/site/info")
            let document: JSONValue = ["sitename": .string(host), "hosts": .object([host: ["queues": queues]])]
            #expect(answer.status == 200 && answer.json == document, "\(answer)")
            #expect(answer.headers["Content-Type"] == "application/json")
        }
        try await expect([], owner)
        for queue in ["day", "night"] { #expect(try await owner.send("PUT", queue).status == 201) }
        try await expect(["day", "night"], owner)
        try await expect([], QdoClient(other))
        try await expect([], QdoClient(try await server.caller(user: "chief", role: "operator"), user: person.name))
        for (scope, status) in [("jobs.read", 200), ("jobs.write", 403)] {
            let made = try await person.user.post("/tokens", ["scopes": [.string(scope)]])
            let client = QdoClient(person.user.with(made["token"]?.string), user: person.name)
            let answer = try await client.send("GET", at: "/site/info")
            #expect(answer.status == status, "\(scope) \(answer)")
            // Whatever it is good for, it can become cookies, which are good for no more.
            let login = try await client.send("GET", at: "/site/login")
            #expect(login.status == 200 && login["qdo_authkey"] == made["token"], "\(login)")
        }
        let refused = try await QdoClient(person.worker, user: person.name).send("GET", at: "/site/info")
        #expect(refused.status == 403 && refused["code"] == "role", "\(refused)")
        for token in [nil, "garbage", "haul_unknown"] {
            let stranger = QdoClient(server.anonymous.with(token), user: person.name)
            let answer = try await stranger.send("GET", at: "/site/info")
            #expect(answer.status == 401 && answer["code"] == "no_token", "\(answer)")
            #expect(answer.headers["WWW-Authenticate"] != nil && !answer.text.contains("queues"), "\(answer)")
        }
        for method in ["POST", "PUT", "DELETE"] {
            let wrong = try await owner.send(method, at: "/site/info")
            #expect(wrong.status == 405 && wrong.headers["Allow"] == "GET, HEAD", "\(wrong)")
        }
    }

    /// Where the server stands behind a prefix, and over TLS, the cookies say so.
    @Test func cookiesBehindAProxy() async throws {
        var settings = LiveServer.Settings()
        settings.more = "proxies: {trusted: [\"127.0.0.1\"]},"
        let server = try await LiveServer.start(settings)
        try await server.addUser("carol", role: "user", password: "correct horse")
        var client = QdoClient(server.anonymous, user: "carol")
        client.headers = [
            "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "h.example.org",
            "X-Forwarded-Prefix": "/haul", "Origin": "https://h.example.org",
        ]
        let answer = try await client.send(
            "POST", at: "/site/login", ["username": "carol", "password": "correct horse"])
        #expect(answer.status == 200, "\(answer)")
        for cookie in answer.headers.all("Set-Cookie") {
            #expect(cookie.contains("; Path=/haul/qdo; HttpOnly; SameSite=Strict; Secure; "), "\(cookie)")
        }
        await server.remove()
    }

    /// Names that stand for something else in paths are nobody's.
    @Test func reservedNames() async throws {
        let boss = try await LiveServer.ofSuite.caller(user: "chief", role: "operator")
        for name in ["site", "users"] {
            #expect(try await boss.post("/users", ["name": .string(name), "role": "user"]).status == 400)
        }
    }
}
