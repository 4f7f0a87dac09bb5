import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// Who gets in to Clockwork's face, and what it answers to what is wrong.
@Suite(.server(), .timeLimit(.minutes(6))) struct ClockworkAccessTests {
    private static let root = "/api/v1/cluster"

    private func client() async throws -> (Person, FaceClient) {
        let person = try await newPerson()
        return (person, FaceClient(person.user, Self.root))
    }

    /// A request that is right in all but who sends it.
    private func send(_ client: FaceClient, _ route: (method: String, path: String), _ job: Int) async throws -> Answer
    {
        let query = route.path.hasPrefix("/jobs") ? "job_id=\(job)" : "node_name=w"
        if route.method == "GET" { return try await client.get("\(route.path)?\(query)") }
        return try await client.json(
            route.method, route.path,
            ["job_id": .string("\(job)"), "update_pairs": ["a": 1], "updates": ["a": 1], "keys": ["b"]])
    }

    /// Every route with every role, another's job, and a token that is narrower than its role.
    @Test func everyRouteAndRole() async throws {
        let server = try LiveServer.ofSuite
        let (person, owner) = try await client()
        let (_, other) = try await client()
        let boss = FaceClient(try await server.caller(user: "chief", role: "operator"), Self.root)
        func narrow(_ scope: String) async throws -> FaceClient {
            let made = try await person.user.post("/tokens", ["scopes": [.string(scope)]])
            return FaceClient(person.user.with(made["token"]?.string), Self.root)
        }
        let (reader, writer) = (try await narrow("jobs.read"), try await narrow("jobs.write"))
        let job = try await person.mkdir("/d")
        for root in ClockworkRoutes.roots {
            for route in ClockworkRoutes.all {
                for token in [nil, "garbage", "haul_unknown"] {
                    let answer = try await send(FaceClient(server.anonymous.with(token), root), route, job)
                    #expect(answer.status == 401 && answer.text == "\"Authorization error.\"", "\(route) \(answer)")
                    #expect(answer.headers["Content-Type"] == "application/json")
                }
                let isReading = route.method == "GET"
                #expect(try await send(FaceClient(person.worker, root), route, job).status == 403, "\(route) worker")
                #expect(try await send(isReading ? writer : reader, route, job).status == 403, "\(route) scope")
                // Operators read, and change no dict but their own.
                let visitors = [(owner, 200), (isReading ? reader : writer, 200), (boss, isReading ? 200 : 403)]
                for (visitor, status) in visitors {
                    let answer = try await send(visitor, route, job)
                    #expect(answer.status == status, "\(route) \(answer)")
                }
                let answer = try await send(other, route, job)
                #expect(!answer.text.contains(person.name))
                if isReading {
                    // Somebody else's job is as if it were not there.
                    let nothing = ["/jobs/list": "[]", "/jobs/one": "{}", "/jobs/user_props/get": "{}"][route.path]
                    #expect(answer.status == 200 && answer.text == nothing ?? answer.text)
                    if nothing == "{}" { #expect(try await send(owner, route, 999_999).text == "{}") }
                } else {
                    #expect(answer.status == 403, "\(route) \(answer)")
                    #expect(try await send(owner, route, 999_999).status == 404)
                }
            }
        }
        #expect(try await owner.get("/jobs/user_props/get?job_id=\(job)").json == ["a": 1])
        let native = try await server.caller(user: "chief", role: "operator")
        let change = try await native.send("PATCH", "/jobs/\(job)/properties", Array("{\"a\":2}".utf8))
        #expect(change.status == 403 && change["code"] == "not_owner", "\(change)")
        #expect(try await native.get("/jobs/\(job)/properties").json == ["a": 1])
    }

    /// `email:api_key`, as the client shows it.
    @Test func basic() async throws {
        let server = try LiveServer.ofSuite
        let token = try await server.token(user: "someone@example.org", role: "user")
        func status(_ user: String, _ password: String) async throws -> Int {
            var client = FaceClient(server.anonymous, Self.root)
            client.headers = ["Authorization": "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"]
            return try await client.get("/jobs/list").status
        }
        #expect(try await status("someone@example.org", token) == 200)
        #expect(try await status("someone@example.com", token) == 401)
        #expect(try await status("someone@example.org", "wrong") == 401)
    }

    @Test func wrongRequests() async throws {
        let (person, client) = try await client()
        let job = try await person.mkdir("/d")
        for path in [
            "/jobs/one", "/jobs/one?job_id=", "/jobs/user_props/get?cluster_name=ssh-a", "/nodes/one",
            "/jobs/list?time=soon", "/jobs/list?time=1.5", "/jobs/list?time=99999999999999999999",
            "/jobs/list?relative_time=1e3000", "/jobs/list?page_num=-1", "/jobs/list?page_num=0",
            "/jobs/list?page_num=x", "/jobs/list?nbr_items_per_page=0", "/jobs/list?nbr_items_per_page=-5",
            "/jobs/list?page_num=9223372036854775807&nbr_items_per_page=9223372036854775807",
            "/jobs/list?page_num=2501&nbr_items_per_page=40", "/jobs/list?nbr_items_per_page=100001",
            "/jobs/list?sort_by=nodes", "/jobs/list?sort_asc=7", "/jobs/list?user=%ff",
        ] {
            let answer = try await client.get(path)
            #expect(answer.status == 400 && answer.json.string != nil, "\(path) \(answer)")
        }
        for (path, status) in [("/jobs", 404), ("/", 404), ("/jobs/list/3", 404), ("/users/list", 404)] {
            #expect(try await client.get(path).status == status, "\(path)")
        }
        let wrong = try await client.send("DELETE", "/jobs/list")
        #expect(wrong.status == 405 && wrong.headers["Allow"] == "GET, HEAD" && wrong.json.string != nil)
        #expect(try await client.get("/jobs/list?page_num=2500&nbr_items_per_page=40").text == "[]")
        let id: JSONValue = .string("\(job)")
        for route in ["/jobs/user_dict_update", "/jobs/user_props/set", "/jobs/user_props/delete"] {
            let name = ["/jobs/user_dict_update": "update_pairs", "/jobs/user_props/set": "updates"][route] ?? "keys"
            #expect(try await client.json("PUT", route, [name: [:]]).status == 400)
            #expect(try await client.json("PUT", route, ["job_id": id]).status == 400)
            #expect(try await client.json("PUT", route, ["job_id": [id], name: [:]]).status == 400)
            #expect(try await client.send("PUT", route, Array("{".utf8), type: "application/json").status == 400)
            #expect(try await client.send("PUT", route, Array("[1]".utf8), type: "application/json").status == 400)
            #expect(try await client.send("PUT", route, Array("a=%f".utf8)).status == 400)
            #expect(try await client.send("PUT", route, Array("a".utf8), type: "text/plain").status == 415)
            // Ten mebibytes of anything.
            let long = try await client.form(
                "PUT", route, ["job_id": "\(job)", name: String(repeating: "x", count: 10 << 20)])
            #expect(long.status == 413 && long.json.string?.hasPrefix("The body is longer") == true, "\(long)")
            let bad: [JSONValue] =
                name == "keys"
                ? [1, true, [1], ["a": 1], "[1]"]
                : [1, true, [1], "text", "[]", "{\"a\": NaN}", "{\"a\":", "{\"a\":1,\"a\":2}"]
            for value in bad {
                let answer = try await client.json("PUT", route, ["job_id": id, name: value])
                #expect(answer.status == 400 && answer.json.string != nil, "\(route) \(value) \(answer)")
                if let text = value.string {
                    #expect(try await client.form("PUT", route, ["job_id": "\(job)", name: text]).status == 400)
                }
            }
        }
        let tooLong = try await client.get("/jobs/one?job_id=" + String(repeating: "9", count: 10_000))
        #expect(tooLong.status == 200 && tooLong.text == "{}")
        #expect(try await client.get("/jobs/user_props/get?job_id=\(job)").text == "{}")
    }

    /// Two workers on one machine: its name means neither.
    @Test func nodes() async throws {
        let (person, client) = try await client()
        func start(_ name: String, _ sites: JSONValue = []) async throws {
            let answer = try await person.worker.post(
                "/worker/register",
                [
                    "name": .string("\(name)-\(person.name)"), "host": .string("m-\(person.name)"), "slots": 4,
                    "protocols": ["ssh", "http"], "sites": sites,
                ])
            try #require(answer.status == 200)
            _ = try await person.worker.post(
                "/worker/heartbeat", ["session": answer["session"] ?? 0, "holding": [], "load": 1.5])
        }
        try await start("a", [.string("ssh-b")])
        let boss = try await LiveServer.ofSuite.caller(user: "chief", role: "operator")
        let operators = FaceClient(boss, ClockworkRoutes.roots[0])
        let one = try await operators.get("/nodes/one?node_name=m-\(person.name)")
        let slurm = one["slurm"]
        #expect(slurm?["name"]?.string == "a-\(person.name)" && slurm?["cluster_name"] == "ssh-b")
        #expect(slurm?["cpu_load"] == 1.5 && slurm?["cpus"] == 4 && slurm?["features"] == "SSH,HTTP", "\(one)")
        #expect(slurm?["state"] == "IDLE" && one["cw"] == [:])
        #expect(slurm?["addr"] == .string("m-\(person.name)"))
        // Machines are not for users.
        #expect(try await client.get("/nodes/one?node_name=m-\(person.name)").text == "{}")
        let seen = try await client.get("/nodes/one?node_name=a-\(person.name)")
        #expect(seen["slurm"]?["addr"] == .string("a-\(person.name)"), "\(seen)")
        try await start("b")
        let both = try await operators.get("/nodes/one?node_name=m-\(person.name)")
        #expect(both.status == 500 && both.json.string != nil)
        let named = try await operators.get("/nodes/one?name=m-\(person.name)&cluster_name=default")
        #expect(named["slurm"]?["name"] == .string("b-\(person.name)"))
        #expect(try await client.get("/nodes/one?name=b-\(person.name)&cluster_name=ssh-b").text == "{}")
        #expect(try await client.get("/nodes/one?name=nobody").text == "{}")
        func names(_ query: String) async throws -> [String] {
            let all = try await client.get("/nodes/list" + query).json.array ?? []
            return all.compactMap { $0["slurm"]?["name"]?.string }.filter { $0.hasSuffix(person.name) }
        }
        #expect(try await names("") == ["a-\(person.name)", "b-\(person.name)"])
        #expect(try await names("?cluster_name=ssh-b") == ["a-\(person.name)"])
        #expect(try await names("?cluster_name=2") == ["a-\(person.name)"])
        #expect(try await names("?cluster_name=nowhere") == [])
        _ = try await boss.send("DELETE", "/workers/b-\(person.name)/session")
        #expect(try await names("") == ["a-\(person.name)"])
        // Who does not live hides nobody: not on the same machine, nor whose machine has that name.
        #expect(try await operators.get("/nodes/one?node_name=m-\(person.name)").status == 200)
        let shadow = try await person.worker.post(
            "/worker/register",
            ["name": .string("m-\(person.name)"), "host": "elsewhere", "slots": 1, "protocols": ["ssh"], "sites": []])
        #expect(shadow.status == 200)
        _ = try await boss.send("DELETE", "/workers/m-\(person.name)/session")
        let alive = try await operators.get("/nodes/one?node_name=m-\(person.name)")
        #expect(alive["slurm"]?["name"]?.string == "a-\(person.name)", "\(alive)")
        // One that reaches closed sites alone is not there, to whom they are closed.
        let closed = "closed-\(person.name)"
        let made = try await boss.post(
            "/sites", ["name": .string(closed), "protocol": "SSH", "endpoints": ["127.0.0.1:9"], "groups": ["nobody"]])
        #expect(made.status == 201, "\(made)")
        try await start("c", [.string(closed)])
        try await start("d", [.string(closed), "ssh-b"])
        #expect(try await client.get("/nodes/one?node_name=c-\(person.name)").text == "{}")
        #expect(try await names("") == ["a-\(person.name)", "d-\(person.name)"])
        #expect(try await client.get("/nodes/one?node_name=d-\(person.name)")["slurm"]?["cluster_name"] == "ssh-b")
        let whole = try await operators.get("/nodes/one?node_name=c-\(person.name)")
        #expect(whole["slurm"]?["cluster_name"] == .string(closed))
    }
}
