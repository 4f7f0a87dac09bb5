import Foundation
import HaulHTTP
import HaulModel
import Support
import Testing

/// The log of a running attempt, as it grows.
@Suite(.server(), .timeLimit(.minutes(6))) struct FollowTests {
    private func piece(_ held: Held, _ worker: ActingWorker, _ text: String, at offset: Int) async throws {
        let answer = try await worker.caller.with(held.token).send(
            "POST", "\(held.path)/log?offset=\(offset)", Array(text.utf8), headers: ["Content-Type": "text/plain"])
        try #require(answer.status == 200, "\(answer)")
    }

    @Test func asItGrows() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/d")
        let held = try await worker.takeOne()
        let readers = (0..<3).map { _ in StreamReader() }
        let paths = ["/output/1?follow=1", "/output?follow=1", "/output/-1?follow=1"]
        let tasks = zip(readers, paths).map { $0.follow("/jobs/\(id)/elements/0\($1)", person.user) }
        try await piece(held, worker, "one\n", at: 0)
        try await eventually("the first piece") { readers.allSatisfy { $0.text == "one\n" } }
        #expect(readers[0].head?.headers["Content-Type"] == "text/plain; charset=utf-8")
        try await piece(held, worker, "two ü\n", at: 4)
        try await eventually("the second piece") { readers.allSatisfy { $0.text == "one\ntwo ü\n" } }
        #expect(readers.allSatisfy { !$0.isOver })
        try await worker.finish(held, ["log": "the end\n"])
        for task in tasks { try await task.value }
        #expect(readers.allSatisfy { $0.text == "one\ntwo ü\nthe end\n" })
        // One that has ended is shown whole, and ends at once.
        let late = StreamReader()
        try await late.follow("/jobs/\(id)/elements/0/output/1?follow=1", person.user).value
        #expect(late.text == "one\ntwo ü\nthe end\n")
    }

    /// A log past a mebibyte, which stays in a file of its own, and a lease that ends without a report.
    @Test func largeAndLost() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/d")
        let held = try await worker.takeOne()
        let reader = StreamReader()
        let task = reader.follow("/jobs/\(id)/elements/0/output?follow=1", person.user)
        let line = String(repeating: "x", count: 1023) + "\n"
        let block = String(repeating: line, count: 512)
        for number in 0..<4 { try await piece(held, worker, block, at: number * block.utf8.count) }
        // A new session of the worker ends the old one.
        _ = try await ActingWorker(person.worker, name: worker.name)
        try await task.value
        #expect(reader.text.hasPrefix(String(repeating: block, count: 4)))
        #expect(reader.text.contains("the lease ended without a report"))
    }

    @Test func wrongOnes() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/d")
        let path = "/jobs/\(id)/elements/0/output"
        #expect(try await person.user.get(path + "?follow=1").status == 400, "nothing runs yet")
        _ = try await worker.takeOne()
        for wrong in ["/2?follow=1", "/-2?follow=1", "/0?follow=1", "?follow=yes"] {
            #expect(try await person.user.get(path + wrong).status == 400, "\(wrong)")
        }
        let other = try await newPerson()
        #expect(try await other.user.get(path + "?follow=1").status == 404)
    }
}
