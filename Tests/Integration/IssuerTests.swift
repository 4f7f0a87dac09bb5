import Foundation
import HaulCrypto
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// Tokens of issuers, at the real server.
@Suite(.timeLimit(.minutes(6))) struct IssuerTests {
    private typealias World = IssuerWorld

    private static let reader: [String: JSONValue?] = ["scope": "openid storage.read:/", "wlcg.ver": "1.0"]
    private static let writer: [String: JSONValue?] = ["scope": "storage.read:/ storage.modify:/"]

    /// Who is made on first sight, what they may do, where it is recorded.
    @Test(arguments: [SigningKey.Kind.ec("P-256"), .rsa(bits: 2048)])
    func people(kind: SigningKey.Kind) async throws {
        let world = try await World(kind)
        let boss = try await world.server.caller(user: "boss", role: "operator")
        let alice = world.caller(world.first.token("alice", Self.reader))
        let who = try await alice.get("/whoami")
        #expect(who.status == 200 && who["user"] == "wlcg:alice" && who["role"] == "user", "\(who)")
        #expect(who["scopes"] == ["jobs.read"] && who["expires"] != nil)
        #expect(try await alice.post("/list", ["src_siteid": 1, "src_filepath": "/x"]).status == 403)
        #expect(try await alice.get("/users").status == 403)
        let writer = world.caller(world.first.token("alice", audience: ["x", "https://haul.example"], Self.writer))
        let job = try await writer.post("/list", ["src_siteid": 1, "src_filepath": "/x"])
        #expect(job.status == 200, "\(job)")
        #expect(try await alice.get("/jobs").json.array?.count == 1, "the same person")
        // In every place where a token of haul's may stand.
        let token = world.first.token("alice", Self.reader)
        let basic = "Basic " + Data("\(token):x-api-token".utf8).base64EncodedString()
        for headers: HTTPHeaders in [
            ["X-Token": token], ["Authorization": basic], ["Authorization": "bearer \(token)"],
        ] {
            #expect(try await world.server.anonymous.get("/whoami", headers: headers)["user"] == "wlcg:alice")
        }
        // A token that they make lasts no longer, and does no more.
        let made = try await writer.post("/tokens", ["name": "x", "duration": 1_000_000])
        #expect(made.status == 201 && made["scopes"] == ["jobs.read", "jobs.write", "tokens"], "\(made)")
        #expect(try await made["expires"] == writer.get("/whoami")["expires"])
        #expect(try await alice.post("/tokens", ["name": "x"]).status == 403)
        let other = world.caller(world.second.token("x-1", ["preferred_username": "alice"]))
        #expect(try await other.get("/whoami")["user"] == "iam:alice")
        #expect(try await other.get("/jobs").text == "[]", "nobody else's")
        // Nobody is a local user, or an operator, because a token says so.
        _ = try await world.server.person()
        let claims: [String: JSONValue?] = [
            "preferred_username": "boss", "role": "operator", "groups": ["/haul/admins"],
        ]
        let claimed = try await world.caller(world.second.token("boss", claims)).get("/whoami")
        #expect(claimed["user"] == "iam:boss" && claimed["role"] == "user")
        let admin = world.caller(world.first.token("carol", ["wlcg.groups": ["/haul/admins"]]))
        #expect(try await admin.get("/workers").status == 200)
        let record = try await boss.get("/audit")
        let deeds = record.json.array?.filter { $0["user"] == "wlcg:alice" } ?? []
        #expect(deeds.map { $0["action"] }.starts(with: ["user.add", "token.add", "job.register"]), "\(record)")
        #expect(deeds.allSatisfy { $0["address"] == "127.0.0.1" })
        #expect(deeds.first?["detail"] == .string("identity=\(world.first.url) alice"))
        #expect(deeds.count { $0["action"] == "user.add" } == 1 && !record.text.contains(token))
        #expect(!world.server.log.contains(token))
        await world.end()
    }

    /// Sites can be open to the groups of an issuer, each behind its name: no other issuer speaks of them.
    @Test func groups() async throws {
        let world = try await World()
        let boss = try await world.server.caller(user: "boss", role: "operator")
        let site: JSONValue = [
            "name": "tape", "protocol": "http", "endpoints": ["h:80"], "groups": ["wlcg:/atlas", "local"],
        ]
        #expect(try await boss.post("/sites", site).status == 201)
        func sees(_ token: String) async throws -> Bool {
            try await world.caller(token).get("/sites/tape").status == 200
        }
        let scope: [String: JSONValue?] = ["scope": "storage.read:/", "wlcg.groups": ["/atlas"]]
        #expect(try await sees(world.first.token("alice", scope)))
        #expect(try await !sees(world.first.token("alice", Self.reader)), "what a token does not say does not stay")
        #expect(try await !sees(world.first.token("bob", scope.merging(["wlcg.groups": ["local"]]) { $1 })))
        #expect(
            try await !sees(world.second.token("x", ["preferred_username": "x", "groups": ["wlcg:/atlas", "local"]])))
        await world.end()
    }

    /// Whatever is wrong, the answer is that of a token which nobody knows, word for word.
    @Test func refusals() async throws {
        let world = try await World(.rsa(bits: 2048))
        let (first, second) = (world.first, world.second)
        let good = first.token("alice", Self.reader)
        #expect(try await world.caller(good).get("/jobs").status == 200)
        #expect(try await world.caller(second.token("x", ["preferred_username": "x"])).get("/jobs").status == 200)
        let parts = good.split(separator: ".").map(String.init)
        let now = Int(Date().timeIntervalSince1970)
        let header = #"{"alg":"HS256","kid":"k1"}"#
        let claims: JSONValue = ["iss": .string(first.url), "sub": "alice", "aud": "haul", "exp": .int(now + 60)]
        let stranger = try SigningKey(.rsa(bits: 2048), id: "k1")
        var bad = [
            "haul_x", "garbage", parts[0] + "." + parts[1] + ".", parts[0] + "." + parts[1] + "." + parts[2] + "A",
            first.token("alice", Self.reader, key: stranger), first.token("alice", Self.reader, key: second.key),
            first.token("alice", Self.reader, header: ["kid": "k2"]),
            first.token("alice", Self.reader, header: ["alg": "none"]),
            first.token("alice", Self.reader, header: ["alg": "ES256"]),
            first.token("alice", Self.reader, header: ["crit": ["x"], "x": 1]),
            TestIssuer.token(header: #"{"alg":"none"}"#, claims: claims.text) { _ in [] },
            // The public key as the secret of a symmetric signature.
            TestIssuer.token(header: header, claims: claims.text) { message in
                HMAC.sha256(message, key: first.key.number("n"))
            },
            first.token("alice", ["iss": "https://unknown.example", "scope": "storage.read:/"]),
            first.token("alice", ["iss": .string(second.url), "preferred_username": "alice"]),
            first.token("alice", ["iss": .string(first.url + "/"), "scope": "storage.read:/"]),
            first.token("alice", audience: "other", Self.reader), first.token("alice", [:]),
        ]
        let spoiled: [[String: JSONValue?]] = [
            ["exp": nil], ["exp": .int(now - 61)], ["nbf": .int(now + 90)], ["sub": nil], ["cnf": ["jkt": "x"]],
            ["pad": .string(String(repeating: "x", count: 14_000))],
        ]
        bad += spoiled.map { first.token("alice", $0.merging(Self.reader) { $1 }) }
        let twice =
            #"{"iss":"\#(first.url)","sub":"alice","aud":"haul","exp":\#(now + 60),"scope":"storage.read:/","sub":"bob"}"#
        bad.append(TestIssuer.token(header: #"{"alg":"RS256","kid":"k1"}"#, claims: twice, sign: first.key.sign))
        var texts: Set<String> = []
        for token in bad {
            for (method, path) in [("GET", "/whoami"), ("POST", "/list")] {
                let answer = try await world.caller(token).send(method, path, method == "POST" ? Array("{}".utf8) : [])
                #expect(answer.status == 401, "\(token.prefix(400)) \(answer)")
                #expect(answer.headers["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
                texts.insert(answer.text)
            }
        }
        #expect(texts.count == 1, "\(texts)")
        #expect(try await world.caller(good).get("/jobs").status == 200)
        // The operator is told why, once of each.
        let refused = world.server.log.split(separator: "\n").filter {
            $0.contains("token refused issuer=\(first.url)")
        }
        for cause in ["its algorithm", "critical", "none of those configured", "no JSON Web Token"] {
            #expect(
                world.server.log.split(separator: "\n").count { $0.contains("issuer=? ") && $0.contains(cause) } == 1)
        }
        #expect(refused.count == 9 && refused.contains { $0.contains("it is for somebody else") }, "\(refused)")
        await world.end()
    }

    /// A user who is shut out is shut out whatever they show, and comes back with what they had.
    @Test func shutOut() async throws {
        let world = try await World()
        let boss = try await world.server.caller(user: "boss", role: "operator")
        let alice = world.caller(world.first.token("alice", Self.writer))
        let token = try #require(try await alice.get("/whoami")["token"]?.int)
        let path = "/users/wlcg:alice"
        for _ in 0..<2 {
            #expect(try await boss.send("PATCH", path, Array(#"{"disabled": true}"#.utf8)).status == 200)
            #expect(try await alice.get("/jobs").status == 401)
            // Another role of theirs, never seen before, is no way in.
            let claims: [String: JSONValue?] = ["wlcg.groups": ["/haul/admins"]]
            #expect(try await world.caller(world.first.token("alice", claims)).get("/jobs").status == 401)
            #expect(try await boss.send("PATCH", path, Array(#"{"disabled": false}"#.utf8)).status == 200)
            #expect(try await alice.get("/whoami")["token"] == .int(token))
        }
        // They can't lock themselves out; an operator can, by what stands for them alone.
        #expect(try await alice.send("DELETE", "/tokens/\(token)")["code"] == "standing")
        #expect(try await alice.post("/logout", [:]).status == 409)
        let listed = try await alice.get("/tokens").json.array?.first
        #expect(listed?["identity"] == .string("\(world.first.url) alice"), "\(String(describing: listed))")
        #expect(try await boss.send("DELETE", "/tokens/\(token)").status == 200)
        #expect(try await alice.get("/jobs").status == 401)
        #expect(try await boss.send("PATCH", path, Array(#"{"disabled": false}"#.utf8)).status == 200)
        #expect(try await alice.get("/jobs").status == 200)
        // Nobody logs in under such a name, with whatever password.
        #expect(try await boss.send("PATCH", path, Array(#"{"password": "correct horse"}"#.utf8)).status == 200)
        let login = try await world.server.anonymous.post(
            "/login", ["user": "wlcg:alice", "password": "correct horse"])
        #expect(login.status == 401)
        await world.end()
    }

    /// A worker known by its issuer alone: its session goes on under a new token, is its own, and ends with what stands
    /// for it.
    @Test func worker() async throws {
        let world = try await World()
        let boss = try await world.server.caller(user: "boss", role: "operator")
        let claims: [String: JSONValue?] = ["wlcg.groups": ["/haul/pilots"], "scope": "compute.create"]
        let alice = world.caller(world.first.token("alice", Self.writer))
        #expect(try await alice.post("/list", ["src_siteid": 6, "src_filepath": "/x"]).status == 200)
        let (one, two) = (world.caller(world.first.token("p", claims)), world.caller(world.first.token("p", claims)))
        let body: JSONValue = ["name": "w", "slots": 1, "protocols": ["fake"]]
        let session = try await one.post("/worker/register", body)
        let id = try #require(session["session"], "\(session)")
        #expect(try await two.post("/worker/heartbeat", ["session": id, "holding": []]).status == 200)
        let stranger = world.caller(world.first.token("q", claims))
        #expect(try await stranger.post("/worker/heartbeat", ["session": id, "holding": []]).status == 409)
        #expect(try await stranger.post("/worker/register", body).status == 409)
        #expect(try await two.post("/worker/jobs", ["session": id, "types": [0]]).status == 200)
        #expect(try await two.get("/whoami")["user"] == "wlcg:p")
        #expect(try await alice.post("/worker/register", body).status == 403)
        // Restricted to alice's jobs, as the rule has it.
        let person = try await world.server.person()
        _ = try await person.list("/other")
        #expect(try await two.post("/worker/jobs", ["session": id, "types": [0], "protocols": ["ssh"]]).status == 404)
        let token = try #require(try await two.get("/whoami")["token"]?.int)
        #expect(try await boss.send("DELETE", "/tokens/\(token)").status == 200)
        #expect(try await two.post("/worker/heartbeat", ["session": id, "holding": []]).status == 401)
        #expect(try await boss.get("/workers/w")["alive"] == false)
        await world.end()
    }

    /// The real worker under an issuer's token goes on when that is over, with the next one in its file.
    @Test func renewal() async throws {
        let world = try await World()
        let now = Int(Date().timeIntervalSince1970)
        let claims: [String: JSONValue?] = ["wlcg.groups": ["/haul/pilots"], "scope": "compute.create"]
        // Good for fifteen seconds more: clocks may differ by a minute.
        let brief = world.first.token("p", claims.merging(["exp": .int(now - 45)]) { $1 })
        var settings = RealWorker.Settings()
        settings.token = brief
        settings.user = nil
        let worker = try await RealWorker.start(world.server, settings)
        let boss = try await world.server.caller(user: "boss", role: "operator")
        try await eventually("it registers") { try await boss.get("/workers/w")["alive"] == true }
        try worker.renew(world.first.token("p", claims))
        try await eventually("the first token is over") { try await world.caller(brief).get("/whoami").status == 401 }
        let alice = world.caller(world.first.token("alice", Self.writer))
        let job = try await alice.post("/mkdir", ["src_siteid": 6, "src_filepath": "/ok"])
        let id = try #require(job["id"]?.int, "\(job)")
        try await eventually("its work is done") { try await alice.get("/jobs/\(id)/status")["status"] == "DONE" }
        let sessions = try await boss.get("/audit?action=worker.start").json.array
        #expect(sessions?.count == 1 && worker.process?.status == nil, "one session all the time: \(worker.log)")
        // Once there is no other, it ends.
        try worker.renew(brief)
        let path = "/users/wlcg:p"
        #expect(try await boss.send("PATCH", path, Array(#"{"disabled": true}"#.utf8)).status == 200)
        try await eventually("it ends") { worker.process?.status != nil }
        await world.end()
    }
}
