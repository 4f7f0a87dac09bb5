import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension QdoAPI {
    private static let codes = -1_000_000...1_000_000
    /// Bytes of a request with many tasks.
    private static let batchLimit = 32 << 20
    /// Bytes of a list from which on they are sent.
    private static let piece = 64 << 10

    /// - Parameter queue: the pattern below which a queue's tasks stand.
    func addTaskRoutes(to router: inout Router, _ queue: String) {
        read(&router, "\(queue)/tasks") { request, path, visit in try await list(request, path, visit) }
        for name in ["tasks", "addtask"] {
            write(&router, "POST", "\(queue)/\(name)") { request, path, visit in
                guard let command = try QdoFields(request).text("command") else {
                    throw Problem.fields(["command": "is missing: must be a text"])
                }
                let added = try await add([command], isBatch: false, path, visit)
                return Self.json(added.first ?? .null, status: 201)
            }
        }
        for name in ["addtasks", "batchtasks"] {
            write(&router, "POST", "\(queue)/\(name)", bodyLimit: Self.batchLimit) { request, path, visit in
                let most = bulk(visit)
                // The names of fields count, too.
                guard let commands = try QdoFields(request, most: most + 1000).texts("commands") else {
                    throw Problem.fields(["commands": "is missing: must be a list of texts"])
                }
                return Self.json(.array(try await add(commands, isBatch: true, path, visit)), status: 201)
            }
        }
        for name in ["get", "poptask"] {
            write(&router, "POST", "\(queue)/\(name)") { _, path, visit in
                let popped = try await engine.pop(queue: path["queue"], ofUser: visit.user.id, by: visit.actor)
                guard let popped else { return Self.json(.null) }
                return Self.json(try await document(popped.job, nil, attempt: popped.attempt))
            }
        }
        read(&router, "\(queue)/tasks/:task") { _, path, visit in try await show(try await task(path, visit)) }
        write(&router, "PUT", "\(queue)/tasks/:task") { request, path, visit in
            try await change(request, path, visit)
        }
    }

    /// The task that the path names.
    private func task(_ path: PathParameters, _ visit: Visit) async throws -> Job {
        _ = try await engine.queue(path["queue"], ofUser: visit.user.id)
        guard let id = Int(id: path["task"]), let job = try await engine.job(id), job.userID == visit.user.id,
            job.queue == path["queue"]
        else { throw Problem.nothing("There is no such task in this queue.") }
        return job
    }

    private func document(_ job: Job, _ outcome: JobOutcome?, attempt: Int? = nil) async throws -> JSONValue {
        QdoDocuments.task(job, outcome, try await sites(of: [job]), attempt: attempt)
    }

    /// The sites, those among them that stand in the words of these jobs.
    private func sites(of jobs: [Job]) async throws -> SiteDirectory {
        let places = jobs.filter { $0.task == nil }.flatMap { [$0.source, $0.destination] }
        return try await engine.siteDirectory(with: places.compactMap { $0?.siteID })
    }

    /// Tasks that one request may add.
    private func bulk(_ visit: Visit) -> Int { engine.configuration.limits.of(visit.user.name).bulk }

    private func show(_ job: Job) async throws -> HTTPResponse {
        let outcome = try await engine.outcomes(of: [job])[job.id]
        return Self.json(try await document(job, outcome))
    }

    /// `GET tasks/?state=&exitcode=`, one page of the database after the other.
    private func list(_ request: HTTPRequest, _ path: PathParameters, _ visit: Visit) async throws -> HTTPResponse {
        if request.hasInvalidEncoding { throw Problem.badEncoding }
        _ = try await engine.queue(path["queue"], ofUser: visit.user.id)
        var query = QueryReader(request)
        let names = QdoState.allCases.map(\.rawValue).joined(separator: ", ")
        let state = query.parse("state", "one of \(names)") { QdoState(text: $0) }
        let code = query.parse("exitcode", "an integer") { Int($0) }
        try query.check()
        var filter = JobFilter(userID: visit.user.id, queue: path["queue"])
        filter.stages = state?.stages
        filter.returnCode = code
        let narrowed = filter
        let first = try await engine.jobs(narrowed, after: 0, limit: Self.page, words: true)
        let response = HTTPResponse(
            headers: ["Content-Type": "application/json"],
            body: .stream { [engine] writer in
                var jobs = first
                var separator = "["
                while let last = jobs.last {
                    let outcomes = try await engine.outcomes(of: jobs)
                    let directory = try await sites(of: jobs)
                    var bytes: [UInt8] = []
                    for job in jobs {
                        let task = QdoDocuments.task(job, outcomes[job.id], directory)
                        bytes += Array(separator.utf8) + JSONText.bytes(task)
                        separator = ",\n"
                        if bytes.count >= Self.piece {
                            try await writer.write(bytes)
                            bytes = []
                        }
                    }
                    if !bytes.isEmpty { try await writer.write(bytes) }
                    if jobs.count < Self.page { break }
                    jobs = try await engine.jobs(narrowed, after: last.id, limit: Self.page, words: true)
                }
                try await writer.write(Array((separator == "[" ? "[]" : "]").utf8))
            })
        return door.watched(response, request.head)
    }

    /// Adds tasks, all or none.
    private func add(
        _ commands: [String], isBatch: Bool, _ path: PathParameters, _ visit: Visit
    ) async throws -> [JSONValue] {
        _ = try await engine.queue(path["queue"], ofUser: visit.user.id)
        let most = bulk(visit)
        guard commands.count <= most else { throw Problem.tooMany(most, "commands") }
        // Another server may have changed sites a moment ago.
        let rules = try await engine.latestRules().applied(to: visit.who.siteUser)
        let requests = try commands.enumerated().map { index, command in
            let draft = JobDraft(document: QdoCommand(command, queue: path["queue"], rules).document)
            do throws(FieldProblems) { return try JobRequest(draft, rules: rules) } catch {
                throw Problem.fields(error.fields, index: isBatch ? index : nil)
            }
        }
        if requests.isEmpty { return [] }
        let jobs = try await engine.register(requests, user: visit.user, makesQueues: false, by: visit.actor)
        return jobs.map { QdoDocuments.task($0, nil, rules.sites) }
    }

    /// `PUT tasks/{id}`: `state`, maybe `err` and `message`; and the `attempt` of one who popped it, for whom no other is
    /// taken then.
    private func change(_ request: HTTPRequest, _ path: PathParameters, _ visit: Visit) async throws -> HTTPResponse {
        let job = try await task(path, visit)
        let fields = try QdoFields(request)
        let names = QdoState.allCases.map(\.rawValue).joined(separator: ", ")
        guard let state = try fields.text("state").flatMap({ QdoState(text: $0) }) else {
            throw Problem.fields(["state": "must be one of \(names)"])
        }
        let code = try fields.int("err", in: Self.codes)
        let message = try fields.text("message")
        if let message, message.utf8.count > 4096 {
            throw Problem.fields(["message": "must be a text of up to 4096 bytes"])
        }
        let attempt = try fields.int("attempt", in: 1...Int.max)
        let now: Job
        switch (QdoState(job.stage), state) {
        case (_, .succeeded), (_, .failed):
            let said = Engine.Said(isDone: state == .succeeded, code: code, message: message, attempt: attempt)
            now = try await engine.settle(job: job.id, said, by: visit.actor)
        case (.pending, .running), (.running, .running):
            let popped = try await engine.pop(job: job.id, attempt: attempt, by: visit.actor)
            return Self.json(try await document(popped.job, nil, attempt: popped.attempt))
        case (.running, .pending):
            now = try await engine.revoke(job: job.id, attempt: attempt, by: visit.actor)
        case (.failed, .pending): now = try await engine.retry(job: job.id, user: visit.user, key: nil, by: visit.actor)
        case (.waiting, .pending):
            now = try await engine.commit(job: job.id, user: visit.who.siteUser, by: visit.actor)
        case (.waiting, .waiting), (.pending, .pending): now = job
        case (let old, _): throw Problem.wrongState(old, state)
        }
        return try await show(now)
    }
}

extension Problem {
    fileprivate static func wrongState(_ old: QdoState, _ new: QdoState) -> Problem {
        Problem(
            ProblemDocument(
                status: 409, title: "Conflict", code: "wrong_state",
                detail: "The task is \(old.rawValue), and can't become \(new.rawValue).",
                hint: "Add a new task to do it once more."))
    }
}
