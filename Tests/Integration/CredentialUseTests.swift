import Foundation
import HaulHTTP
import HaulModel
import HaulPlayground
import Support
import Testing

/// What comes of users' credentials: warnings before their end, proxies from MyProxy, logins at real servers.
@Suite(.timeLimit(.minutes(10))) struct CredentialUseTests {
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
            // What is reckoned counts where something is known: it will be through long before its deadline, and behind
            // very many others it will not.
            try await put("2:00")
            let worker = try await ActingWorker(person.worker)
            try await worker.finish(try await worker.takeOne(), ["listing": ["/x": []]])
            let soon = try await register(["max_queue_time": 86_400])
            #expect(soon["warnings"] == nil, "\(soon)")
            let many = (0..<1000).map { _ in
                ["type": "LIST", "src_siteid": "gridftp-12", "src_filepath": "/x"] as JSONValue
            }
            #expect(try await person.user.post("/jobs", .array(many)).status == 200)
            let late = try await register()
            #expect(late["warnings"]?[0]?.string?.contains("before the job's end, maybe 20") == true, "\(late)")
            // Its time is over: a worker is told so, and gets nothing.
            try await OutsideSQL.run(server, "UPDATE credentials SET expires = 1000")
            #expect(try await codes(late).contains("credential_expired"))
            // The job at the other site has nothing to show there.
            var codes: [JSONValue?] = []
            for held in try await worker.take(3) {
                codes.append(try await fetch(held, worker.caller.with(held.token))["code"])
            }
            #expect(codes.count == 3 && codes.count { $0 == "credential_expired" } >= 2, "\(codes)")
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
        // Who guesses waits, at this name and not at others; who knows it waits as well.
        var last = refused
        for _ in 0..<8 where last.status == 409 {
            last = try await ask(["username": "alice", "passphrase": "wrong horse 123"])
        }
        #expect(last.status == 429 && last["code"] == "locked" && last.headers["Retry-After"] != nil, "\(last)")
        #expect(try await ask(["username": "alice", "passphrase": .string(passphrase)]).status == 429)
        #expect(try await ask(["username": "bob", "passphrase": "x"]).status == 409)
        // Of a server that is not there nobody learns anything: it counts against nobody.
        try await myProxy.stop()
        for _ in 0..<8 {
            let gone = try await ask(["username": "carol", "passphrase": "x"])
            #expect(gone.status == 503 && gone["code"] == "myproxy_unanswered", "\(gone)")
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
