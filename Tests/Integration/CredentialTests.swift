import Foundation
import HaulHTTP
import HaulModel
import HaulPlayground
import Support
import Testing

/// What users show at sites: kept sealed, given to who holds a lease of theirs, and to nobody else.
@Suite(.timeLimit(.minutes(3))) struct CredentialTests {
    private static let secret = "alice:correct horse \(UUID().uuidString)"

    private func withServer(_ body: (LiveServer) async throws -> Void) async throws {
        var settings = LiveServer.Settings()
        settings.more = "vault: \"vault.key\","
        let server = try await LiveServer.start(settings)
        do { try await body(server) } catch {
            await server.remove()
            throw error
        }
        await server.remove()
    }

    private func put(_ caller: Caller, _ kind: String, _ secret: String, site: JSONValue = .null) async throws -> Answer
    {
        try await caller.put("/credentials", ["kind": .string(kind), "secret": .string(secret), "site": site])
    }

    private func copy(_ person: Person) async throws {
        let answer = try await person.user.post(
            "/list", ["src_siteid": "http-a", "src_filepath": "/x"])
        try #require(answer.status == 200, "\(answer)")
    }

    private func fetch(_ held: Held, _ caller: Caller) async throws -> Answer {
        try await caller.get(held.path + "/credentials")
    }

    @Test func life() async throws {
        try await withServer { server in
            let (person, other) = (try await server.person(), try await server.person())
            let boss = try await server.caller(user: "boss", role: "operator")
            let made = try await put(person.user, "http-password", Self.secret, site: "http-a")
            let id = try #require(made["id"]?.int, "\(made)")
            #expect(made["subject"] == "alice" && made["site"] == "http-a" && made["expired"] == false)
            #expect(try await put(person.user, "http-password", Self.secret, site: 3)["id"]?.int == id, "in its place")
            let list = try await person.user.get("/credentials")
            #expect(list.json.array?.count == 1)
            #expect(try await other.user.get("/credentials").json.array?.isEmpty == true)
            #expect(
                try await boss.get("/credentials?user=\(person.name)").json == list.json, "what it is, not the secret")
            #expect(try await other.user.get("/credentials?user=\(person.name)").status == 403)
            #expect(try await other.user.send("DELETE", "/credentials/\(id)").status == 404)
            #expect(try await boss.send("DELETE", "/credentials/\(id)").status == 404, "operators have none of it")
            #expect(try await person.worker.get("/credentials").status == 403)
            #expect(try await server.anonymous.get("/credentials").status == 401)
            let narrow = try await person.user.post("/tokens", ["scopes": ["jobs.read", "jobs.write"]])
            #expect(try await person.user.with(narrow["token"]?.string).get("/credentials").status == 403)
            for answer in [made, list, try await boss.get("/audit?limit=1000")] {
                #expect(!answer.text.contains("horse"), "\(answer)")
            }
            let record = try await boss.get("/audit?action=credential.put&limit=10")
            #expect(record[0]?["detail"] == "kind=http-password site=http-a", "\(record)")
            #expect(try await person.user.send("DELETE", "/credentials/\(id)").status == 204)
            #expect(try await person.user.send("DELETE", "/credentials/\(id)").status == 404)
        }
    }

    /// What is no such secret is refused in words that do not repeat it.
    @Test func unfit() async throws {
        try await withServer { server in
            let person = try await server.person()
            let folder = try Folder()
            for (name, passphrase) in [("open", ""), ("shut", "secret")] {
                let run = try await ProgramRun(
                    executable: "/usr/bin/ssh-keygen",
                    ["-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", folder.path + "/" + name])
                try #require(run.code == 0, "\(run.errors)")
            }
            func key(_ name: String) throws -> String {
                try String(contentsOfFile: folder.path + "/" + name, encoding: .utf8)
            }
            let grid = try await Grid.make()
            let old = try String(contentsOfFile: try await grid.expiredProxy("alice"), encoding: .utf8)
            let proxy = try String(contentsOfFile: try await grid.proxy("alice", valid: "2:00"), encoding: .utf8)
            let certificate = try String(contentsOfFile: grid.folder + "/alice.pem", encoding: .utf8)
            for (kind, secret, site, field) in [
                ("ssh-key", try key("shut"), .null, "secret"), ("ssh-key", try key("open.pub"), .null, "secret"),
                ("ssh-key", "horse", "ssh-a", "secret"), ("ssh-key", "", "ssh-a", "secret"),
                ("http-password", "horse", "http-a", "secret"), ("http-password", "a:horse", .null, "site"),
                ("http-password", "a:horse", "ssh-a", "kind"), ("no-such", "horse", .null, "kind"),
                ("http-password", "a:horse", "no-such-site", "site"), ("bearer", "horse\nhorse", "http-a", "secret"),
                ("x509-proxy", old, .null, "secret"), ("x509-proxy", certificate, .null, "secret"),
                ("x509-proxy", "-----BEGIN CERTIFICATE-----\nhorse\n", .null, "secret"),
                ("ssh-key", String(repeating: "horse", count: 20_000), .null, "secret"),
            ] as [(String, String, JSONValue, String)] {
                let answer = try await put(person.user, kind, secret, site: site)
                #expect(answer.status == 400 && answer["fields"]?[field] != nil, "\(kind): \(answer)")
                #expect(!answer.text.contains("horse"))
            }
            let open = try await put(person.user, "ssh-key", try key("open"))
            let printed = try await ProgramRun(
                executable: "/usr/bin/ssh-keygen", ["-l", "-f", folder.path + "/open.pub"])
            #expect(try printed.output.contains(#require(open["subject"]?.string)), "\(open) \(printed.output)")
            let kept = try await put(person.user, "x509-proxy", proxy)
            #expect(kept["subject"]?.string?.hasPrefix("/O=haul/CN=alice") == true && kept["expires"] != nil, "\(kept)")
        }
    }

    /// The lease opens it, for as long as it lasts; nothing else does.
    @Test func onlyTheLease() async throws {
        try await withServer { server in
            let (person, other) = (try await server.person(), try await server.person())
            _ = try await put(person.user, "http-password", Self.secret, site: "http-a")
            _ = try await put(other.user, "http-password", "other:one", site: "http-a")
            try await copy(person)
            try await copy(other)
            let worker = try await ActingWorker(person.worker)
            let held = try await worker.takeOne()
            let strange = try await ActingWorker(other.worker).takeOne()
            let given = try await fetch(held, worker.caller.with(held.token))
            #expect(
                given["source"]?["http-password"]?.string == Data(Self.secret.utf8).base64EncodedString(), "\(given)")
            #expect(given["destination"] == [:] && given.headers["Cache-Control"] == "no-store")
            for (caller, status) in [
                (worker.caller, 401), (person.user, 401), (server.anonymous, 401),
                (worker.caller.with(strange.token), 403), (worker.caller.with(held.token + "x"), 401),
            ] {
                let answer = try await fetch(held, caller)
                #expect(answer.status == status && !answer.text.contains("horse"), "\(answer)")
            }
            // The claim says that there is one, and not what it is.
            try await copy(person)
            let claim = try await worker.ask()
            #expect(claim[0]?["src_site"]?["credentials"]?["http-password"] != nil && !claim.text.contains("horse"))
            try await worker.finish(held, ["listing": ["/x": []]])
            let late = try await fetch(held, worker.caller.with(held.token))
            #expect(late.status == 409 && late["code"] == "lease_over", "\(late)")
            // Workers of the documented system get it with the claim, as text.
            try await copy(person)
            #expect(!server.log.contains("horse"))
        }
    }

    /// A stolen database tells nothing; a row that somebody moved opens nowhere.
    @Test func stolenAndMoved() async throws {
        try await withServer { server in
            let (person, thief) = (try await server.person(), try await server.person())
            _ = try await put(person.user, "http-password", Self.secret, site: "http-a")
            _ = try await put(thief.user, "http-password", "t:h", site: "http-a")
            let all = try await OutsideSQL.text(server, "SELECT COUNT(*) FROM credentials")
            #expect(all == "2")
            if !server.store.hasPrefix("postgresql:") {
                for name in try FileManager.default.contentsOfDirectory(atPath: server.stateFolder)
                where name.hasPrefix("haul.sqlite") {
                    let data = try #require(FileManager.default.contents(atPath: server.stateFolder + "/" + name))
                    #expect(data.range(of: Data("correct horse".utf8)) == nil)
                    #expect(data.range(of: Data(try #require(person.user.token).utf8)) == nil)
                }
            }
            let mode = try FileManager.default.attributesOfItem(atPath: server.folder + "/vault.key")[.posixPermissions]
            #expect(mode as? Int == 0o600)
            let users = "(SELECT id FROM users WHERE name = '\(person.name)')"
            try await OutsideSQL.run(
                server,
                """
                UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE user_id = \(users))
                WHERE user_id = (SELECT id FROM users WHERE name = '\(thief.name)')
                """)
            try await copy(thief)
            let worker = try await ActingWorker(thief.worker)
            let held = try await worker.takeOne()
            let answer = try await fetch(held, worker.caller.with(held.token))
            #expect(answer.status == 500 && !answer.text.contains("horse"), "\(answer)")
            #expect(server.log.contains("was not sealed by this vault"))
        }
    }

    @Test func rotation() async throws {
        try await withServer { server in
            let person = try await server.person()
            _ = try await put(person.user, "http-password", Self.secret, site: "http-a")
            try await copy(person)
            let worker = try await ActingWorker(person.worker)
            let held = try await worker.takeOne()
            let file = server.folder + "/vault.key"
            func lines() throws -> [Substring] {
                try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
            }
            func opens() async throws -> Bool {
                try await fetch(held, worker.caller.with(held.token))["source"]?["http-password"]?.string
                    == Data(Self.secret.utf8).base64EncodedString()
            }
            func vault(_ verb: String) async throws -> ProgramRun {
                try await ProgramRun("hauld", ["vault", verb, "--config", server.config])
            }
            let first = try #require(try lines().first)
            #expect(try await opens())
            let rotated = try await vault("rotate")
            #expect(rotated.code == 0 && rotated.output.hasPrefix("1 credentials"), "\(rotated)")
            #expect(try lines().count == 2 && lines()[1] == first)
            #expect(try await opens())
            #expect(try await vault("retire").code == 0)
            #expect(try lines().count == 1 && lines()[0] != first)
            #expect(try await opens())
            #expect(try await put(person.user, "http-password", Self.secret, site: "http-a").status == 200)
            let key = try String(contentsOfFile: file, encoding: .utf8)
            // Others may read it: nothing is opened, nothing sealed.
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
            #expect(try await fetch(held, worker.caller.with(held.token)).status == 500)
            #expect(server.log.contains("chmod 600"))
            // Another key, or none: a server that can't open what it has does not start.
            await server.stop()
            for content in ["\(first)\n", nil, "", "rubbish\n"] {
                try FileManager.default.removeItem(atPath: file)
                if let content {
                    try content.write(toFile: file, atomically: true, encoding: .utf8)
                    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
                }
                let run = try await ProgramRun("hauld", ["--config", server.config])
                #expect(run.code == 1 && run.errors.contains("vault.key"), "\(run)")
                if content == nil { try "".write(toFile: file, atomically: true, encoding: .utf8) }
            }
            try key.write(toFile: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            try await server.start()
            #expect(try await opens())
        }
    }

    /// A job says at its registration, and when it is asked about, that what is shown for it has little time left.
    @Test func shortLived() async throws {
        try await withServer { server in
            let person = try await server.person()
            let grid = try await Grid.make()
            func put(_ valid: String) async throws {
                let proxy = try String(contentsOfFile: try await grid.proxy("alice", valid: valid), encoding: .utf8)
                let answer = try await self.put(person.user, "x509-proxy", proxy, site: "gridftp-12")
                try #require(answer.status == 200, "\(answer)")
            }
            func register(_ more: [String: JSONValue] = [:]) async throws -> Answer {
                let job: [String: JSONValue] = ["src_siteid": "gridftp-12", "src_filepath": "/x"]
                return try await person.user.post("/list", .object(job.merging(more) { $1 }))
            }
            func codes(_ job: Answer) async throws -> [String] {
                let found = try await person.user.get("/jobs/\(job["id"]?.int ?? 0)/explain")
                return found["blockers"]?.array?.compactMap { $0["code"]?.string } ?? []
            }
            try await put("2:00")
            let fine = try await register()
            #expect(fine["warnings"] == nil, "\(fine)")
            #expect(try await !codes(fine).contains("credential_expires"))
            #expect(try await register(["max_queue_time": 600])["warnings"] == nil)
            let long = try await register(["max_queue_time": 86_400])
            #expect(long["warnings"]?[0]?.string?.contains("x509-proxy") == true, "\(long)")
            #expect(try await codes(long).contains("credential_expires"))
            let elsewhere = try await person.user.post(
                "/list", ["src_siteid": "gridftp-13", "src_filepath": "/x", "max_queue_time": 86_400])
            #expect(elsewhere["warnings"] == nil)
            try await put("0:10")
            #expect(try await register()["warnings"] != nil)
            let bulk = try await person.user.post(
                "/jobs", [["type": "LIST", "src_siteid": "gridftp-12", "src_filepath": "/x"]])
            #expect(bulk.json.array?.count == 1 && bulk.headers["Haul-Warning"]?.contains("gridftp-12") == true)
            // Its time is over: a worker is told so, and gets nothing.
            try await OutsideSQL.run(server, "UPDATE credentials SET expires = 1000")
            #expect(try await codes(fine).contains("credential_expired"))
            let worker = try await ActingWorker(person.worker)
            let held = try await worker.takeOne()
            let answer = try await fetch(held, worker.caller.with(held.token))
            #expect(answer.status == 409 && answer["code"] == "credential_expired", "\(answer)")
        }
    }

    /// A proxy from a real MyProxy server, whose passphrase is not kept.
    @Test func myProxy() async throws {
        let passphrase = "horse battery \(UUID().uuidString.prefix(8))"
        let myProxy = try await MyProxyServer.start(passphrase: passphrase)
        var settings = LiveServer.Settings()
        settings.more = """
            vault: "vault.key",
            myproxy: {servers: ["\(myProxy.endpoint)"], authorities: "\(myProxy.grid.authorities)"},
            """
        let server = try await LiveServer.start(settings)
        let person = try await server.person()
        func ask(_ document: JSONValue) async throws -> Answer {
            try await person.user.post("/myproxy", document)
        }
        let got = try await ask(["username": "alice", "passphrase": .string(passphrase), "hours": 2])
        #expect(got.status == 200 && got["kind"] == "x509-proxy", "\(got)")
        #expect(got["subject"]?.string?.hasPrefix("/O=haul/CN=alice") == true)
        let refused = try await ask(["username": "alice", "passphrase": "wrong horse 123"])
        #expect(refused.status == 409 && refused["code"] == "myproxy_refused" && !refused.text.contains("wrong horse"))
        for wrong: JSONValue in [
            ["username": "alice"], ["username": "-a", "passphrase": "x"], ["username": "a\nb", "passphrase": "x"],
            ["username": "alice", "passphrase": "x", "server": "evil.example.org:7512"],
            ["username": "alice", "passphrase": "x", "hours": 0],
        ] {
            let answer = try await ask(wrong)
            #expect(answer.status == 400, "\(wrong) \(answer)")
        }
        #expect(try await person.user.get("/credentials").json.array?.count == 1)
        #expect(!server.log.contains(passphrase))
        await server.remove()
    }

    /// A server without a vault keeps none, and says how one comes to be.
    @Test func without() async throws {
        let server = try await LiveServer.start()
        let person = try await server.person()
        let answer = try await put(person.user, "http-password", Self.secret, site: "http-a")
        #expect(answer.status == 404 && answer["code"] == "no_vault", "\(answer)")
        await server.remove()
    }

    /// The user's own key lets a real worker in that has none, and nobody else's jobs.
    @Test func aRealWorker() async throws {
        let sshd = try await Sshd.start()
        var settings = LiveServer.Settings()
        settings.more = "vault: \"vault.key\","
        settings.sites = """
            {"ssh-a": {id: 1, protocol: "ssh", endpoints: ["\(sshd.endpoint)"],
                options: {user: "\(NSUserName())", host_keys: ["\(sshd.hostKey)"]}}}
            """
        let server = try await LiveServer.start(settings)
        try Data("hello".utf8).write(to: URL(fileURLWithPath: sshd.root + "/f"))
        var own = RealWorker.Settings()
        own.user = nil
        let worker = try await RealWorker.start(server, own)
        let (person, other) = (try await server.person(), try await server.person())
        let key = try String(contentsOfFile: sshd.loginKey, encoding: .utf8)
        #expect(try await put(person.user, "ssh-key", key).status == 200)
        func end(_ person: Person) async throws -> Answer {
            let job = try await person.user.post(
                "/list", ["src_siteid": 1, "src_filepath": .string(sshd.root + "/f"), "max_tries": 1])
            let id = try #require(job["id"]?.int, "\(job)")
            try await eventually("the end of job \(id)", within: .seconds(60)) {
                ["DONE", "FAILED"].contains(try await person.user.get("/jobs/\(id)")["status"]?.string ?? "")
            }
            return try await person.user.get("/jobs/\(id)/output")
        }
        for _ in 0..<2 {
            let done = try await end(person)
            #expect(done[0]?["status"] == "DONE", "\(done)")
            let refused = try await end(other)
            #expect(refused[0]?["status"] == "FAILED", "\(refused)")
        }
        let left = FileManager.default.enumerator(atPath: server.folder + "/w-work")?.compactMap { $0 as? String } ?? []
        #expect(!left.contains { $0.contains("source-") }, "\(left)")
        #expect(!worker.log.contains("PRIVATE KEY") && !server.log.contains("PRIVATE KEY"))
        await worker.stop()
        await server.remove()
        await sshd.stop()
    }
}
