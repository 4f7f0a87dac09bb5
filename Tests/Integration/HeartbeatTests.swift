import HaulModel
import Support
import Testing

/// What heartbeats keep, and what they find out. The leases are long enough for beats on a busy machine.
@Suite(
    .server {
        $0.leaseSeconds = 8
        $0.heartbeatSeconds = 0.5
    })
struct HeartbeatTests {
    /// Heartbeats keep a lease for as long as two leases of silent workers last, one taken after the other.
    @Test func keepALease() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let kept = try await person.list("/kept")
        let held = try await worker.takeOne()
        let lost = try await person.list("/lost")
        try await beating(worker, holding: held) {
            for attempt in 1...2 {
                let silent = try await ActingWorker(person.worker).takeOne()
                #expect(silent.jobID == lost && silent.attempt == attempt)
                try await eventually("lease \(attempt) ends", within: .seconds(60)) {
                    try await person.user.get("/jobs/\(lost)/elements/0")["attempts"] == .int(attempt)
                }
            }
        }
        #expect(try await person.user.get("/jobs/\(kept)/elements/0")["status"] == "SUBMITTED")
        try await worker.finish(held, ["listing": ["/kept": []]])
        #expect(try await person.status(kept) == "DONE")
    }

    /// The answer to a claim that never reached its worker, though its session lives on.
    @Test func findALostAnswer() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        _ = try await person.list("/kept")
        let held = try await worker.takeOne()
        let unheard = try await person.list("/unheard")
        _ = try await worker.takeOne()
        try await beating(worker, holding: held) {
            let again = try await worker.takeOne()
            #expect(again.jobID == unheard && again.attempt == 2)
        }
        let output = try await person.user.get("/jobs/\(unheard)/elements/0/output/1")
        #expect(output["log"]?.string?.contains("the worker does not hold it") == true, "\(output)")
        try await worker.finish(held, ["listing": ["/kept": []]])
    }

    /// Runs a body while a task of its own sends a worker's heartbeats. The server has to know what it holds.
    private func beating(
        _ worker: ActingWorker, holding held: Held, _ body: @Sendable () async throws -> Void
    ) async throws {
        let document: JSONValue = [
            "session": .int(try #require(worker.session)), "holding": [.string(held.name)],
        ]
        try await withThrowingTaskGroup { group in
            group.addTask {
                do {
                    while true {
                        let beat = try await worker.caller.post("/worker/heartbeat", document)
                        try #require(beat.status == 200 && beat["unknown"] == [], "\(beat)")
                        try await Task.sleep(for: .milliseconds(250))
                    }
                } catch _ where Task.isCancelled {
                    // The body is through, wherever that met the beat.
                }
            }
            try await body()
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}
