import Foundation
import HaulModel
import Support
import Testing

/// Lists of jobs as Clockwork shows them.
@Suite(.server(), .timeLimit(.minutes(6))) struct ClockworkListTests {
    private func client() async throws -> (Person, FaceClient) {
        let person = try await newPerson()
        return (person, FaceClient(person.user, "/api/v1/clusters"))
    }

    private func ids(_ client: FaceClient, _ query: String = "") async throws -> [Int] {
        let answer = try await client.get("/jobs/list" + query)
        let jobs = try #require(answer.json.array, "\(query) \(answer)")
        return jobs.compactMap { $0["slurm"]?["job_id"]?.string.flatMap { Int($0) } }
    }

    @Test func filters() async throws {
        let server = try LiveServer.ofSuite
        let (person, client) = try await client()
        let (other, stranger) = try await self.client()
        #expect(try await client.get("/jobs/list").text == "[]")
        let worker = try await ActingWorker(person.worker)
        let copy = try await person.copy("/a", "/b")
        let failed = try await person.list("/f", ["max_tries": 1])
        let done = try await person.mkdir("/d")
        for held in try await worker.take(2) {
            #expect([copy, failed].contains(held.jobID))
            if held.jobID == failed { try await worker.report(held, 1, ["error_class": "permission"]) }
        }
        try await worker.finish(try await worker.takeOne())
        let uncommitted = try await person.user.post("/drafts", [:])
        let draft = try #require(uncommitted["id"]?.int)
        let expired = try await person.list("/late", ["deadline": .string("2020-01-01T00:00:00Z")])
        try await person.await(expired, "FAILED")
        let all = [expired, draft, done, failed, copy]
        #expect(try await ids(client) == all)
        #expect(try await ids(client, "?sort_by=job_id&sort_asc=1") == all.reversed())
        for (state, jobs) in [
            ("RUNNING", [copy]), ("failed", [failed]), ("COMPLETED", [done]), ("PENDING", [draft]),
            ("TIMEOUT", [expired]), ("NODE_FAIL", []), ("CANCELLED", []), ("SUSPENDED", []),
            ("PENDING,COMPLETED", [draft, done]), ("TIMEOUT%2C+FAILED", [expired, failed]),
        ] { #expect(try await ids(client, "?job_state=\(state)") == jobs, "\(state)") }
        #expect(try await ids(client, "?job_state=FAILED&job_state=RUNNING") == [failed, copy])
        #expect(try await ids(client, "?cluster_name=ssh-b") == [copy])
        #expect(try await ids(client, "?cluster_name=2") == [copy])
        #expect(try await ids(client, "?cluster_name=ssh-a") == [expired, done, failed])
        #expect(try await ids(client, "?cluster_name=default") == [draft])
        #expect(try await ids(client, "?cluster_name=nowhere") == [])
        // What has not ended counts, however long ago.
        #expect(try await ids(client, "?time=3600") == all)
        #expect(try await ids(client, "?relative_time=3600") == all)
        #expect(try await ids(client, "?time=-3600") == [draft, copy])
        for name in ["user", "username"] {
            #expect(try await ids(client, "?\(name)=\(person.name)") == all)
            #expect(try await ids(client, "?\(name)=\(other.name)") == [])
            #expect(try await ids(stranger, "?\(name)=\(person.name)") == [])
        }
        let boss = FaceClient(try await server.caller(user: "chief", role: "operator"), client.root)
        #expect(try await ids(boss, "?user=\(person.name)") == all)
        #expect(try await ids(boss, "?user=nobody") == [])
        #expect(try await Set(ids(boss)).isSuperset(of: all))
        // Parts of it.
        #expect(try await ids(client, "?nbr_items_per_page=2") == [expired, draft])
        #expect(try await ids(client, "?nbr_items_per_page=2&page_num=3") == [copy])
        #expect(try await ids(client, "?nbr_items_per_page=2&page_num=4") == [])
        #expect(try await ids(client, "?page_num=2") == [])
        #expect(try await ids(client, "?nbr_items_per_page=1&page_num=2&job_state=FAILED,RUNNING") == [copy])
        let counted = try await client.get("/jobs/list?want_count=True&nbr_items_per_page=2&page_num=2&sort_asc=1")
        #expect(counted["nbr_total_jobs"] == 5 && counted["jobs"]?.array?.count == 2, "\(counted)")
        #expect(
            try await client.get("/jobs/list?want_count=1&job_state=SUSPENDED").text
                == "{\"jobs\":[],\"nbr_total_jobs\":0}")
        #expect(
            try await client.get("/jobs/one?job_id=\(copy)&cluster_name=ssh-b")["slurm"]?["nodes"]?.string
                == worker.name)
        #expect(try await client.get("/jobs/one?job_id=\(copy)&cluster_name=ssh-a").text == "{}")
        #expect(try await person.user.get("/jobs/\(expired)")["error_class"] == "deadline")
        #expect(try await person.user.get("/jobs/\(failed)")["error_class"] == "permission")
    }

    /// What no worker gets is at no site, as is what is not committed.
    @Test func tasks() async throws {
        let (person, client) = try await client()
        let answer = try await person.user.post("/task", ["task": "./fit --run 17", "queue": "night"])
        let task = try #require(answer["id"]?.int)
        let list = try await person.list("/l")
        let draft = try #require(try await person.user.post("/drafts", [:])["id"]?.int)
        #expect(try await ids(client) == [draft, list, task])
        #expect(try await ids(client, "?cluster_name=default") == [draft, task])
        #expect(try await ids(client, "?cluster_name=default&time=0&sort_asc=1") == [task, draft])
        #expect(try await client.get("/jobs/list?cluster_name=default&want_count=1")["nbr_total_jobs"] == 2)
        let slurm = try await client.get("/jobs/one?job_id=\(task)&cluster_name=default")["slurm"]
        #expect(slurm?["command"] == "./fit --run 17" && slurm?["work_dir"] == .null, "\(slurm ?? .null)")
        #expect(slurm?["cluster_name"] == "default" && slurm?["partition"] == "night")
        #expect(slurm?["job_state"] == "PENDING" && slurm?["name"] == "task")
        _ = try await person.user.post("/jobs/\(task)/pop", [:])
        #expect(try await ids(client, "?job_state=RUNNING") == [task])
    }

    /// More jobs than a page of the database, with dicts that are long together.
    @Test func long() async throws {
        let server = try LiveServer.ofSuite
        let (person, client) = try await client()
        let one: JSONValue = ["type": "mkdir", "src_siteid": 1, "src_filepath": "/d"]
        let made = try await person.user.post("/jobs", .array(Array(repeating: one, count: 1201)))
        let all = try #require(made.json.array).compactMap(\.int)
        let text = String(repeating: "x", count: 1 << 20)
        let before = server.memory
        for id in all.prefix(24) {
            let answer = try await client.json(
                "PUT", "/jobs/user_dict_update", ["job_id": .string("\(id)"), "update_pairs": ["a": .string(text)]])
            #expect(answer.status == 200)
        }
        let answer = try await client.get("/jobs/list?sort_asc=1")
        #expect(answer.body.count > 24 << 20 && answer.json.array?.count == 1201)
        #expect(answer[23]?["user"]?["a"]?.string == text && answer[24]?["user"] == [:])
        #expect(try await ids(client, "?nbr_items_per_page=600&page_num=2") == Array(all.reversed()[600..<1200]))
        #expect(server.memory - before < 200 << 20, "\((server.memory - before) >> 20) MiB")
    }
}
