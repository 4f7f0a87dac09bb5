import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel

extension UWSAPI {
    /// Seconds that a client waits at most.
    static let longestWait = 60.0

    func addJobRoutes(to router: inout Router) {
        read(&router, "/:list/:job") { request, path, who in try await showJob(request, path, who) }
        write(&router, "POST", "/:list/:job") { request, path, who in try await change(request, path, who) }
        write(&router, "DELETE", "/:list/:job") { request, path, who in try await destroy(request, path, who) }
        for part in ["phase", "executionduration", "destruction", "parameters"] {
            write(&router, "POST", "/:list/:job/\(part)") { request, path, who in
                try await change(request, path, who, part)
            }
        }
        read(&router, "/:list/:job/phase") { _, path, who in
            Self.text(of: UWSPhase(try await job(path, who).stage).rawValue)
        }
        read(&router, "/:list/:job/executionduration") { _, path, who in
            Self.text(of: "\(try await job(path, who).executionSeconds)")
        }
        read(&router, "/:list/:job/destruction") { _, path, who in
            Self.text(of: try await job(path, who).destruction?.text ?? "")
        }
        read(&router, "/:list/:job/quote") { _, path, who in
            Self.text(of: try await quote(of: try await job(path, who))?.text ?? "")
        }
        read(&router, "/:list/:job/owner") { _, path, who in
            Self.text(of: try await engine.name(ofUser: try await job(path, who).userID))
        }
        read(&router, "/:list/:job/parameters") { _, path, who in
            Self.xml(UWSDocuments.parameters(try await job(path, who), in: try list(path)))
        }
        read(&router, "/:list/:job/parameters/:name") { _, path, who in
            let found = try await job(path, who).uwsParameters(in: try list(path)).first {
                $0.name.lowercased() == path["name"].lowercased()
            }
            guard let found else { throw Refusal.nothing("The job has no such parameter.") }
            return Self.text(of: found.value)
        }
        write(&router, "PUT", "/:list/:job/parameters/:name") { request, path, who in
            let job = try await job(path, who)
            guard let value = String(validating: request.body, as: UTF8.self) else {
                throw Refusal.invalid("The body is no UTF-8.")
            }
            var asked = try UWSParameters(HTTPRequest(head: request.head))
            asked.set(path["name"], value)
            try await apply(asked, to: job, request, path, who)
            return Self.seeOther(url(request, path, job: job.id))
        }
    }

    /// What a part of a job says: the text alone.
    private static func text(of value: String) -> HTTPResponse { HTTPResponse(text: value) }

    /// `GET {jobs}/{job}?WAIT=&PHASE=` (UWS 1.1, 2.2.1.1): at once, or when the phase is another; no thread waits.
    private func showJob(
        _ request: HTTPRequest, _ path: PathParameters, _ who: Principal
    ) async throws -> HTTPResponse {
        if request.hasInvalidEncoding { throw Problem.badEncoding }
        var job = try await job(path, who)
        if let seconds = try Self.patience(request.query, UWSPhase(job.stage)) {
            let before = job.stage
            guard let later = try await engine.wait(for: job.id, seconds: seconds, while: { $0.stage == before }) else {
                throw Refusal.noJob
            }
            job = later
        }
        return try await document(job, request, path)
    }

    /// For how long a client wants to wait for the end of a phase; nil where it does not, or has no reason to.
    static func patience(_ query: [(name: String, value: String)], _ phase: UWSPhase) throws -> Double? {
        var seconds: Double?
        var expected = phase
        for (name, value) in query {
            switch name.uppercased() {
            case "WAIT":
                guard let number = Int(value), number >= -1 else {
                    throw Refusal.invalid("WAIT must be seconds, or -1 for as long as may be.")
                }
                seconds = number < 0 ? longestWait : min(Double(number), longestWait)
            case "PHASE":
                guard let phase = UWSPhase(text: value) else { throw Refusal.invalid("PHASE must be a phase.") }
                expected = phase
            default: break
            }
        }
        return phase.isActive && expected == phase ? seconds : nil
    }

