import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    static let whose: KeyValuePairs<String, Schema> = ["user?": .text.about("For operators: whose")]

    /// Queues, and what is handed out of them to who is no worker.
    func addQueueRoutes(to router: inout Routes) {
        let list = Route(
            "Queues", .readJobs, query: Self.whose, answers: .ok(.list(of: QueueDocument.schema)),
            .notFound("There is no such user."))
        router.on("GET", "/queues", list) { request, _ in
            let user = try await owner(request, .readJobs).id
            return JSONText.response(try await engine.queues(ofUser: user).map { QueueDocument($0) })
        }
        let make = Route(
            "Make a queue", .changeJobs, query: Self.whose, body: .json(.newQueue),
            answers: .created(QueueDocument.schema), .conflict("There is one of this name."))
        router.on("PUT", "/queues/:queue", make) { request, path in
            let (user, actor) = try await owner(request, .changeJobs)
            let name = try Self.queueName(path, request)
            var fields = Fields(request.body.isEmpty ? [:] : try JSONText.object(request.body))
            let queue = Queue(
                name: name, paused: nil, limit: fields.int("limit", in: Self.limits),
                isPopped: fields.flag("pop") ?? false, leaseSeconds: fields.int("lease", in: Self.leases))
            try fields.check()
            return JSONText.response(
                QueueDocument(try await engine.make(queue, ofUser: user, by: actor)), status: 201)
        }
        let change = Route(
            "Change a queue", .changeJobs, query: Self.whose, body: .json(.queueChange),
            answers: .ok(QueueDocument.schema))
        router.on("PATCH", "/queues/:queue", change) { request, path in try await changeQueue(request, path) }
        let remove = Route(
            "Remove a queue and all that is in it; what runs of it is stopped", .changeJobs, query: Self.whose,
            answers: Route.Answer(204, "It is gone"))
        router.on("DELETE", "/queues/:queue", remove) { request, path in
            let (user, actor) = try await owner(request, .changeJobs)
            try await engine.remove(queue: try Self.queueName(path, request), ofUser: user, by: actor)
            return HTTPResponse(status: 204)
        }
        addPopRoutes(to: &router)
        addLaunchRoutes(to: &router)
    }

    private func addPopRoutes(to router: inout Routes) {
        let pop = Route(
            "Take the first job of a queue as a whole: no worker gets it; what became of it is to be said", .changeJobs,
            query: Self.whose, answers: .ok(.popped), .notFound("Nothing waits in it, it is paused, or not there."))
        router.on("POST", "/queues/:queue/pop", pop) { request, path in
            let (user, actor) = try await owner(request, .changeJobs)
            let name = try Self.queueName(path, request)
            guard let popped = try await engine.pop(queue: name, ofUser: user, by: actor) else {
                throw Problem.nothingWaits
            }
            return Self.answer(popped)
        }
        let popJob = Route(
            "Take a job that waits, as a whole; or, with `attempt`, keep one that was popped for the queue's lease from now on",
            .changeJobs, body: .json(.popJob), answers: .ok(.popped),
            .conflict("It does not wait as a whole, or its queue is paused; another attempt is meant."))
        router.on("POST", "/jobs/:job/pop", popJob) { request, path in
            let (job, who) = try await known(path, request, .changeJobs)
            var fields = Fields(request.body.isEmpty ? [:] : try JSONText.object(request.body))
            let attempt = fields.int("attempt", in: 1...Int.max)
            try fields.check()
            return Self.answer(try await engine.pop(job: job.id, attempt: attempt, by: who.actor(request)))
        }
        let outcome = Route(
            "Say what became of a job that was popped", .changeJobs, body: .json(.said),
            answers: .ok(JobDocument.counted),
            .conflict("A worker has it, another attempt is meant, or it has ended otherwise."))
        router.on("PUT", "/jobs/:job/outcome", outcome) { request, path in
            let (job, who) = try await known(path, request, .changeJobs)
            var fields = Fields(try JSONText.object(request.body))
            let code = fields.required("returncode") { $0.int($1, in: Self.codes) }
            let reason = fields.text("reason", limit: Self.reasonLimit)
            let attempt = fields.int("attempt", in: 1...Int.max)
            try fields.check()
            let said = Engine.Said(isDone: code == 0, code: code, message: reason, attempt: attempt)
            return JSONText.response(
                writing: JobDocument(
                    try await engine.settle(job: job.id, said, by: who.actor(request)), withCounts: true))
        }
        let recoverJob = Route(
            "Take a job back from whoever has it: it waits again, and none of its tries is lost", .changeJobs,
            answers: .ok(JobDocument.counted), .conflict("Nobody has it."))
        router.on("POST", "/jobs/:job/recover", recoverJob) { request, path in
            let (job, who) = try await known(path, request, .changeJobs)
            let back = try await engine.revoke(job: job.id, by: who.actor(request))
            return JSONText.response(writing: JobDocument(back, withCounts: true))
        }
        for (verb, summary) in [
            ("retry", "Try all of a queue again that failed or was cancelled"),
            ("recover", "Take all of a queue back from whoever has it: it waits again"),
        ] {
            let all = Route(
                summary, .changeJobs, query: Self.whose, answers: .ok(.object(["jobs": .count])),
                .notFound("There is no such queue."))
            router.on("POST", "/queues/:queue/\(verb)", all) { request, path in
                let (user, actor) = try await owner(request, .changeJobs)
                let name = try Self.queueName(path, request)
                let count =
                    verb == "retry"
                    ? try await engine.retry(queue: name, ofUser: user, by: actor)
                    : try await engine.recover(queue: name, ofUser: user, by: actor)
                return JSONText.response(["jobs": count])
            }
        }
    }

    private static let limits = 1...1_000_000
    /// Seconds; up to a year.
    private static let leases = 1...31_536_000
    fileprivate static let codes = -1_000_000...1_000_000
    /// Bytes of what somebody says of how a job ended.
    fileprivate static let reasonLimit = 4096

    /// `PATCH /queues/NAME`.
    private func changeQueue(_ request: HTTPRequest, _ path: PathParameters) async throws -> HTTPResponse {
        let (user, actor) = try await owner(request, .changeJobs)
        let document = try JSONText.object(request.body)
        var fields = Fields(document)
        let paused = fields.flag("paused")
        let limit = fields.int("limit", in: Self.limits)
        let pop = fields.flag("pop")
        let lease = fields.int("lease", in: Self.leases)
        if document["limit"] == nil, document["lease"] == nil, fields.value("paused") == nil, fields.value("pop") == nil
        {
            fields.note(
                "paused", "is missing: true or false; or a limit or a lease: a number, or null for none; or pop")
        }
        try fields.check()
        let queue = try await engine.change(
            queue: try Self.queueName(path, request), ofUser: user, isPaused: paused,
            limit: document["limit"] == nil ? nil : .some(limit), isPopped: pop,
            lease: document["lease"] == nil ? nil : .some(lease), by: actor)
        return JSONText.response(QueueDocument(queue))
    }

    private static func answer(_ popped: Engine.Popped) -> HTTPResponse {
        var writer = JSONWriter(capacity: 1024)
        writer.object { writer in
            writer.key("attempt")
            writer.value(popped.attempt)
            writer.key("job")
            JobDocument(popped.job, withCounts: true).write(to: &writer)
        }
        return HTTPResponse(headers: ["Content-Type": "application/json"], body: .bytes(writer.bytes))
    }

    static func queueName(_ path: PathParameters, _ request: HTTPRequest) throws -> String {
        let name = path["queue"]
        guard (1...64).contains(name.utf8.count),
            !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else { throw Problem.notFound(request) }
        return name
    }

    /// Whose queues: the asker's; an operator may name another user.
    func owner(_ request: HTTPRequest, _ scope: Scope) async throws -> (id: Int, actor: Requester) {
        let principal = try await principal(of: request, scope)
        guard let name = request.query("user"), !name.isEmpty, name != principal.user.name else {
            return (principal.user.id, principal.actor(request))
        }
        guard principal.isOperator else { throw Problem.notAllowed(principal, [.operate]) }
        guard let user = try await engine.user(named: name) else { throw Problem.noUser(name) }
        return (user.id, principal.actor(request))
    }
}

