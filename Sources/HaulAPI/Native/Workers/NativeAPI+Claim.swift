import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// What a claim asks for, for who asked for something else.
    private static let types =
        "types: " + JobType.transfers.map { "\($0.name) (\($0.rawValue))" }.joined(separator: ", ")
    /// Elements that a claim gives where it does not say how many.
    private static let usualLimit = 20

    /// `POST /worker/jobs`, in haul's own form and in that of the documented system.
    func claim(_ request: HTTPRequest) async throws -> HTTPResponse {
        let principal = try await principal(of: request, .work)
        var fields = Fields(try JSONText.object(request.body))
        let types = fields.required("types") { $0.list($1, Self.types, Self.transfer) }
        if fields.value("types")?.array?.isEmpty == true {
            fields.note("types", "is empty: must be a list of \(Self.types)")
        }
        let protocols = fields.list("protocols", "names of protocols", Self.protocolName)
        let sites = fields.list("sites", "ids or names of sites", siteID)
        let session = fields.int("session", in: 1...Int.max)
        let measure = Self.measure(&fields)
        let wait = fields.number("wait") ?? 0
        try fields.check()
        let query = ClaimQuery(
            types: Set(types ?? []), protocols: protocols.map(Set.init),
            sites: sites.flatMap { $0.isEmpty ? nil : Set($0) }, session: session, measure: measure,
            bearer: try principal.bearer, host: request.remoteAddress)
        let handouts = try await engine.claim(query, wait: min(wait, Self.longestWait))
        guard !handouts.isEmpty else {
            throw Problem(
                ProblemDocument(
                    status: 404, title: "Not found", code: "no_work",
                    detail: "Nothing waits that this worker can take.",
                    hint: "Ask again; `wait` parks the request until there is work, up to \(Int(Self.longestWait)) s."
                ))
        }
        let elements = handouts.reduce(0) { $0 + $1.items.count }
        let credentials = try await credentials(of: Set(handouts.map(\.job.userID)))
        var documents: [ClaimedJob] = []
        for handout in handouts {
            documents.append(
                try await document(
                    handout, credentials[handout.job.userID] ?? [],
                    givenTo: session == nil ? principal.actor(request) : nil))
        }
        return JSONText.response(writing: documents, capacity: 512 * (elements + 2))
    }

    /// A type of which workers get jobs.
    private static func transfer(_ value: JSONValue) -> JobType? { JobType(value).flatMap { $0 == .task ? nil : $0 } }

    private static func measure(_ fields: inout Fields) -> ClaimQuery.Measure {
        let algorithm = fields.text("algorithm")?.uppercased() ?? "BY_NUMBER"
        var arguments = Fields([:])
        if let value = fields.value("algorithm.args") {
            if let object = value.object {
                arguments = Fields(object)
            } else {
                fields.note("algorithm.args", "must be an object")
            }
        }
        let limit = arguments.int("limit", in: 1...Int.max)
        let size = arguments.int("size", in: 0...Int.max)
        for (name, problem) in arguments.problems { fields.note("algorithm.args.\(name)", problem) }
        switch algorithm {
        case "BY_NUMBER": return .number(limit ?? usualLimit)
        case "BY_SIZE":
            if size == nil, arguments.problems["size"] == nil {
                fields.note("algorithm.args.size", "is missing: bytes")
            }
            return .size(size ?? 0)
        default:
            fields.note("algorithm", "must be BY_NUMBER or BY_SIZE")
            return .number(usualLimit)
        }
    }

    /// What is known of the credentials of these users.
    private func credentials(of users: Set<Int>) async throws -> [Int: [Credential]] {
        guard let vault else { return [:] }
        var known: [Int: [Credential]] = [:]
        for user in users { known[user] = try await vault.list(ofUser: user) }
        return known
    }

    /// - Parameter taker: who claims without a session.
    private func document(
        _ handout: Handout, _ credentials: [Credential], givenTo taker: Requester?
    ) async throws -> ClaimedJob {
        var job = ClaimedJob(
            handout.job, source: handout.source, destination: handout.destination,
            elements: handout.items.map { item in
                ClaimedElement(item.element, token: item.token, attempt: item.attempt, leaseUntil: handout.leaseUntil)
            })
        if let taker {
            // Workers of the documented system take credentials with the claim, as text.
            job.sourceCredentials = await text(handout.source, handout.job, credentials, givenTo: taker)
            if handout.job.destination != nil {
                job.destinationCredentials = await text(handout.destination, handout.job, credentials, givenTo: taker)
            }
        } else if !credentials.isEmpty {
            if let site = handout.source { job.source?.credentials = tags(credentials, at: site) }
            if let site = handout.destination { job.destination?.credentials = tags(credentials, at: site) }
        }
        return job
    }

    /// The secret that a user shows at a site, where it is one; else empty. The attempt fails there with what the site
    /// says of that.
    private func text(
        _ site: Site?, _ job: Job, _ credentials: [Credential], givenTo taker: Requester
    ) async -> String {
        guard let vault, let site, tags(credentials, at: site) != nil else { return "" }
        do {
            let secrets = try await vault.open(ofUser: job.userID, at: site, for: "\(job.id)", by: taker)
            return secrets.sorted { $0.key < $1.key }.first.map { String(decoding: $0.value, as: UTF8.self) } ?? ""
        } catch {
            door.onFault("POST /worker/jobs: credentials of job \(job.id): \(error)")
            return ""
        }
    }
}
