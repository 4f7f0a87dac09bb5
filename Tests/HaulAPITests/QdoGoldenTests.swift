import Foundation
import HaulModel
import Testing

@testable import HaulAPI

/// Documents of the qdo face, byte by byte as they stand in `QdoGolden/`.
@Suite struct QdoGoldenTests {
    private static let registered = Timestamp(milliseconds: 1_767_323_045_678)

    private func golden(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        return try String(contentsOfFile: "\(folder)/QdoGolden/\(name).json", encoding: .utf8)
    }

    private func text(_ value: JSONValue) -> String { String(decoding: JSONText.bytes(value), as: UTF8.self) + "\n" }

    private func job(_ id: Int, _ status: Status, _ task: String? = nil) -> Job {
        var job = Job(
            id: id, userID: 1, queue: "q", type: task == nil ? .copy : .task, protocolName: .ssh, status: status,
            source: task == nil ? .init(siteID: 1, path: "/d e") : .nowhere,
            destination: task == nil ? .init(siteID: 2, path: "/f") : nil, options: [:], priority: 5, maxTries: 2,
            label: nil, logUID: "", registered: Self.registered, changed: Self.registered, counts: StatusCounts())
        if let task { job.draft = JobDraft(document: ["task": .string(task)]) }
        return job
    }

    @Test func tasks() throws {
        let sites = SiteDirectory([Site(id: 1, name: "a", protocolName: .ssh, endpoints: [])])
        var running = job(9, .submitted)
        running.started = Self.registered
        let tasks: [JSONValue] = [
            QdoDocuments.task(job(7, .new, "echo \"é\"\n"), nil, sites),
            QdoDocuments.task(job(8, .submitted), nil, sites), QdoDocuments.task(running, nil, sites),
            QdoDocuments.task(job(10, .done, "x"), JobOutcome(code: 0, message: "fine"), sites),
            QdoDocuments.task(job(11, .done), nil, sites),
            QdoDocuments.task(job(12, .failed, "x"), JobOutcome(code: 7, message: "no"), sites),
            QdoDocuments.task(job(13, .failed), JobOutcome(code: nil, message: "lost"), sites),
            QdoDocuments.task(job(14, .cancelled), nil, sites),
        ]
        #expect(try tasks.map(text).joined() == golden("tasks"))
    }

    @Test func queues() throws {
        let jobs: [JobStage: Int] = [.uncommitted: 1, .waiting: 2, .executing: 3, .done: 4, .failed: 5, .cancelled: 6]
        let paused = Queue(name: "q 2", paused: Self.registered)
        let queues = [
            QdoDocuments.queue((Queue(name: "q", paused: nil, isPopped: true), jobs), user: "alice"),
            QdoDocuments.queue((paused, [:]), user: "alice"),
        ]
        #expect(try queues.map(text).joined() == golden("queues"))
    }

    @Test func login() throws {
        let documents = [
            QdoDocuments.login(key: "haul_k", user: "alice", seconds: 3600, expires: Self.registered),
            QdoDocuments.login(key: "haul_k", user: "alice", seconds: nil, expires: nil),
        ]
        #expect(try documents.map(text).joined() == golden("login"))
    }

    /// Every stage has its state, and every state its stages.
    @Test func states() {
        #expect(QdoState.allCases.flatMap(\.stages).count == JobStage.allCases.count)
        #expect(QdoState(text: "pENDING") == .pending && QdoState(text: "") == nil && QdoState(text: "Killed") == nil)
    }
}
