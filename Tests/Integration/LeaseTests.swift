import Foundation
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
