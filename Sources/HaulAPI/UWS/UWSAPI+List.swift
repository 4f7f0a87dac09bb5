import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel

extension UWSAPI {
    func addListRoutes(to router: inout Router) {
        read(&router, "/:list") { request, path, who in try await showList(request, path, who) }
        write(&router, "POST", "/:list") { request, path, who in try await create(request, path, who) }
    }

    /// `GET {jobs}?PHASE=&AFTER=&LAST=` (UWS 1.1, 2.2.2.1): the jobs of the one who asks, one page of the database after
    /// the other.
    private func showList(
        _ request: HTTPRequest, _ path: PathParameters, _ who: Principal
    ) async throws -> HTTPResponse {
        var filter = JobFilter(userID: who.user.id, type: try list(path).type)
        let last = try narrow(&filter, request)
        let narrowed = filter
        let newestFirst = last != nil
        let first = try await engine.jobs(
            narrowed, after: newestFirst ? Int.max : 0, limit: min(last ?? Self.page, Self.page),
            newestFirst: newestFirst)
        let response = HTTPResponse(
            headers: ["Content-Type": UWSDocuments.contentType],
            body: .stream { [engine] writer in
                var xml = XMLWriter()
                UWSDocuments.beginJobs(&xml)
                var jobs = first
                var left = last ?? Int.max
                while let latest = jobs.last, left > 0 {
                    for job in jobs {
                        UWSDocuments.reference(
                            job, owner: who.user.name, url: url(request, path, job: job.id), &xml)
                    }
                    try await writer.write(xml.take())
                    left -= jobs.count
                    if jobs.count < Self.page { break }
                    jobs = try await engine.jobs(
                        narrowed, after: latest.id, limit: min(left, Self.page), newestFirst: newestFirst)
                }
                xml.end()
                try await writer.write(xml.take())
            })
        return door.watched(response, request.head)
    }

    /// - Returns: how many of the newest are wanted; nil for all, the oldest first.
    private func narrow(_ filter: inout JobFilter, _ request: HTTPRequest) throws -> Int? {
        if request.hasInvalidEncoding { throw Problem.badEncoding }
        var last: Int?
        for (name, value) in request.query {
            switch name.uppercased() {
            case "PHASE":
                guard let phase = UWSPhase(text: value) else {
                    let phases = UWSPhase.allCases.map(\.rawValue).joined(separator: ", ")
                    throw Refusal.invalid("PHASE must be one of \(phases).")
                }
                filter.stages = (filter.stages ?? []).union([phase.stage].compactMap(\.self))
            case "AFTER":
                guard let time = Timestamp(uws: value) else {
                    throw Refusal.invalid("AFTER must be a time: 2015-10-26T09:00:00.")
                }
                filter.registeredAfter = max(time, filter.registeredAfter ?? time)
            case "LAST":
                guard let number = Int(value), number > 0 else {
                    throw Refusal.invalid("LAST must be a number, 1 or more.")
                }
                last = min(number, last ?? number)
            default: break
            }
        }
        return last
    }

    /// `POST {jobs}`: makes a job, which is committed at once where `PHASE=RUN` says so.
    private func create(
        _ request: HTTPRequest, _ path: PathParameters, _ who: Principal
    ) async throws -> HTTPResponse {
        let list = try list(path)
        let asked = try UWSParameters(request)
        if let phase = asked.phase, phase.uppercased() != "RUN" {
            throw Refusal.invalid("PHASE of a new job can be RUN alone.")
        }
        var document = try asked.fitted(to: list, engine.rules)
        if let label = asked.runID, !label.isEmpty {
            document["label"] = .string(try Self.label(label))
        }
        if let seconds = asked.executionDuration {
            document["execution_duration"] = .int(try Self.duration(seconds))
        }
        if let time = asked.destruction, let parsed = try Self.destruction(time) {
            document["destruction"] = .string(parsed.text)
        }
        let draft = JobDraft(type: list.type, document: document)
        let job = try await engine.register(
            draft, user: who.user, committedAs: asked.phase == nil ? nil : who.siteUser, by: who.actor(request))
        return Self.seeOther(url(request, path, job: job.id))
    }

    /// - Throws: 400 for what is too long, or has control characters.
    static func label(_ text: String) throws -> String {
        guard (try? JobChange(["label": .string(text)])) != nil else {
            throw Refusal.invalid("RUNID must be a text of up to 256 bytes without control characters.")
        }
        return text
    }

    /// - Throws: 400 for what is no number of seconds.
    static func duration(_ text: String) throws -> Int {
        guard let seconds = Int(text), (0...JobRequest.longestQueueTime).contains(seconds) else {
            throw Refusal.invalid(
                "EXECUTIONDURATION must be seconds, up to \(JobRequest.longestQueueTime); 0 is any number.")
        }
        return seconds
    }

    /// - Returns: nil for an empty text: the job is not destroyed by itself.
    /// - Throws: 400 for what is no time.
    static func destruction(_ text: String) throws -> Timestamp? {
        if text.isEmpty { return nil }
        guard let time = Timestamp(uws: text) else {
            throw Refusal.invalid("DESTRUCTION must be a time: 2015-10-26T09:00:00Z.")
        }
        return time
    }
}
