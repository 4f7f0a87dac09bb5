import HaulHTTP
import HaulModel
import Support
import Testing

/// The other faces at two servers of one database: each shows what was done at the other a moment ago.
@Suite(.timeLimit(.minutes(10))) struct FacesAtTwoServersTests {
    private func twoServers(_ body: (LiveServer, LiveServer) async throws -> Void) async throws {
        try await LiveServer.two { first, second in
            try await body(first, second)
            #expect(!first.log.contains("request failed") && !second.log.contains("request failed"))
        }
    }

    /// Sites that were made at the other have their names in each list and document that shows them, from the first on.
    @Test func newSites() async throws {
        try await twoServers { first, second in
            let boss = try await first.caller(user: "boss", role: "operator")
            let person = try await first.person()
            let there = person.at(second)
            func make(_ name: String) async throws -> ActingWorker {
                let made = try await boss.post("/sites", ["name": .string(name), "protocol": "fake"])
                try #require(made.status == 201, "\(made)")
                return try await ActingWorker(person.worker, sites: [.string(name)])
            }
            let qdo = QdoClient(there)
            let clockwork = FaceClient(there.user, ClockworkRoutes.roots[0])
            // A site each, as any that asked would make the others know it.
            var (site, worker) = ("new-1", try await make("new-1"))
            let one = try await clockwork.get("/nodes/one?node_name=\(worker.name)")
            #expect(one["slurm"]?["cluster_name"] == .string(site), "\(one)")
            (site, worker) = ("new-2", try await make("new-2"))
            let nodes = try await clockwork.get("/nodes/list?cluster_name=\(site)")
            #expect(nodes.json.array?.compactMap { $0["slurm"]?["name"]?.string } == [worker.name], "\(nodes)")
            func register(_ name: String) async throws -> Int {
                _ = try await make(name)
                return try await person.register("list", ["src_siteid": .string(name), "src_filepath": "/x"])
            }
            var id = try await register("new-3")
            let task = try await qdo.get("default/tasks/\(id)")
            #expect(task["task"] == "list new-3:/x", "\(task)")
            id = try await register("new-4")
            let tasks = try await qdo.get("default/tasks/")
            #expect(tasks.json.array?.last?["task"] == "list new-4:/x", "\(tasks)")
            id = try await register("new-5")
            let listed = try await clockwork.get("/jobs/list")
            #expect(listed[0]?["slurm"]?["job_id"] == .string("\(id)"), "\(listed)")
            #expect(listed[0]?["slurm"]?["cluster_name"] == "new-5", "\(listed)")
            id = try await register("new-6")
            let popped = try await person.user.send("PATCH", "/queues/default", Array("{\"pop\": true}".utf8))
            #expect(popped.status == 200, "\(popped)")
            let taken = try await qdo.send("PUT", "default/tasks/\(id)", ["state": "Running"])
            #expect(taken["task"] == "list new-6:/x" && taken["state"] == "Running", "\(taken)")
            (site, worker) = ("new-7", try await make("new-7"))
            let workers = try await there.user.get("/workers")
            #expect(workers.json.array?.contains { $0["name"]?.string == worker.name } == true, "\(workers)")
            id = try await register("new-8")
            #expect(try await there.user.get("/jobs?site=new-8")[0]?["id"]?.int == id)
            id = try await register("new-9")
            #expect(try await there.user.get("/jobs?place=new-9")[0]?["id"]?.int == id)
            #expect(try await there.user.get("/jobs?site=new-10").status == 400)
        }
    }

    /// The nodes of one list are the workers of all servers, with what each of them holds.
    @Test func nodesOfBoth() async throws {
        try await twoServers { first, second in
            let person = try await first.person()
            let here = try await ActingWorker(person.worker, name: "a-\(person.name)")
            let there = try await ActingWorker(person.at(second).worker, name: "b-\(person.name)")
            for number in 0..<5 { _ = try await person.mkdir("/\(number)") }
            let (mine, others) = (try await here.take(1), try await there.take(4))
            #expect(mine.count == 1 && others.count == 4)
            let beat: JSONValue = [
                "session": .int(try #require(there.session)), "holding": .array(others.map { .string($0.name) }),
                "load": 2.5,
            ]
            #expect(try await person.at(second).worker.post("/worker/heartbeat", beat).status == 200)
            for server in [first, second] {
                let client = FaceClient(person.at(server).user, ClockworkRoutes.roots[0])
                let answer = try await client.get("/nodes/list")
                let nodes = try #require(answer.json.array, "\(answer)").compactMap { $0["slurm"] }
                #expect(nodes.map { $0["name"]?.string } == [here.name, there.name])
                #expect(nodes.map { $0["state"]?.string } == ["MIXED", "ALLOCATED"])
                #expect(nodes.map { $0["alloc_tres"]?.string } == ["cpu=1", "cpu=4"])
                #expect(nodes.map { $0["cpu_load"] } == [.null, 2.5])
            }
        }
    }
}
