import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    func addRegistrationRoutes(to router: inout Routes) {
        let bulk = Route(
            "Register a job, or many at once", .changeJobs, headers: Route.idempotent,
            body: .registration(engine.rules.protocols, most: engine.configuration.limits.usual.bulk),
            answers: .ok(.any(of: [JobDocument.schema, .list(of: .count)])), .usedKey, .goneKey)
        router.on("POST", "/jobs", bulk, bodyLimit: 32 << 20) { request, _ in try await register(request) }
        for type in JobType.allCases {
            let one = Route(
                "Register a job of type \(type.name)", .changeJobs,
                query: [
                    "join?": Schema.one(of: ["0", "1"]).about(
                        "1: the job that does the same already, if it has not failed; the key counts for nothing then")
                ], headers: Route.idempotent,
                body: .json(.registration(type, engine.rules.protocols)), answers: .ok(JobDocument.schema), .usedKey,
                .goneKey)
            router.on("POST", "/\(type.name.lowercased())", one) { request, _ in try await register(request, type) }
        }
    }

    /// `POST /jobs`, and with a type `POST /list`, `/copy` ...
    func register(_ request: HTTPRequest, _ type: JobType? = nil) async throws -> HTTPResponse {
        let principal = try await principal(of: request, .changeJobs)
        let actor = principal.actor(request)
        let key = try Self.idempotencyKey(request)
        if type == nil, let documents = try Self.bulk(request) {
            let most = engine.configuration.limits.of(principal.user.name).bulk
            guard documents.count <= most else { throw Problem.tooMany(most, "jobs") }
            let requests = try await checked(principal) { rules in
                try documents.enumerated().map { try Self.check($1, type: nil, rules, index: $0) }
            }
            let jobs =
                requests.isEmpty ? [] : try await engine.register(requests, user: principal.user, key: key, by: actor)
            var response = JSONText.response(jobs.map(\.id))
            if let warning = try await warnings(requests, last: jobs.last, of: principal.user).first {
                response.headers.set(WirePath.warningHeader, warning)
            }
            return response
        }
        let lines = " Jobs that stand a line each (NDJSON) need the header Content-Type: application/x-ndjson."
        let document = try JSONText.value(request.body, more: type == nil && request.body.contains(0x0A) ? lines : "")
        var query = QueryReader(request)
        let joins = type == nil ? false : query.parse("join", "0 or 1") { ["1": true, "0": false][$0] } ?? false
        try query.check()
        let wanted = try await checked(principal) { try Self.check(document, type: type, $0, index: nil) }
        if joins {
            let job = try await engine.join(wanted, user: principal.user, by: actor).job
            return JSONText.response(writing: JobDocument(job, withCounts: false))
        }
        guard let job = try await engine.register([wanted], user: principal.user, key: key, by: actor).first else {
            throw EngineError.goneSince
        }
        var answer = JobDocument(job, withCounts: false)
        let warnings = try await warnings([wanted], last: job, of: principal.user)
        if !warnings.isEmpty { answer.warnings = warnings }
        return JSONText.response(writing: answer)
    }

    /// The documents of a bulk registration: NDJSON by its content type, or a JSON array; nil for a single one.
    private static func bulk(_ request: HTTPRequest) throws -> [JSONValue]? {
        let contentType = request.headers["Content-Type"]?.lowercased() ?? ""
        if contentType.hasPrefix("application/x-ndjson") || contentType.hasPrefix("application/ndjson") {
            return try JSONText.lines(request.body)
        }
        let first = request.body.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        return first == UInt8(ascii: "[") ? try JSONText.value(request.body).array : nil
    }

    /// What `check` makes of the request, with the sites as they are: another server may have changed them a moment ago.
    private func checked<T>(_ principal: Principal, _ check: (RegistrationRules) throws -> T) async throws -> T {
        let rules = engine.rules
        do { return try check(rules.applied(to: principal.siteUser)) } catch {
            let latest = try await engine.latestRules()
            guard latest.sites != rules.sites else { throw error }
            return try check(latest.applied(to: principal.siteUser))
        }
    }

    private static func check(
        _ document: JSONValue, type: JobType?, _ rules: RegistrationRules, index: Int?
    ) throws -> JobRequest {
        guard let object = document.object else {
            let which = index.map { "Job \($0) of the request" } ?? "The body"
            throw Problem.noObject("\(which) is \(document.kind), not an object.", index: index)
        }
        do {
            return try JobRequest(object, type: type, rules: rules)
        } catch {
            throw Problem.fields(error.fields, index: index)
        }
    }

    /// The request's key, with a hash of all that has to be the same when it is repeated.
    static func idempotencyKey(_ request: HTTPRequest) throws -> IdempotencyKey? {
        guard let key = request.headers[WirePath.idempotencyHeader] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw Problem.invalid(
                "bad_idempotency_key", "\(WirePath.idempotencyHeader) must have 1 to 255 printable ASCII characters.",
                hint: "A UUID will do.")
        }
        let head = Array("\(request.method) \(request.pathSegments.joined(separator: "/"))\n".utf8)
        return IdempotencyKey(key: key, request: head + request.body)
    }
}
