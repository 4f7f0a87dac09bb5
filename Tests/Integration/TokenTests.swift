import Foundation
import HaulModel
import Support
import Testing

/// Tokens that users make themselves, and users that operators make.
@Suite(.server()) struct TokenTests {
    private func patch(_ caller: Caller, _ path: String, _ document: JSONValue) async throws -> Answer {
        try await caller.send("PATCH", path, Array(document.text.utf8))
    }

    /// A token does what its scopes say, and makes none that can do more or lasts longer than itself.
    @Test func scopes() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let made = try await person.user.post(
            "/tokens", ["name": "reader", "scopes": ["jobs.read", "tokens"], "duration": 1000])
        #expect(made.status == 201 && made["name"] == "reader" && made["role"] == "user", "\(made)")
        let reader = server.anonymous.with(try #require(made["token"]?.string))
        let id = try await person.list("/x")
        #expect(try await reader.get("/jobs/\(id)").status == 200)
        for answer in [
            try await reader.post("/list", ["src_siteid": 1, "src_filepath": "/y"]),
            try await reader.send("DELETE", "/jobs/\(id)"), try await reader.post("/jobs/\(id)/retry", [:]),
            try await patch(reader, "/queues/q", ["paused": true]),
            try await reader.post("/tokens", ["scopes": ["jobs.write"]]),
        ] {
            #expect(answer.status == 403 && answer["code"] == "scope", "\(answer)")
        }
        let child = try await reader.post("/tokens", ["duration": 100_000])
        #expect(child["scopes"] == ["jobs.read", "tokens"] && child["expires"] == made["expires"], "\(child)")
        for wrong: JSONValue in [
            ["role": "operator"], ["role": "worker"], ["user": "boss"], ["role": "king"], ["scopes": ["operate"]],
            ["sites": [1]], ["duration": -1], ["name": .string(String(repeating: "x", count: 200))],
        ] {
            let answer = try await person.user.post("/tokens", wrong)
            #expect([400, 403].contains(answer.status), "\(wrong) \(answer)")
        }
        let onlyWrites = try await person.user.post("/tokens", ["scopes": ["jobs.write"]])
        let writer = server.anonymous.with(onlyWrites["token"]?.string)
        #expect(try await writer.get("/jobs").status == 403)
        #expect(try await writer.get("/tokens").status == 403)
        #expect(try await writer.get("/whoami")["scopes"] == ["jobs.write"])
        #expect(try await writer.post("/list", ["src_siteid": 1, "src_filepath": "/z"]).status == 200)
    }

    /// One sees and revokes one's own, operators everybody's; nobody sees a token again.
    @Test func lists() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let other = try await newPerson()
        let boss = try await server.caller(user: "boss", role: "operator")
        let made = try await person.user.post("/tokens", ["name": "second"])
        let id = try #require(made["id"]?.int)
        let list = try await person.user.get("/tokens")
        #expect(list.json.array?.count == 2 && !list.text.contains("haul_"))
        #expect(try await other.user.get("/tokens").json.array?.count == 1)
        #expect(try await other.user.get("/tokens?user=\(person.name)").status == 403)
        #expect(try await other.user.send("DELETE", "/tokens/\(id)").status == 404)
        #expect(try await boss.get("/tokens?user=\(person.name)").json.array?.count == 2)
        #expect(try await boss.get("/tokens?user=*").json.array?.count ?? 0 > 2)
        #expect(try await boss.get("/tokens?user=nobody").status == 404)
        let second = server.anonymous.with(made["token"]?.string)
        #expect(try await second.get("/jobs").status == 200)
        #expect(try await person.user.send("DELETE", "/tokens/\(id)")["revoked"] != nil)
        #expect(try await second.get("/jobs").status == 401)
        #expect(try await person.user.send("DELETE", "/tokens/\(id)").status == 200, "the same once more")
        #expect(try await person.user.send("DELETE", "/tokens/999999").status == 404)
        #expect(try await person.worker.get("/tokens").status == 403)
        let worker = try await boss.post(
            "/tokens", ["user": .string(person.name), "role": "worker", "sites": ["ssh-a"]])
        #expect(worker.status == 201 && worker["sites"] == [1] && worker["scopes"] == ["work"], "\(worker)")
    }

    /// With the name, the role or the password end the tokens that rest on them.
    @Test func users() async throws {
        let server = try LiveServer.ofSuite
        let boss = try await server.caller(user: "boss", role: "operator")
        let name = "n" + UUID().uuidString.prefix(8).lowercased()
        let made = try await boss.post(
            "/users", ["name": .string(name), "password": "first password", "role": "operator"])
        #expect(made.status == 201 && made["password"] == true && made["role"] == "operator", "\(made)")
        #expect(try await boss.post("/users", ["name": .string(name)]).status == 409)
        func login(_ password: String) async throws -> Caller? {
            let answer = try await server.anonymous.post(
                "/login", ["user": .string(name), "password": .string(password)])
            return answer.status == 200 ? server.anonymous.with(answer["token"]?.string) : nil
        }
        let chief = try #require(try await login("first password"))
        #expect(try await chief.get("/users").status == 200)
        let kept = server.anonymous.with(try await chief.post("/tokens", ["name": "mine"])["token"]?.string)
        #expect(try await patch(chief, "/users/\(name)", ["disabled": true]).status == 409, "not oneself")
        #expect(try await patch(chief, "/users/\(name)", ["role": "user"]).status == 409)
        // A password of one's own needs the old one, and ends the logins.
        let body = #"{"password": "first password", "new_password": "second password"}"#
        let wrong = try await chief.send("PUT", "/password", Array(body.replacing("first", with: "worst").utf8))
        #expect(wrong.status == 401 && wrong["code"] == "bad_login")
        #expect(try await chief.send("PUT", "/password", Array(body.utf8)).status == 200)
        #expect(try await chief.get("/users").status == 401)
        #expect(try await kept.get("/users").status == 200)
        #expect(try await login("first password") == nil)
        let again = try #require(try await login("second password"))
        #expect(try await patch(boss, "/users/\(name)", ["role": "user"])["role"] == "user")
        for caller in [again, kept] { #expect(try await caller.get("/jobs").status == 401) }
        let plain = try #require(try await login("second password"))
        #expect(try await plain.get("/users").status == 403)
        #expect(try await patch(boss, "/users/\(name)", ["disabled": true])["disabled"] != nil)
        #expect(try await plain.get("/jobs").status == 401)
        #expect(try await login("second password") == nil)
        #expect(try await patch(boss, "/users/\(name)", ["disabled": false, "password": .null])["password"] == false)
        #expect(try await login("second password") == nil)
        for wrong: JSONValue in [
            [:], ["role": "king"], ["password": "short"], ["disabled": "yes"], ["password": .string(name)],
        ] {
            #expect(try await patch(boss, "/users/\(name)", wrong).status == 400, "\(wrong)")
        }
        #expect(try await boss.post("/users", ["name": "a b"]).status == 400)
        #expect(try await boss.get("/users/nobody").status == 404)
        #expect(try await patch(boss, "/users/nobody", ["disabled": true]).status == 404)
    }

    /// `haul login` keeps a token for one server, asks no argument for the password, and `haul logout` ends it.
    @Test func commandLine() async throws {
        let server = try LiveServer.ofSuite
        let name = "c" + UUID().uuidString.prefix(8).lowercased()
        try await server.addUser(name, role: "operator", password: "correct horse battery")
        let home = try Folder()
        var environment = ["XDG_CONFIG_HOME": home.path, "HAUL_URL": server.url]
        func haul(_ words: String..., input: String? = nil) async throws -> ProgramRun {
            try await ProgramRun("haul", words, input: input, environment: environment)
        }
        // Who is about to get a token need not have one yet; and is told what counts before it.
        environment["HAUL_TOKEN_FILE"] = home.path + "/none"
        let first = try await haul("login", "--user", name, input: "correct horse battery\n")
        #expect(first.code == 0 && first.errors.contains("unset HAUL_TOKEN_FILE"), "\(first)")
        #expect(try await haul("logout").code == 0)
        environment["HAUL_TOKEN_FILE"] = nil
        #expect(try await haul("whoami").code == 4)
        let wrong = try await haul("login", "--user", name, input: "wrong\n")
        #expect(wrong.code == 4 && wrong.errors.contains("name and the password"), "\(wrong)")
        let login = try await haul("login", "--user", name, "--hours", "2", input: "correct horse battery\n")
        #expect(login.code == 0 && login.errors.contains("logged in as \(name) (operator)"), "\(login)")
        let files = try FileManager.default.subpathsOfDirectory(atPath: home.path).filter { $0.contains("http") }
        #expect(files.count == 1)
        let facts = try FileManager.default.attributesOfItem(atPath: home.path + "/" + files[0])
        #expect(facts[.posixPermissions] as? Int == 0o600)
        #expect(try await haul("whoami").output.contains("operator"))
        let token = try await haul("token", "add", "--name", "mine", "--scopes", "jobs.read", "--days", "1")
        #expect(token.code == 0 && token.output.hasPrefix("haul_"), "\(token)")
        // A user's lasts no longer than the one that it was made with, whatever was asked.
        #expect(token.errors.contains("haul: the token is good until 2"), "\(token)")
        let all = try await haul("token").output.split(separator: "\n")
        #expect(all.count == 3, "two logins, of which one is over, and this one")
        let id = try #require(
            try await haul("token").output.split(separator: "\n").first { $0.contains("mine") }?.split(separator: "\t")
                .first)
        #expect(try await haul("token", "revoke", String(id)).code == 0)
        #expect(try await haul("users", "\(name)-new", "--add", "--password", input: "another password\n").code == 0)
        #expect(try await haul("users", "\(name)-new", "--disable").output.contains("\(name)-new\tuser\tyes"))
        #expect(try await haul("users").output.contains("\(name)-new"))
        #expect(try await haul("logout").code == 0)
        #expect(try await haul("logout").code == 3)
        #expect(try await haul("whoami").code == 4)
    }
}
