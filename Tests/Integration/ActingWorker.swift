import Foundation
import HaulModel
import Support
import Testing

/// A worker as the server sees one, played by a test.
struct ActingWorker: Sendable {
    let caller: Caller
    let name: String
    /// Nil for a worker of the documented system.
    var session: Int?

    /// Registers a session, under a name of its own unless one is given.
    init(
        _ caller: Caller, name: String = "w" + UUID().uuidString.prefix(8),
        protocols: JSONValue = ["ssh", "http", "local", "fake", "gridftp", "dummy"], sites: JSONValue = []
    ) async throws {
        self.caller = caller
        self.name = name
        let answer = try await caller.post(
            "/worker/register",
            [
                "name": .string(name), "host": "h", "version": "1", "slots": 4, "protocols": protocols, "sites": sites,
            ])
        try #require(answer.status == 200, "\(answer)")
        session = try #require(answer["session"]?.int)
    }

    /// A worker that registers nowhere, as the documented system's do.
    init(sessionless caller: Caller) {
        self.caller = caller
        name = ""
    }

    func ask(_ more: [String: JSONValue] = [:]) async throws -> Answer {
        var document: [String: JSONValue] = ["types": [0, 1, 2, 3, 4]]
        if let session { document["session"] = .int(session) }
        document.merge(more) { _, new in new }
        return try await caller.post("/worker/jobs", .object(document))
    }

    /// What the server hands out; nothing where there is no work.
    func take(_ limit: Int = 20, _ more: [String: JSONValue] = [:]) async throws -> [Held] {
        var document = more
        document["algorithm"] = document["algorithm"] ?? "BY_NUMBER"
        document["algorithm.args"] = document["algorithm.args"] ?? ["limit": .int(limit)]
        let answer = try await ask(document)
        if answer.status == 404 { return [] }
        try #require(answer.status == 200, "\(answer)")
        return try Held.all(in: answer)
    }

    /// The one element that there shall be.
    func takeOne(_ more: [String: JSONValue] = [:]) async throws -> Held {
        let held = try await take(1, ["wait": 10].merging(more) { _, new in new })
        return try #require(held.first, "nothing was handed out")
    }

    @discardableResult
    func report(_ held: Held, _ returnCode: Int = 0, _ more: [String: JSONValue] = [:]) async throws -> Answer {
        var document: [String: JSONValue] = [
            "returncode": .int(returnCode), "host": "h", "log": "done\n", "timestamp": "2026-01-01T00:00:00.000Z",
        ]
        document.merge(more) { _, new in new }
        return try await caller.with(held.token).put(held.path, .object(document))
    }

    /// Reports a success, which has to be taken.
    func finish(_ held: Held, _ more: [String: JSONValue] = [:]) async throws {
        let answer = try await report(held, 0, more)
        try #require(answer.status == 200, "\(answer)")
    }

    /// Takes and finishes all that there is of a job until it has ended.
    func finish(job: Int, of user: Caller, within limit: Duration = .seconds(30)) async throws {
        try await eventually("job \(job) ends", within: limit) {
            for held in try await take(1000) { try await finish(held) }
            let status = try await user.get("/jobs/\(job)/status")["status"]
            return status == "DONE" || status == "FAILED"
        }
    }
}

/// An element in a worker's hands.
struct Held: Sendable {
    let job: JSONValue
    let element: JSONValue
    let jobID: Int
    let id: Int
    let attempt: Int
    let token: String
    let source: String

    /// Where its outcome goes.
    var path: String { "/worker/jobs/\(jobID)/elements/\(id)" }
    /// As a heartbeat names it.
    var name: String { "\(jobID).\(id).\(attempt)" }
    var destination: String? { element["dst_filepath"]?.string }
    var type: JobType? { element["type"].flatMap { JobType($0) } }

    static func all(in answer: Answer) throws -> [Held] {
        try #require(answer.json.array).flatMap { job in
            try #require(job["elements"]?.array).map { element in
                Held(
                    job: job, element: element, jobID: try #require(job["id"]?.int),
                    id: try #require(element["id"]?.int), attempt: try #require(element["attempt"]?.int),
                    token: try #require(element["token"]?.string), source: try #require(element["src_filepath"]?.string)
                )
            }
        }
    }
}

extension Person {
    /// Registers a job.
    ///
    /// - Returns: its id.
    func register(_ type: String, _ document: JSONValue) async throws -> Int {
        let answer = try await user.post("/\(type)", document)
        try #require(answer.status == 200, "\(answer)")
        return try #require(answer["id"]?.int)
    }

    func list(_ path: String, _ more: [String: JSONValue] = [:]) async throws -> Int {
        try await register(
            "list",
            .object(["src_siteid": 1, "src_filepath": .string(path)].merging(more) { _, new in new }))
    }

    func copy(_ from: String, _ to: String, _ more: [String: JSONValue] = [:]) async throws -> Int {
        try await register(
            "copy",
            .object(
                [
                    "src_siteid": 1, "src_filepath": .string(from), "dst_siteid": 2, "dst_filepath": .string(to),
                ].merging(more) { _, new in new }))
    }

    func remove(_ path: String, _ more: [String: JSONValue] = [:]) async throws -> Int {
        try await register(
            "remove",
            .object(["src_siteid": 1, "src_filepath": .string(path)].merging(more) { _, new in new }))
    }

    func mkdir(_ path: String) async throws -> Int {
        try await register("mkdir", ["src_siteid": 1, "src_filepath": .string(path)])
    }

    func status(_ job: Int) async throws -> String? { try await user.get("/jobs/\(job)/status")["status"]?.string }

    /// Waits until a job has a status.
    func await(_ job: Int, _ status: String) async throws {
        try await eventually("job \(job) is \(status)") { try await self.status(job) == status }
    }
}

/// An entry of a listing as workers send it.
func entry(_ name: String, size: Int = 1, isDirectory: Bool = false) -> JSONValue {
    [
        "name": .string(name), "st_size": .int(isDirectory ? 4096 : size),
        "st_mode": .int(isDirectory ? 0o040755 : 0o100644), "st_mtime": 1_700_000_000,
    ]
}
