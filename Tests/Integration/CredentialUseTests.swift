import Foundation
import HaulHTTP
import HaulModel
import HaulPlayground
import Support
import Testing

/// What comes of users' credentials: warnings before their end, proxies from MyProxy, logins at real servers.
@Suite(.timeLimit(.minutes(3))) struct CredentialUseTests {
    /// A job says at its registration, and when it is asked about, that what is shown for it has little time left.
    @Test func shortLived() async throws {
        try await withVault { server in
            let person = try await server.person()
            let grid = try await Grid.make()
            func put(_ valid: String) async throws {
                let proxy = try String(contentsOfFile: try await grid.proxy("alice", valid: valid), encoding: .utf8)
                let answer = try await keep(person.user, "x509-proxy", proxy, site: "gridftp-12")
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
        #expect(try await keep(person.user, "ssh-key", key).status == 200)
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
