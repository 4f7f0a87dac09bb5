import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// Server-sent events of a job.
@Suite(.server(), .timeLimit(.minutes(6))) struct EventTests {
    @Test func ofAJob() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/d")
        let reader = StreamReader()
        let task = reader.follow("/jobs/\(id)/events", person.user)
        try await eventually("the job as it is") { reader.events.count == 1 }
        #expect(reader.head?.headers["Content-Type"] == "text/event-stream; charset=utf-8")
        #expect(reader.events[0].name == "status" && reader.events[0].data["status"] == "SUBMITTED")
        let held = try await worker.takeOne()
        try await eventually("it is handed out") { reader.events.last?.data["num_submitted"] == 1 }
        #expect(reader.events.last?.name == "progress")
        let progress: JSONValue = ["transferred": 1, "elapsed": 1, "instant": 1, "average": 1]
        _ = try await person.worker.with(held.token).put("\(held.path)/monitoring", progress)
        try await eventually("it runs") { reader.events.last?.data["status"] == "RUNNING" }
        #expect(reader.events.last?.name == "status")
        try await worker.finish(held)
        try await task.value
        let events = reader.events
        #expect(
            events.last?.name == "done" && events.last?.data["status"] == "DONE" && events.last?.data["num_done"] == 1)
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.id < $1.id }, "\(events.map(\.id))")
        // Who comes back with what it has seen gets the rest; with all of it, nothing, and no reason to come again.
        let again = StreamReader()
        try await again.follow(
            "/jobs/\(id)/events", person.user, headers: ["Last-Event-ID": "\(events[1].id)"]
        ).value
        #expect(again.events.map(\.name) == ["done"] && again.events.first?.id == events.last?.id)
        let last = try #require(events.last?.id)
        let over = try await person.user.get("/jobs/\(id)/events", headers: ["Last-Event-ID": "\(last)"])
        #expect(over.status == 204 && over.body.isEmpty)
        #expect(try await person.user.get("/jobs/\(id)/events", headers: ["Last-Event-ID": "x"]).status == 400)
        let other = try await newPerson()
        #expect(try await other.user.get("/jobs/\(id)/events").status == 404)
    }

    /// `GET /jobs/J?wait=`: answered when the job is at another stage, or the time is over; at once of what has ended.
    @Test func waits() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/d")
        let path = "/jobs/\(id)?wait="
        for wait in ["", "0", "1"] {
            #expect(try await person.user.get(path + wait)["status"] == "SUBMITTED", "\(wait)")
        }
        let begun = ContinuousClock.now
        async let waiting = person.user.get(path + "1000")
        try await worker.finish(try await worker.takeOne())
        // Of the stages that it went through, it is answered with one after that at which it was asked.
        let stage = try await waiting
        #expect(stage.status == 200 && ["SUBMITTED", "DONE"].contains(stage["status"]?.string), "\(stage)")
        #expect(stage["started"] != nil)
        #expect(try await person.user.get(path + "50")["status"] == "DONE")
        #expect(ContinuousClock.now - begun < .seconds(45))
        let gone = try await person.mkdir("/e")
        async let removed = person.user.get("/jobs/\(gone)?wait=50")
        #expect(try await person.user.send("DELETE", "/jobs/\(gone)?remove=1").status == 200)
        #expect(try await removed.status == 404)
        for wrong in ["-1", "x", "1.5"] { #expect(try await person.user.get(path + wrong).status == 400, "\(wrong)") }
        #expect(try await newPerson().user.get(path + "50").status == 404)
    }

    /// What waits is told how much is ahead of it.
    @Test func whatIsAhead() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let before = try await person.mkdir("/a")
        let id = try await person.mkdir("/b")
        let reader = StreamReader()
        let task = reader.follow("/jobs/\(id)/events", person.user)
        try await eventually("the job as it is") { reader.events.count == 1 }
        #expect(reader.events[0].data["ahead"] == 1)
        _ = try await person.user.send("DELETE", "/jobs/\(before)")
        try await eventually("nothing is ahead", within: .seconds(60)) { reader.events.last?.data["ahead"] == 0 }
        #expect(reader.events.last?.name == "progress" && reader.events.last?.data["status"] == "SUBMITTED")
        #expect(reader.events.last?.id == reader.events[0].id)
        try await worker.finish(try await worker.takeOne())
        try await task.value
        #expect(reader.events.last?.name == "done" && reader.events.last?.data["ahead"] == nil)
    }

    /// Bytes that move are told: the latest of them, not each report.
    @Test func ofBytes() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/d")
        let held = try await worker.takeOne()
        let reader = StreamReader()
        let task = reader.follow("/jobs/\(id)/events", person.user)
        try await eventually("the job as it is") { reader.events.count == 1 }
        #expect(reader.events[0].data["transferred"] == nil)
        @Sendable func move(_ bytes: Int) async throws {
            let progress: JSONValue = ["transferred": .int(bytes), "elapsed": 1, "instant": 2.5, "average": 3]
            #expect(try await person.worker.with(held.token).put("\(held.path)/monitoring", progress).status == 200)
        }
        try await move(1)
        try await eventually("it runs") { reader.events.last?.data["status"] == "RUNNING" }
        let before = reader.events.count
        let started = ContinuousClock.now
        for number in 1...100 { try await move(number * 100) }
        try await eventually("the latest") { reader.events.last?.data["transferred"] == 10_000 }
        let told = reader.events.dropFirst(before)
        let seconds = Int((ContinuousClock.now - started) / .seconds(1))
        #expect(told.count <= seconds + 2, "\(told.count) events in \(seconds) s")
        #expect(told.allSatisfy { $0.name == "progress" && $0.data["status"] == "RUNNING" })
        #expect(told.last?.data["instant"] == 2.5 && told.last?.data["average"] == 3)
        try await worker.finish(held)
        try await task.value
        #expect(reader.events.last?.name == "done" && reader.events.last?.data["transferred"] == nil)
    }
}