extension Schema {
    /// Elements of a queue that may be with workers at once.
    private static let queueLimit = integer(1...1_000_000).orNull.about("Null: none")
    private static let queueLease = integer(1...31_536_000).orNull.about(
        "Seconds that one who popped a job may be silent; null: for ever")
    fileprivate static let newQueue = object(
        ["limit?": queueLimit, "pop?": flag.orNull.about("It is handed out by pop alone"), "lease?": queueLease],
        isOpen: true)
    fileprivate static let queueChange = any(of: [
        object(["paused": .flag, "limit?": queueLimit, "pop?": flag.orNull, "lease?": queueLease], isOpen: true),
        object(
            ["paused?": .flag.orNull, "limit": queueLimit, "pop?": flag.orNull, "lease?": queueLease], isOpen: true),
        object(["paused?": .flag.orNull, "limit?": queueLimit, "pop": flag, "lease?": queueLease], isOpen: true),
        object(
            ["paused?": .flag.orNull, "limit?": queueLimit, "pop?": flag.orNull, "lease": queueLease], isOpen: true),
    ])
    fileprivate static let popped = object(["job": JobDocument.counted, "attempt": integer(1...Int.max)])
    fileprivate static let popJob = object(
        ["attempt?": integer(1...Int.max).orNull.about("Under which it was popped")], isOpen: true)
    fileprivate static let said = object(
        [
            "returncode": integer(NativeAPI.codes).about("0: it is done"),
            "reason?": text(0...NativeAPI.reasonLimit).orNull,
            "attempt?": integer(1...Int.max).orNull.about("Of which attempt it is said; the one that runs unless said"),
        ], isOpen: true)
}

extension Problem {
    fileprivate static let nothingWaits = Problem(
        ProblemDocument(
            status: 404, title: "Not found", code: "no_work", detail: "Nothing waits in this queue, or it is paused.",
            hint: "Ask again later; POST /jobs with `queue` puts something in."))
}