    /// When a job will have ended, as far as that can be told.
    private func quote(of job: Job) async throws -> Timestamp? {
        guard job.stage == .waiting || job.stage == .executing else { return nil }
        do { return try await engine.explain(job: job.id).estimate?.ends } catch let error as EngineError
            where error.kind == .notFound
        { throw Refusal.noJob }
    }

    /// A job's document, with its results streamed page by page.
    private func document(
        _ job: Job, _ request: HTTPRequest, _ path: PathParameters
    ) async throws -> HTTPResponse {
        let url = url(request, path, job: job.id)
        var around = UWSDocuments.Around(
            owner: try await engine.name(ofUser: job.userID), list: try list(path), url: url,
            quote: try await quote(of: job))
        if job.status == .running { around.progress = try await engine.progress(ofJob: job.id) }
        if job.stage == .failed { around.message = try await failure(of: job) }
        let known = around
        let first = try await results(of: job, after: (-1, 0))
        let response = HTTPResponse(
            headers: ["Content-Type": UWSDocuments.contentType],
            body: .stream { writer in
                var xml = XMLWriter()
                UWSDocuments.beginJob(job, known, &xml)
                try await writeResults(of: job, first, url: url, &xml, to: writer)
                UWSDocuments.endJob(job, known, &xml)
                try await writer.write(xml.take())
            })
        return door.watched(response, request.head)
    }

    /// `POST {jobs}/{job}` and its parts: parameters, how long it may take, when it goes, its phase; `ACTION=DELETE`.
    ///
    /// - Parameter part: what is posted to, where it is not the job itself.
    private func change(
        _ request: HTTPRequest, _ path: PathParameters, _ who: Principal, _ part: String? = nil
    ) async throws -> HTTPResponse {
        let job = try await job(path, who)
        let asked = try UWSParameters(request)
        if let action = asked.action {
            guard action.uppercased() == "DELETE" else { throw Refusal.invalid("ACTION can be DELETE alone.") }
            return try await destroy(request, path, who)
        }
        if let part, asked.lacks(part) { throw Refusal.invalid("The parameter \(part.uppercased()) is missing.") }
        try await apply(asked, to: job, request, path, who)
        return Self.seeOther(url(request, path, job: job.id))
    }

    private func apply(
        _ asked: UWSParameters, to job: Job, _ request: HTTPRequest, _ path: PathParameters, _ who: Principal
    ) async throws {
        let phase = asked.phase?.uppercased()
        guard phase.map({ $0 == "RUN" || $0 == "ABORT" }) ?? true else {
            throw Refusal.invalid("PHASE can be set to RUN or ABORT.")
        }
        var change = JobChange()
        change.executionSeconds = try asked.executionDuration.map(Self.duration)
        if let time = asked.destruction { change.destruction = .some(try Self.destruction(time)) }
        if let label = asked.runID { change.label = .some(label.isEmpty ? nil : try Self.label(label)) }
        let parameters = try asked.fitted(to: try list(path), engine.rules, job)
        // It runs as its owner: an operator may end it, and has no say in what it does.
        guard job.userID == who.user.id || parameters.isEmpty && phase != "RUN" else { throw Refusal.notYours }
        let step: JobRevision.Step? =
            switch phase {
            case "RUN": .commit(who.siteUser)
            case "ABORT": .cancel
            default: nil
            }
        _ = try await engine.revise(
            job: job.id, JobRevision(parameters: parameters, change: change, step: step), by: who.actor(request))
    }

    /// `DELETE {jobs}/{job}`: it is gone when this is answered.
    private func destroy(
        _ request: HTTPRequest, _ path: PathParameters, _ who: Principal
    ) async throws -> HTTPResponse {
        let job = try await job(path, who)
        _ = try await engine.destroy(job: job.id, by: who.actor(request))
        return Self.seeOther(url(request, path))
    }
}
