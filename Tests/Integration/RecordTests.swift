import Foundation
import HaulModel
import Support
import Testing

/// The record of changes: who did what, when, from where.
@Suite(.server()) struct RecordTests {
    private func patch(_ caller: Caller, _ path: String, _ document: JSONValue) async throws -> Answer {
        try await caller.send("PATCH", path, Array(document.text.utf8))
    }

    private func record(_ boss: Caller, _ query: String) async throws -> [JSONValue] {
        let answer = try await boss.get("/audit?\(query)")
        #expect(answer.status == 200, "\(answer)")
        return answer.json.array ?? []
    }

    /// Each change is there once, with what it was done to, and what did not happen is not.
    @Test func changes() async throws {
        let server = try LiveServer.ofSuite
        let boss = try await server.caller(user: "boss", role: "operator")
        let person = try await newPerson()
        let start = try await boss.get("/whoami")["token"]
        let id = try await person.list("/x")
        _ = try await person.user.send(
            "POST", "/jobs",
            Array(
                #"[{"type": 4, "src_siteid": 1, "src_filepath": "/a"}, {"type": 4, "src_siteid": 1, "src_filepath": "/b"}]"#
                    .utf8))
        #expect(try await patch(person.user, "/jobs/\(id)", ["priority": 3, "label": "blue"]).status == 200)
        #expect(try await patch(person.user, "/jobs/\(id)", ["priority": 30]).status == 400)
        #expect(try await patch(person.user, "/queues/q", ["paused": true, "limit": 4]).status == 200)
        #expect(try await person.user.send("DELETE", "/jobs/\(id)/elements/0").status == 200)
        #expect(try await person.user.post("/jobs/\(id)/retry", [:]).status == 200)
        #expect(try await boss.send("DELETE", "/jobs/\(id)").status == 200)
        #expect(try await boss.send("DELETE", "/jobs/\(id)").status == 200, "the same once more")
        #expect(try await person.user.post("/list", ["src_siteid": 1]).status == 400)
        let lines = try await record(boss, "user=\(person.name)")
        let shown = lines.map { "\($0["action"]?.string ?? "") \($0["detail"]?.string ?? "")" }
        #expect(
            Array(shown.prefix(3)) == ["job.register ", "job.register jobs=2", "job.change priority=3 label=blue"],
            "\(shown)")
        #expect(
            shown.count == 6 && shown[3].hasPrefix("queue.change user=") && shown[3].hasSuffix("paused=true limit=4"))
        #expect(Array(shown.suffix(2)) == ["element.cancel ", "job.retry "])
        #expect(lines[0]["target"] == .string("\(id)") && lines[4]["target"] == .string("\(id).0"))
        #expect(lines.allSatisfy { $0["address"] == "127.0.0.1" && $0["token"]?.int != nil })
        #expect(lines.compactMap { $0["id"]?.int } == lines.compactMap { $0["id"]?.int }.sorted())
        let cancels = try await record(boss, "user=boss&action=job.cancel").filter { $0["target"] == .string("\(id)") }
        #expect(cancels.count == 1 && cancels[0]["token"] == start)
    }

    /// No statement changes a line of it, whoever makes it.
    @Test func onlyGrows() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        _ = try await person.list("/x")
        await #expect {
            try await OutsideSQL.run(server, "UPDATE deeds SET name = 'nobody'")
        } throws: { "\($0)".contains("the record is only added to") }
        #expect(try await OutsideSQL.text(server, "SELECT COUNT(*) FROM deeds WHERE name = 'nobody'") == "0")
    }

    /// What operators do, logins, and tokens; nothing of it is a secret.
    @Test func access() async throws {
        let server = try LiveServer.ofSuite
        let boss = try await server.caller(user: "boss", role: "operator")
        let name = "r" + UUID().uuidString.prefix(8).lowercased()
        try await server.addUser(name, role: "operator", password: "hunter hunter 2")
        func login(_ password: String) async throws -> Answer {
            try await server.anonymous.post("/login", ["user": .string(name), "password": .string(password)])
        }
        #expect(try await login("hunter hunter 3").status == 401)
        let token = try #require(try await login("hunter hunter 2")["token"]?.string)
        let chief = server.anonymous.with(token)
        let other = try await chief.post("/tokens", ["name": "spare", "scopes": ["jobs.read"]])
        let id = try #require(other["id"]?.int)
        #expect(try await chief.send("DELETE", "/tokens/\(id)").status == 200)
        #expect(try await chief.send("DELETE", "/tokens/\(id)").status == 200)
        #expect(try await patch(chief, "/sites/2", ["banned": "full"]).status == 200)
        #expect(try await patch(chief, "/sites/2", ["banned": .null]).status == 200)
        #expect(try await chief.post("/users", ["name": .string(name + "-2")]).status == 201)
        #expect(try await patch(chief, "/users/\(name)-2", ["password": "another secret 1"]).status == 200)
        #expect(try await chief.post("/logout", [:]).status == 200)
        let all = try await record(boss, "user=\(name)")
        let actions = all.compactMap { $0["action"]?.string }
        #expect(
            actions == [
                "login.failed", "login", "token.add", "token.revoke", "site.ban", "site.unban", "user.add",
                "user.change",
                "token.revoke",
            ], "\(actions)")
        #expect(all[0]["token"] == nil && all[1]["token"] == nil && all[2]["token"]?.int != nil)
        let console = try await record(boss, "action=user.add").filter { $0["target"] == .string(name) }
        #expect(console.count == 1 && console[0]["user"] == nil && console[0]["address"] == nil)
        let text = try await boss.get("/audit").text
        for secret in ["hunter", "another secret", String(token.dropFirst(5)), "argon2id"] {
            #expect(!text.contains(secret))
        }
        #expect(text.contains("user=\(name) role=operator scopes=jobs.read"))
    }

    /// Operators alone read it, in pieces of any size; nobody changes it.
    @Test func reading() async throws {
        let server = try LiveServer.ofSuite
        let boss = try await server.caller(user: "boss", role: "operator")
        let person = try await newPerson()
        for number in 0..<5 { _ = try await person.list("/\(number)") }
        let ids = try await record(boss, "user=\(person.name)").compactMap { $0["id"]?.int }
        #expect(ids.count == 5)
        let second = try await record(boss, "user=\(person.name)&after=\(ids[1])&limit=2").compactMap { $0["id"]?.int }
        #expect(second == Array(ids[2...3]))
        #expect(try await record(boss, "user=\(person.name)&since=2026-01-01").count == 5)
        #expect(try await record(boss, "user=\(person.name)&since=2100-01-01").isEmpty)
        for query in ["action=frob", "since=x", "limit=-1"] {
            #expect(try await boss.get("/audit?\(query)").status == 400)
        }
        for caller in [person.user, person.worker] { #expect(try await caller.get("/audit").status == 403) }
        #expect(try await server.anonymous.get("/audit").status == 401)
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            #expect(try await boss.send(method, "/audit", Array("{}".utf8)).status == 405)
        }
        let run = try await ProgramRun(
            "haul", ["audit", "--user", person.name, "--since", "1h", "--limit", "3"],
            environment: ["HAUL_URL": server.url, "HAUL_TOKEN": boss.token ?? ""])
        #expect(run.code == 0 && run.output.split(separator: "\n").count == 3 && run.output.contains("job.register"))
    }
}
