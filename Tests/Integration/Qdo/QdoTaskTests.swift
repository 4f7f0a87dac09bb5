import HaulHTTP
import HaulModel
import Support
import Testing

/// Queues and tasks of the qdo face, from their making to their end, and what the native API sees of them.
@Suite(.server(), .timeLimit(.minutes(6))) struct QdoTaskTests {
    @Test func wholeLife() async throws {
        let person = try await newPerson()
        let client = QdoClient(person)
        #expect(try await client.get("").json == [])
        let made = try await client.send("PUT", "q")
        #expect(made.status == 201 && made["state"] == "Active" && made["user"] == .string(person.name), "\(made)")
        #expect(try await client.send("PUT", "q").status == 409)
        #expect(try await person.user.get("/queues").json[0]?["pop"] == true)
        let text = "./run --all \"é\" \u{1}\n"
        let first = try await client.add(text, to: "q")
        let batch = try await client.send("POST", "q/addtasks/", ["commands": ["one", "copy ssh-a:/x ssh-b:/y"]])
        #expect(batch.status == 201 && batch[0]?["task"] == "one" && batch[1]?["state"] == "Pending", "\(batch)")
        #expect(try await client.get("q")["ntasks"]?["Pending"] == 3)
        let copy = batch[1]?["id"]?.string ?? ""
        let native = try await person.user.get("/jobs/\(copy)")
        #expect(native["type"] == "COPY" && native["dst_siteid"] == 2 && native["task"] == "copy ssh-a:/x ssh-b:/y")
        #expect(try await person.user.get("/jobs/\(first)")["task"] == .string(text))
        // Handed out by pop alone, in order.
        let worker = try await ActingWorker(person.worker)
        #expect(try await worker.take(5).isEmpty)
        let popped = try #require(try await client.pop("q"))
        #expect(popped["id"] == .string(first) && popped["task"] == .string(text) && popped["state"] == "Running")
        #expect(popped["exitcode"] == .null && popped["err"] == .null && popped["message"] == .null)
        let done = try await client.send(
            "PUT", "q/tasks/\(first)", ["state": "Succeeded", "err": 0, "message": "went well"])
        #expect(done.status == 200 && done["state"] == "Succeeded" && done["message"] == "went well", "\(done)")
        #expect(try await client.get("q/tasks/\(first)").json == done.json)
        let second = try #require(try await client.pop("q")?["id"]?.string)
        let failed = try await client.send("PUT", "q/tasks/\(second)", ["state": "Failed", "err": "3"])
        #expect(failed["exitcode"] == 3 && failed["err"] == 3 && failed["state"] == "Failed", "\(failed)")
        #expect(try await client.get("q/tasks/?exitcode=3")[0]?["id"] == .string(second))
        #expect(try await client.get("q/tasks/?exitcode=0&state=Failed").json == [])
        #expect(try await client.get("q/tasks/?state=succeeded").json.array?.count == 1)
        let all = try await client.get("q/tasks/").json.array ?? []
        #expect(all.map { $0["task"]?.string } == [text, "one", "copy ssh-a:/x ssh-b:/y"])
        #expect(try await client.send("PUT", "q/retry")["ntasks"]?["Pending"] == 2)
        #expect(try await client.pop("q")?["id"] == .string(second))
        #expect(try await client.send("PUT", "q/recover")["ntasks"]?["Running"] == 0)
        // Paused: nothing is handed out, adding goes on.
        #expect(try await client.send("PUT", "q/pause")["state"] == "Paused")
        #expect(try await client.pop("q") == nil)
        _ = try await client.add("later", to: "q")
        #expect(try await client.send("PUT", "q/resume")["state"] == "Active")
        // Launched: workers get what is a transfer, and never what is not.
        #expect(try await client.send("POST", "q/launch").status == 202)
        let held = try await worker.take(5)
        #expect(held.map(\.jobID) == [Int(copy)])
        #expect(try await client.state(copy, in: "q") == "Running")
        #expect(try await client.send("PUT", "q/tasks/\(copy)", ["state": "Succeeded"]).status == 409)
        #expect(try await client.send("PUT", "q/recover").status == 200)
        #expect(try await client.state(copy, in: "q") == "Pending")
        let gone = try await client.send("DELETE", "q")
        #expect(gone.status == 200 && gone["name"] == "q")
        for path in ["q", "q/tasks", "q/tasks/\(first)"] { #expect(try await client.get(path).status == 404) }
        #expect(try await person.user.get("/jobs/\(first)").status == 404)
        #expect(try await client.send("PUT", "q").status == 201)
        #expect(try await client.get("q/tasks/").json == [])
    }

    /// A transfer that is launched is expanded and run; how it ended is seen here.
    @Test func transfers() async throws {
        let person = try await newPerson()
        let client = QdoClient(person)
        _ = try await client.send("PUT", "q")
        let copy = try await client.add("copy ssh-a:/d ssh-b:/e verify=none", to: "q")
        let remove = try await client.add("remove ssh-a:/d max_tries=1", to: "q")
        _ = try await client.send("POST", "q/launch")
        let worker = try await ActingWorker(person.worker)
        for item in try await worker.take(2) {
            if item.jobID == Int(copy) {
                try await worker.finish(item, ["listing": ["/d": [entry("x")]]])
            } else {
                try await worker.report(item, 2, ["error_class": "permission", "reason": "may not"])
            }
        }
        #expect(try await client.state(copy, in: "q") == "Running")
        try await worker.finish(try await worker.takeOne())
        #expect(try await client.get("q/tasks/\(copy)")["exitcode"] == 0)
        let failed = try await client.get("q/tasks/\(remove)")
        #expect(failed["state"] == "Failed" && failed["err"] == 2 && failed["message"] == "may not", "\(failed)")
    }

    /// Every state that a task is in, to every state that it may be put in.
    @Test func states() async throws {
        let person = try await newPerson()
        let client = QdoClient(person)
        _ = try await client.send("PUT", "q")
        let allowed: [String: Set<String>] = [
            "Pending": ["Pending", "Running", "Succeeded", "Failed"],
            "Running": ["Pending", "Succeeded", "Failed"],
            "Succeeded": ["Succeeded"], "Failed": ["Pending", "Failed"],
        ]
        for (from, targets) in allowed {
            for to in ["Waiting", "Pending", "Running", "Succeeded", "Failed"] {
                let task = try await client.add("\(from) to \(to)", to: "q")
                if from != "Pending" {
                    #expect(try await client.send("PUT", "q/tasks/\(task)", ["state": .string(from)]).status == 200)
                }
                let answer = try await client.send("PUT", "q/tasks/\(task)", ["state": .string(to)])
                #expect(answer.status == (targets.contains(to) ? 200 : 409), "\(from) to \(to): \(answer)")
                let state = try await client.state(task, in: "q")
                #expect(state == (targets.contains(to) ? to : from))
            }
        }
        // What is not committed waits.
        let draft = try await person.user.post("/drafts", ["type": "TASK", "task": "x", "queue": "q"])
        let id = draft["id"]?.int ?? 0
        #expect(try await client.state("\(id)", in: "default") == "Waiting")
        #expect(try await client.send("PUT", "default/tasks/\(id)", ["state": "Running"]).status == 409)
        let committed = try await client.send("PUT", "default/tasks/\(id)", ["state": "Pending"])
        #expect(committed.status == 200 && committed["task"] == "x")
        #expect(try await client.state("\(id)", in: "q") == "Pending")
        #expect(try await client.send("PUT", "q/tasks/\(id)", ["state": "Running"])["task"] == "x")
        #expect(try await person.user.get("/jobs/\(id)")["type"] == "TASK")
    }

    /// Who names the attempt under which it popped a task speaks for that alone.
    @Test func attempts() async throws {
        let client = QdoClient(try await newPerson())
        _ = try await client.send("PUT", "q")
        let task = try await client.add("x", to: "q")
        let place = "q/tasks/\(task)"
        #expect(try await client.pop("q")?["attempt"] == 1)
        for state in ["Succeeded", "Failed", "Running", "Pending"] {
            #expect(
                try await client.send("PUT", place, ["state": .string(state), "attempt": 2]).status == 409, "\(state)")
        }
        #expect(try await client.send("PUT", place, ["state": "Running"]).status == 409, "somebody has it")
        let kept = try await client.send("PUT", place, ["state": "Running", "attempt": "1"])
        #expect(kept.status == 200 && kept["attempt"] == 1 && kept["state"] == "Running", "\(kept)")
        #expect(try await client.send("PUT", place, ["state": "Pending", "attempt": 1])["state"] == "Pending")
        _ = try await client.send("PUT", "q/pause")
        #expect(try await client.send("PUT", place, ["state": "Running"]).status == 409, "nothing is handed out")
        _ = try await client.send("PUT", "q/resume")
        #expect(try await client.send("PUT", place, ["state": "Running"])["attempt"] == 2)
        #expect(try await client.send("PUT", place, ["state": "Succeeded", "attempt": 1]).status == 409)
        #expect(try await client.send("PUT", place, ["state": "Succeeded", "attempt": 2]).status == 200)
    }

    /// As many as JSON holds are in a form, too; and a list of tasks that fill it comes as it is.
    @Test func many() async throws {
        let client = QdoClient(try await newPerson())
        _ = try await client.send("PUT", "q")
        let form = (0..<1500).map { "commands=c\($0)" }.joined(separator: "&")
        let added = try await client.send(
            "POST", at: "/\(client.user)/queues/q/addtasks", body: Array(form.utf8),
            type: "application/x-www-form-urlencoded")
        #expect(added.status == 201 && added.json.array?.count == 1500)
        let long = String(repeating: "x", count: 60_000)
        let more = try await client.send(
            "POST", "q/addtasks", ["commands": .array((0..<5).map { .string("\($0)\(long)") })])
        #expect(more.status == 201)
        let listed = try await client.get("q/tasks").json.array ?? []
        #expect(
            listed.map { $0["id"]?.string } == (added.json.array ?? []).map { $0["id"]?.string }
                + (more.json.array ?? []).map { $0["id"]?.string })
        let empty = "{\"commands\": [" + String(repeating: "0,", count: 1_000_000) + "0]}"
        let answer = try await client.send(
            "POST", at: "/\(client.user)/queues/q/addtasks", body: Array(empty.utf8), type: "application/json")
        #expect(answer.status == 400 && answer.text.contains("values"), "\(answer)")
    }

    /// The same by the native API.
    @Test func natively() async throws {
        let person = try await newPerson()
        let made = try await person.user.put("/queues/q", ["pop": true, "lease": 60])
        #expect(made.status == 201 && made["pop"] == true && made["lease"] == 60, "\(made)")
        #expect(try await person.user.put("/queues/q", [:]).status == 409)
        let job = try await person.user.post("/task", ["task": "x", "queue": "q"])
        #expect(job.status == 200 && job["src_siteid"] == nil && job["task"] == "x", "\(job)")
        let id = job["id"]?.int ?? 0
        #expect(try await person.user.get("/jobs/\(id)/explain")["blockers"]?[0]?["code"] == "popped_alone")
        let popped = try await person.user.post("/queues/q/pop", [:])
        #expect(popped["attempt"] == 1 && popped["job"]?["id"] == .int(id) && popped["job"]?["status"] == "RUNNING")
        #expect(popped["job"]?["task"] == "x")
        let listed = try await person.user.get("/jobs")
        #expect(listed[0]?["id"] == .int(id) && listed[0]?["task"] == nil, "lists leave out what may be long")
        #expect(try await person.user.post("/queues/q/pop", [:])["code"] == "no_work")
        let outcome = "/jobs/\(id)/outcome"
        #expect(try await person.user.put(outcome, ["returncode": 1, "attempt": 2]).status == 409)
        #expect(try await person.user.put(outcome, ["returncode": 4, "reason": "no", "attempt": 1]).status == 200)
        #expect(try await person.user.put(outcome, ["returncode": 4, "reason": "no", "attempt": 1]).status == 200)
        #expect(try await person.user.get("/jobs/\(id)/output").json.array?.count == 1)
        #expect(try await person.user.post("/queues/q/retry", [:])["jobs"] == 1)
        #expect(try await person.user.post("/jobs/\(id)/pop", [:])["attempt"] == 2)
        #expect(try await person.user.post("/jobs/\(id)/pop", ["attempt": 2])["attempt"] == 2, "kept for longer")
        #expect(try await person.user.post("/jobs/\(id)/pop", ["attempt": 1]).status == 409)
        #expect(try await person.user.post("/queues/q/recover", [:])["jobs"] == 1)
        #expect(try await person.user.post("/jobs/\(id)/recover", [:]).status == 409)
        #expect(try await person.user.send("DELETE", "/queues/q").status == 204)
        #expect(try await person.user.get("/jobs/\(id)").status == 404)
        // A worker can't even ask for it.
        #expect(try await person.worker.post("/worker/jobs", ["types": [5]]).status == 400)
        #expect(try await person.worker.post("/worker/jobs", ["types": ["task"]]).status == 400)
    }
}
