import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// Names and passwords: logins, Basic, what guessing costs.
@Suite(.server()) struct LoginTests {
    private static let password = "correct horse battery"

    /// A user with a password.
    private func user(_ server: LiveServer, role: String = "user") async throws -> String {
        let name = "l" + UUID().uuidString.prefix(8).lowercased()
        try await server.addUser(name, role: role, password: Self.password)
        return name
    }

    private func login(
        _ server: LiveServer, _ name: String, _ password: String, _ more: [String: JSONValue] = [:]
    ) async throws -> Answer {
        let document = more.merging(["user": .string(name), "password": .string(password)]) { $1 }
        return try await server.anonymous.post("/login", .object(document))
    }

    private func basic(_ name: String, _ password: String) -> HTTPHeaders {
        ["Authorization": "Basic " + Data("\(name):\(password)".utf8).base64EncodedString()]
    }

    /// A login answers a token that says until when it is good, and is worth nothing from then on, or from its logout.
    @Test func tokens() async throws {
        let server = try LiveServer.ofSuite
        let name = try await user(server)
        let answer = try await login(server, name, Self.password, ["duration": 3600])
        #expect(answer.status == 200 && answer["user"] == .string(name) && answer["role"] == "user", "\(answer)")
        #expect(answer["scopes"] == ["credentials", "jobs.read", "jobs.write", "tokens"])
        #expect(answer.headers["Cache-Control"] == "no-store")
        let caller = server.anonymous.with(try #require(answer["token"]?.string))
        let who = try await caller.get("/whoami")
        #expect(who["user"] == .string(name) && who["token"] == answer["id"] && who["expires"] == answer["expires"])
        let left =
            try #require(Timestamp(text: answer["expires"]?.string ?? "")).milliseconds
            - Int(Date().timeIntervalSince1970 * 1000)
        #expect((3_500_000...3_600_000).contains(left))
        #expect(try await caller.post("/list", ["src_siteid": 1, "src_filepath": "/x"]).status == 200)
        #expect(try await caller.post("/logout", [:]).status == 200)
        #expect(try await caller.get("/whoami").status == 401)
        let short = try await login(server, name, Self.password, ["duration": 1])
        let brief = server.anonymous.with(short["token"]?.string)
        try await eventually("the token ends") { try await brief.get("/jobs").status == 401 }
        for wrong: [String: JSONValue] in [
            ["duration": 0], ["duration": 1e9], ["duration": "x"], ["scopes": []], ["scopes": ["all"]], ["password": 5],
        ] {
            let answer = try await server.anonymous.post(
                "/login", .object(["user": .string(name), "password": "x"].merging(wrong) { $1 }))
            #expect(answer.status == 400 && answer["fields"]?.keys == Set(wrong.keys), "\(answer)")
        }
        #expect(!server.log.contains(Self.password))
    }

    /// Whatever is wrong, the answer is the same, word for word.
    @Test func refusals() async throws {
        let server = try LiveServer.ofSuite
        let name = try await user(server)
        let disabled = try await user(server)
        let boss = try await server.caller(user: "boss", role: "operator")
        #expect(try await boss.send("PATCH", "/users/\(disabled)", Array(#"{"disabled": true}"#.utf8)).status == 200)
        let silent = try await server.person().name
        let tries = [
            (name, "wrong password"), ("nobody-of-this-name", Self.password), (disabled, Self.password),
            (silent, Self.password), (name, ""), (name, Self.password + " "), ("", Self.password),
            ("x\ny", Self.password), (name, String(repeating: "x", count: 2000)), (name.uppercased(), Self.password),
        ]
        var texts: Set<String> = []
        for (name, password) in tries {
            let answer = try await login(server, name, password)
            #expect(answer.status == 401 && answer["code"] == "bad_login", "\(name) \(answer)")
            texts.insert(answer.text)
        }
        #expect(texts.count == 1)
        #expect(try await login(server, name, Self.password).status == 200)
    }

    /// Basic, in its three meanings; a token is only good under its own user's name.
    @Test func basics() async throws {
        let server = try LiveServer.ofSuite
        let name = try await user(server)
        let other = try await user(server)
        let token = try await server.token(user: name, role: "user")
        let good = [basic(name, Self.password), basic(name, token), basic(token, "x-api-token")]
        for headers in good {
            let who = try await server.anonymous.get("/whoami", headers: headers)
            #expect(who.status == 200 && who["user"] == .string(name), "\(who)")
            let made = try await server.anonymous.send(
                "POST", "/list", Array(#"{"src_siteid": 1, "src_filepath": "/b"}"#.utf8), headers: headers)
            #expect(made.status == 200, "\(made)")
        }
        let bad = [
            basic(name, "wrong"), basic(other, token), basic("x-api-token", token), basic(token, ""),
            basic("", Self.password), basic(token, "x-api-token "), ["Authorization": "Basic !!!"],
            ["Authorization": "Basic " + Data(name.utf8).base64EncodedString()],
        ]
        for headers in bad {
            let answer = try await server.anonymous.get("/whoami", headers: headers)
            #expect(answer.status == 401, "\(headers) \(answer)")
        }
        // A worker's leases rest on a token.
        let machine = try await user(server, role: "worker")
        let answer = try await server.anonymous.send(
            "POST", "/worker/register",
            Array(#"{"name": "w", "host": "h", "version": "1", "slots": 1, "protocols": []}"#.utf8),
            headers: basic(machine, Self.password))
        #expect(answer.status == 403 && answer["code"] == "token_needed", "\(answer)")
    }

    /// Wrong passwords cost more and more time, also those that come at once, also after a restart; the right one is not
    /// tried meanwhile either, a token is good, and another address is not kept out.
    @Test func guessing() async throws {
        let server = try await LiveServer.start()
        let name = try await user(server)
        let token = try await server.token(user: name, role: "user")
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                group.addTask { try await login(server, name, "wrong \(number)").status }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.filter { $0 == 401 }.count == 6 && statuses.filter { $0 == 429 }.count == 14, "\(statuses)")
        await server.kill()
        try await server.start()
        // The sixth wrong one costs a second, the seventh two: they are counted on.
        try await eventually("one more is tried") { try await login(server, name, "wrong again").status == 401 }
        let locked = try await login(server, name, "and again")
        #expect(locked.status == 429 && locked["code"] == "locked" && locked.headers["Retry-After"] == "2", "\(locked)")
        #expect(try await login(server, name, Self.password).status == 429)
        #expect(try await server.anonymous.get("/whoami", headers: basic(name, Self.password)).status == 429)
        #expect(try await server.anonymous.get("/whoami", headers: basic(name, token)).status == 200)
        #expect(try await server.anonymous.with(token).get("/whoami").status == 200)
        // Names that there are not are kept waiting in the same way.
        for _ in 0..<6 { #expect(try await login(server, "ghost", "x").status == 401) }
        #expect(try await login(server, "ghost", "x").status == 429)
        await server.remove()
    }
}
