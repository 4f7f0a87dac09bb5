import Foundation
import HaulModel
import Support
import Testing

/// Sites that operators make, change and remove while the server runs, and who may use them.
@Suite(.server()) struct SiteTests {
    private static let ssh: JSONValue = ["user": "haul", "host_keys": ["ssh-ed25519 AAAA"]]

    private func name() -> String { "s" + UUID().uuidString.prefix(8).lowercased() }

    private func patch(_ caller: Caller, _ path: String, _ document: JSONValue) async throws -> Answer {
        try await caller.send("PATCH", path, Array(document.text.utf8))
    }

    private func list(_ person: Person, _ site: JSONValue) async throws -> Answer {
        try await person.user.post("/list", ["src_siteid": site, "src_filepath": "/x"])
    }

    @Test func life() async throws {
        let server = try LiveServer.ofSuite
        let boss = try await server.caller(user: "boss", role: "operator")
        let person = try await newPerson()
        let name = name()
        let body: JSONValue = [
            "name": .string(name), "protocol": "ssh", "endpoints": ["a.example.org:22"], "options": Self.ssh,
            "root": "/data", "limits": ["in": 2],
        ]
        #expect(try await person.user.post("/sites", body).status == 403)
        #expect(try await list(person, .string(name)).status == 400)
        let made = try await boss.post("/sites", body)
        let id = try #require(made["id"]?.int, "\(made)")
        #expect(made.status == 201 && id >= 1000 && made["endpoints"] == ["a.example.org:22"], "\(made)")
        #expect(made["limits"] == ["in": 2] && made["root"] == "/data" && made["options"] == Self.ssh)
        #expect(try await boss.post("/sites", body)["code"] == "exists")
        // A user sees that it is there, not how it is reached.
        let seen = try await person.user.get("/sites/\(name)")
        #expect(seen["id"]?.int == id && seen["endpoints"] == nil && seen["options"] == nil, "\(seen)")
        #expect(try await list(person, .string(name)).status == 200)
        let root = try await person.user.post("/remove", ["src_siteid": .int(id), "src_filepath": "/data"])
        #expect(root.status == 400, "its root is spared")
        // What workers are told is what it is now.
        let changed = try await patch(boss, "/sites/\(id)", ["endpoints": ["b.example.org:2222"], "limits": .null])
        #expect(changed["endpoints"] == ["b.example.org:2222"] && changed["limits"] == nil, "\(changed)")
        let work = try await person.worker.post("/worker/jobs", ["types": [0], "session": .null])
        #expect(work[0]?["src_site"]?["endpoints"] == ["b.example.org:2222"], "\(work)")
        #expect(try await patch(boss, "/sites/\(id)", ["banned": "tape is full"])["banned"] == "tape is full")
        #expect(try await patch(person.user, "/sites/\(id)", ["banned": .null]).status == 403)
        #expect(try await boss.send("DELETE", "/sites/\(id)").status == 204)
        #expect(try await boss.send("DELETE", "/sites/\(id)").status == 404)
        #expect(try await list(person, .int(id)).status == 400)
        // Workers' files may still give credentials to its name and id.
        #expect(try await boss.post("/sites", body)["code"] == "exists")
        var other = try #require(body.object)
        (other["name"], other["id"]) = (.string(self.name()), .int(id))
        #expect(try await boss.post("/sites", .object(other))["code"] == "exists")
        let record = try await boss.get("/audit?user=boss&limit=1000")
        let actions = record.json.array?.filter { $0["target"]?.string == "\(id)" }.compactMap { $0["action"]?.string }
        #expect(Set(actions ?? []) == ["site.add", "site.change", "site.ban", "site.remove"])
    }

    @Test(
        arguments: [
            (["name": "12"], "name"), (["name": "a b"], "name"), (["name": "../x"], "name"),
            (["protocol": "no such!"], "protocol"),
            (["endpoints": ["a b"]], "endpoints"), (["endpoints": ["-oProxyCommand=x"]], "endpoints"),
            (["endpoints": ["h:0"]], "endpoints"), (["endpoints": ["h:99999"]], "endpoints"),
            (["endpoints": ["h:22/../"]], "endpoints"), (["endpoints": "h"], "endpoints"),
            (["options": ["host_keys": 5]], "options.host_keys"), (["options": []], "options"),
            (["limits": ["in": 0]], "limits"), (["limits": ["up": 1]], "limits"), (["root": "/a\u{0}b"], "root"),
            (["users": [1]], "users"), (["owner": "me"], "owner"), (["id": 0], "id"), (["color": "red"], "color"),
        ] as [(JSONValue, String)])
    func wrong(_ change: JSONValue, _ field: String) async throws {
        let boss = try await LiveServer.ofSuite.caller(user: "boss", role: "operator")
        var body: [String: JSONValue] = [
            "name": .string(name()), "protocol": "ssh", "endpoints": ["h:22"], "options": Self.ssh,
        ]
        body.merge(change.object ?? [:]) { $1 }
        let answer = try await boss.post("/sites", .object(body))
        #expect(answer.status == 400 && answer["fields"]?[field] != nil, "\(answer)")
    }

    /// A site for some is none for the others, whatever they ask.
    @Test func access() async throws {
        let server = try LiveServer.ofSuite
        let boss = try await server.caller(user: "boss", role: "operator")
        let (friend, member, stranger) = (try await newPerson(), try await newPerson(), try await newPerson())
        let name = name()
        let group = "g" + name
        let made = try await boss.post(
            "/sites",
            [
                "name": .string(name), "protocol": "ssh", "endpoints": ["h:22"], "options": Self.ssh,
                "users": [.string(friend.name)], "groups": [.string(group)],
            ])
        #expect(made.status == 201, "\(made)")
        #expect(try await list(member, .string(name)).status == 400)
        #expect(
            try await patch(boss, "/users/\(member.name)", ["groups": [.string(group)]])["groups"] == [.string(group)])
        for person in [friend, member] {
            #expect(try await list(person, .string(name)).status == 200)
            #expect(try await person.user.get("/sites/\(name)").status == 200)
        }
        let refused = try await list(stranger, .string(name))
        let unknown = try await list(stranger, .string("no-such-site"))
        #expect(refused.status == 400)
        #expect(refused.text == unknown.text.replacing("no-such-site", with: name), "it tells that there is one")
        for answer in [
            try await stranger.user.get("/sites/\(name)"),
            try await patch(stranger.user, "/sites/\(name)", ["root": "/"]),
            try await stranger.user.send("DELETE", "/sites/\(name)"),
        ] {
            #expect(answer.status == 404, "\(answer)")
        }
        #expect(try await !stranger.user.get("/sites").text.contains(name))
        let bulk = try await stranger.user.post(
            "/jobs", [["type": "LIST", "src_siteid": .string(name), "src_filepath": "/"]])
        #expect(bulk.status == 400)
        let copy = try await stranger.user.post(
            "/copy", ["src_siteid": 1, "src_filepath": "/a", "dst_siteid": .string(name), "dst_filepath": "/b"])
        #expect(copy.status == 400 && copy["fields"]?["dst_siteid"] != nil)
        #expect(try await patch(friend.user, "/sites/\(name)", ["users": .null]).status == 403)
        #expect(try await patch(boss, "/users/\(member.name)", ["groups": []]).status == 200)
        #expect(try await list(member, .string(name)).status == 400, "no member any more")
    }
}

