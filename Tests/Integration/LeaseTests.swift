import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// Leases that end: short ones, so that a test sees it.
@Suite(
    .server {
        $0.leaseSeconds = 6
        $0.heartbeatSeconds = 0.5
        $0.sessionlessSeconds = 6
    })
struct LeaseTests {
    /// Expiry, the rescuer, the element handed out again; the late report is a 409 and its log kept aside.
    @Test func expiry() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/x", ["max_tries": 1])
        let held = try await worker.takeOne()
        _ = try await worker.caller.with(held.token).send(
            "POST", held.path + "/log?offset=0", Array("what it had sent\n".utf8))
        // It dies here.
        let next = try await ActingWorker(sessionless: person.worker).takeOne()
        #expect(next.jobID == id && next.attempt == 2)
        #expect(next.element["forgiven"] == 1 && next.element["attempts"] == 1, "no try was spent")
        let late = try await worker.report(held, 0, ["log": "late words", "listing": ["/x": ["a"]]])
        #expect(late.status == 409 && late["code"] == "lease_ended")
        #expect(try await person.status(id) == "SUBMITTED")
        let lost = try await person.user.get("/jobs/\(id)/elements/0/output/1")
        #expect(lost["status"] == "FAILED", "\(lost)")
        #expect(lost["log"]?.string?.hasPrefix("what it had sent\n") == true)
        #expect(lost["log"]?.string?.contains("lease ended") == true)
        let uid = try #require(held.job["log_uid"]?.string)
        let aside = try String(
            contentsOfFile: "\(server.logs)/\(uid.prefix(2))/\(uid)/element-0.attempt-1.late-1.log", encoding: .utf8)
        #expect(aside.lowercased().contains(" late") && aside.contains("late words"))
        #expect(try await worker.ask().status == 409, "its session has ended")
    }

    /// A lease that was lost after progress costs a try.
    @Test func lossAfterProgress() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/x", ["max_tries": 1])
        let held = try await worker.takeOne()
        let progress = try await worker.caller.with(held.token).put(held.path + "/monitoring", ["transferred": 1])
        #expect(progress.status == 200)
        try await person.await(id, "FAILED")
        let element = try await person.user.get("/jobs/\(id)/elements/0")
        #expect(element["error_class"] == "lost" && element["attempts"] == 1)
        let output = try await person.user.get("/jobs/\(id)/output")
        #expect(output[0]?["log"]?.string?.contains("lease ended") == true)
    }

    /// A worker that dies with the last try of three jobs: what each face says of them, whichever they came through.
    @Test func throughEveryFace() async throws {
        let person = try await newPerson()
        let (uws, qdo) = (UWSClient(person.user), QdoClient(person))
        let clockwork = FaceClient(person.user, ClockworkRoutes.roots[0])
        let place = try await uws.make(
            "list", ["src_siteid": "1", "src_filepath": "/u", "max_tries": "1", "PHASE": "RUN"])
        _ = try await qdo.send("PUT", "q")
        #expect(try await qdo.send("POST", "q/launch").status == 202)
        let task = try await qdo.add("list ssh-a:/q max_tries=1", to: "q")
        let jobs = [
            (try #require(Int(place.dropFirst("/list/".utf8.count))), "default"), (try #require(Int(task)), "q"),
            (try await person.list("/n", ["max_tries": 1]), "default"),
        ]
        let worker = try await ActingWorker(person.worker)
        for _ in jobs {
            let held = try await worker.takeOne()
            let progress = try await worker.caller.with(held.token).put(held.path + "/monitoring", ["transferred": 1])
            #expect(progress.status == 200, "\(progress)")
        }
        // It dies here.
        for (job, queue) in jobs {
            try await person.await(job, "FAILED")
            let document = try await uws.get("/list/\(job)")
            #expect(document.element("phase") == "ERROR" && document.element("message") != nil, "\(document)")
            let error = try await uws.get("/transfer/\(job)/error")
            #expect(error.status == 200 && error.text.contains("the lease ended without a report"), "\(error)")
            let shown = try await qdo.get("\(queue)/tasks/\(job)")
            #expect(shown["state"] == "Failed" && shown["err"] == 1 && shown["exitcode"] == 1, "\(shown)")
            #expect(shown["message"]?.string?.contains("lease ended") == true, "\(shown)")
            let slurm = try await clockwork.get("/jobs/one?job_id=\(job)")["slurm"]
            #expect(slurm?["job_state"] == "NODE_FAIL" && slurm?["exit_code"] == "1:0", "\(slurm ?? .null)")
            #expect(slurm?["nodes"] == .string(worker.name), "\(slurm ?? .null)")
        }
        let failed = try await clockwork.get("/jobs/list?job_state=NODE_FAIL&sort_asc=1").json.array ?? []
        #expect(failed.map { $0["slurm"]?["job_id"]?.string } == jobs.map { "\($0.0)" })
        #expect(try await clockwork.get("/jobs/list?job_state=FAILED,TIMEOUT").text == "[]")
        #expect(try await clockwork.get("/nodes/one?node_name=\(worker.name)").text == "{}", "it does not live")
        #expect(try await uws.get("/transfer?PHASE=ERROR").jobrefs == jobs.map { $0.0 })
    }

    /// What a worker says it holds after its lease ended is unknown.
    @Test func unknownToTheServer() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        _ = try await person.list("/x")
        let held = try await worker.takeOne()
        try await eventually("handed out again") { try await ActingWorker(person.worker).take(1).count == 1 }
        let fresh = try await ActingWorker(person.worker)
        let beat = try await person.worker.post(
            "/worker/heartbeat",
            ["session": .int(try #require(fresh.session)), "holding": [.string(held.name)]])
        #expect(beat["unknown"] == [.string(held.name)])
    }
}
