import HaulHTTP
import HaulModel
import Support
import Testing

/// A client of the qdo face under one token.
struct QdoClient: Sendable {
    let server: LiveServer
    /// Of whose queues paths are.
    var user: String
    var token: String?
    var headers: HTTPHeaders = [:]

    init(_ person: Person) { (server, user, token) = (person.user.server, person.name, person.user.token) }

    init(_ caller: Caller, user: String) { (server, self.user, token) = (caller.server, user, caller.token) }

    /// - Parameter path: below the face's root.
    func send(
        _ method: String, at path: String, _ document: JSONValue? = nil, body: [UInt8] = [], type: String? = nil
    ) async throws -> Answer {
        var fields = headers
        if let token, fields["Authorization"] == nil { fields.set("Authorization", "Bearer \(token)") }
        if document != nil { fields.set("Content-Type", "application/json") }
        if let type { fields.set("Content-Type", type) }
        let response = try await server.client.send(
            HTTPClientRequest(
                method: method, url: server.url + "/qdo" + path, headers: fields,
                body: document.map { Array($0.text.utf8) } ?? body, timeout: 120))
        return Answer(status: response.status, headers: response.headers, body: response.body)
    }

    /// - Parameter path: below the user's queues.
    func send(_ method: String, _ path: String, _ document: JSONValue? = nil) async throws -> Answer {
        try await send(method, at: "/\(user)/queues/\(path)", document)
    }

    func get(_ path: String) async throws -> Answer { try await send("GET", path) }

    /// - Returns: the id of the new task.
    func add(_ command: String, to queue: String) async throws -> String {
        let answer = try await send("POST", "\(queue)/tasks/", ["command": .string(command)])
        #expect(answer.status == 201, "\(answer)")
        return answer["id"]?.string ?? ""
    }

    /// Asks for workers.
    ///
    /// - Returns: the queue's document.
    @discardableResult
    func launch(_ workers: Int, _ queue: String) async throws -> Answer {
        let answer = try await send("POST", "\(queue)/launch", ["nworkers": .int(workers)])
        #expect(answer.status == 202, "\(answer)")
        return answer
    }

    /// - Returns: nil where there is none.
    func pop(_ queue: String) async throws -> Answer? {
        let answer = try await send("POST", "\(queue)/get")
        #expect(answer.status == 200, "\(answer)")
        return answer.json.isNull ? nil : answer
    }

    func state(_ task: String, in queue: String) async throws -> String? {
        try await get("\(queue)/tasks/\(task)")["state"]?.string
    }
}