/// Sites that users make for themselves, where the configuration lets them.
@Suite(.timeLimit(.minutes(6))) struct UserSiteTests {
    @Test func ownSites() async throws {
        var settings = LiveServer.Settings()
        settings.more = "vault: \"vault.key\", user_sites: {most: 2, protocols: [\"ssh\", \"http\"]},"
        let server = try await LiveServer.start(settings)
        let (person, other) = (try await server.person(), try await server.person())
        func site(_ name: String, _ more: [String: JSONValue] = [:]) -> JSONValue {
            let body: [String: JSONValue] = ["name": .string(name), "protocol": "http", "endpoints": ["h:80"]]
            return .object(body.merging(more) { $1 })
        }
        let made = try await person.user.post("/sites", site("mine"))
        #expect(made.status == 201 && made["owner"]?.string == person.name, "\(made)")
        for wrong in [
            site("other", ["protocol": "local", "endpoints": []]), site("other", ["id": 5000]),
            site("other", ["owner": "boss"]), site("local-a"), site("mine"),
        ] {
            #expect([400, 409].contains(try await person.user.post("/sites", wrong).status), "\(wrong)")
        }
        let strange = site("other", ["options": ["ca": "/etc/shadow"]])
        #expect(try await person.user.post("/sites", strange)["fields"]?["options.ca"] != nil)
        // Who leads a site elsewhere has what is shown there.
        let narrow = try await person.user.post("/tokens", ["scopes": ["jobs.read", "jobs.write"]])
        let writer = person.user.with(narrow["token"]?.string)
        #expect(try await writer.post("/sites", site("other")).status == 403)
        #expect(
            try await writer.send("PATCH", "/sites/mine", Array("{\"endpoints\": [\"evil:1\"]}".utf8)).status == 403)
        #expect(try await other.user.get("/sites/mine").status == 404)
        #expect(try await person.user.post("/list", ["src_siteid": "mine", "src_filepath": "/"]).status == 200)
        #expect(try await other.user.post("/list", ["src_siteid": "mine", "src_filepath": "/"]).status == 400)
        let shared = try await person.user.send(
            "PATCH", "/sites/mine", Array("{\"users\": [\"\(other.name)\"]}".utf8))
        #expect(shared.status == 200, "\(shared)")
        #expect(try await other.user.post("/list", ["src_siteid": "mine", "src_filepath": "/"]).status == 200)
        let work = try await person.worker.post(
            "/worker/jobs", ["types": [0], "session": .null, "protocols": ["http"]])
        #expect(work.status == 404, "workers without a session have the documented protocols alone")
        let held = try await ActingWorker(person.worker).ask()
        #expect(held[0]?["src_site"]?["owned"] == true, "\(held)")
        #expect(try await other.user.send("DELETE", "/sites/mine").status == 403)
        // Whoever made it may lead it elsewhere tomorrow: nobody else's secrets are kept for it, or shown there.
        let password: JSONValue = ["kind": "http-password", "secret": "a:b", "site": "mine"]
        #expect(try await other.user.put("/credentials", password).status == 400)
        #expect(try await person.user.put("/credentials", password).status == 200)
        #expect(try await person.user.send("DELETE", "/sites/local-a").status == 403)
        #expect(try await person.user.send("PATCH", "/sites/mine", Array("{\"banned\": \"x\"}".utf8)).status == 400)
        #expect(try await person.user.post("/sites", site("second")).status == 201)
        #expect(try await person.user.post("/sites", site("third"))["code"] == "too_many_sites")
        #expect(try await person.user.send("DELETE", "/sites/second").status == 204)
        #expect(try await person.user.post("/sites", site("third")).status == 201)
        #expect(try await person.worker.post("/sites", site("fourth")).status == 403)
        await server.remove()
    }

    /// `sites.json5` is where they begin: it is followed until somebody says otherwise.
    @Test func seed() async throws {
        func file(_ endpoint: String, more: String = "") -> String {
            """
            {"one": {id: 1, protocol: "http", endpoints: ["\(endpoint)"]},
             "two": {id: 2, protocol: "http", endpoints: ["\(endpoint)"]},
             "three": {id: 3, protocol: "http", endpoints: ["\(endpoint)"]}, \(more)}
            """
        }
        var settings = LiveServer.Settings()
        settings.sites = file("a:1")
        let server = try await LiveServer.start(settings)
        let boss = try await server.caller(user: "boss", role: "operator")
        func endpoint(_ site: String) async throws -> JSONValue? {
            try await boss.get("/sites/\(site)")["endpoints"]?[0]
        }
        #expect(try await boss.send("PATCH", "/sites/two", Array("{\"endpoints\": [\"b:2\"]}".utf8)).status == 200)
        #expect(try await boss.send("DELETE", "/sites/three").status == 204)
        #expect(try await boss.post("/sites", ["name": "four", "protocol": "http", "id": 4]).status == 201)
        await server.stop()
        try file("c:3", more: "\"five\": {id: 4, protocol: \"http\"}, \"six\": {id: 6, protocol: \"http\"}")
            .write(toFile: server.folder + "/sites.json5", atomically: true, encoding: .utf8)
        try await server.start()
        #expect(try await endpoint("one") == "c:3", "the file was changed, nobody else said anything")
        #expect(try await endpoint("two") == "b:2", "an operator's word counts")
        #expect(try await boss.get("/sites/three").status == 404)
        #expect(try await boss.get("/sites/four").status == 200)
        #expect(try await boss.get("/sites/five").status == 404, "its id is another's")
        #expect(try await boss.get("/sites/six").status == 200)
        for name in ["two", "three", "five"] { #expect(server.log.contains("site differs site=\(name):"), "\(name)") }
        await server.stop()
        try await server.start()
        #expect(try await endpoint("one") == "c:3")
        #expect(try await endpoint("two") == "b:2")
        await server.remove()
    }
}
