public import HaulModel
import HaulStore

/// Jobs that are registered first and committed later. Until then their parameters can be changed, nothing of them is
/// checked, and nothing is handed out.
extension Engine {
    /// Registers a job that is not committed.
    ///
    /// - Parameters:
    ///   - draft: what is asked; a sound `label`, `execution_duration` and `destruction` are the job's own from now on.
    ///   - site: commits it at once, in the same transaction, as this user.
    ///   - key: a repeated one of the same user is answered as the first.
    /// - Throws: `EngineError.overLimit` where too many of the user's are not committed, `.invalid` for too long a document.
    public func register(
        _ draft: JobDraft, user: User, committedAs site: SiteUser? = nil, key: IdempotencyKey? = nil,
        by actor: Requester? = nil
    ) async throws -> Job {
        let rules = site == nil ? nil : try await latestRules()
        let now = world.now()
        var job = try Self.job(from: draft, user: user, now: now)
        job.logUID = LogUID.make(1, now: now, random: world.random)[0]
        let made = job
        let oldest = now.adding(seconds: -configuration.idempotencySeconds)
        let most = configuration.draftsPerUser
        return try await transact { [self] writer, ledger in
            if let kept = try writer.reader.keptAnswer(to: key, user: user, since: oldest) {
                guard let id = kept.jobIDs.first, let job = try writer.reader.job(id) else {
                    throw EngineError.goneSince
                }
                return job
            }
            guard try writer.reader.drafts(ofUser: user.id, most: most) < most else {
                throw EngineError.tooManyDrafts(most)
            }
            var job = made
            job.id = try writer.insertDraft(made)
            try writer.keep(key, jobs: [job.id], user: user, now: now)
            try writer.note(Deed(.register, "\(job.id)", "uncommitted"), by: actor, now: now)
            guard let site, let rules else { return job }
            try commit(job, rules.applied(to: site), writer, ledger)
            try writer.note(Deed(.commit, "\(job.id)"), by: actor, now: now)
            return try ledger.close()[job.id] ?? job
        }
    }

    /// Changes what is asked of a job that is not committed; a null takes a field away.
    ///
    /// - Returns: the job as it is now.
    /// - Throws: `.conflict` once it is committed, `.invalid` for too long a document.
    public func changeParameters(
        ofJob id: Int, _ changes: [String: JSONValue], by actor: Requester? = nil
    ) async throws -> Job {
        try await transact { writer, ledger in try Self.changeParameters(id, changes, actor, writer, ledger) }
    }

    static func changeParameters(
        _ id: Int, _ changes: [String: JSONValue], _ actor: Requester?, _ writer: StoreWriter, _ ledger: Ledger
    ) throws -> Job {
        var job = try Self.uncommitted(id, writer)
        let changed = (job.draft ?? JobDraft(document: [:])).changed(by: changes)
        job.take(try changed.bounded())
        job.drop(changes.filter(\.value.isNull).keys)
        job.changed = ledger.now
        try ledger.changeDraft(job)
        let names = changes.keys.sorted().joined(separator: ",")
        try writer.note(Deed(.change, "\(id)", "parameters=\(names.prefix(200))"), by: actor, now: ledger.now)
        return try ledger.close()[id] ?? job
    }

    /// Commits a job: what is asked is checked, and it waits to be handed out. What can't be run has failed at once, its
    /// first element says why.
    ///
    /// - Returns: the job as it is now.
    /// - Throws: `.conflict` once it is committed, `.overLimit` where too much of the user waits.
    public func commit(job id: Int, user: SiteUser, by actor: Requester? = nil) async throws -> Job {
        // Another server may have changed sites a moment ago.
        let rules = try await latestRules().applied(to: user)
        return try await transact { [self] writer, ledger in try commit(id, rules, actor, writer, ledger) }
    }

    func commit(
        _ id: Int, _ rules: RegistrationRules, _ actor: Requester?, _ writer: StoreWriter, _ ledger: Ledger
    ) throws -> Job {
        let job = try Self.uncommitted(id, writer)
        try commit(job, rules, writer, ledger)
        try writer.note(Deed(.commit, "\(id)"), by: actor, now: ledger.now)
        return try ledger.close()[id] ?? job
    }

    private func commit(
        _ draft: Job, _ rules: RegistrationRules, _ writer: StoreWriter, _ ledger: Ledger
    ) throws {
        if let limit = configuration.limits.of(try writer.reader.name(ofUser: draft.userID)).waiting {
            let waiting = try writer.reader.waiting(ofUser: draft.userID)
            if waiting >= limit { throw EngineError.tooMuchWaits(waiting, of: limit) }
        }
        do {
            let request = try JobRequest(draft.draft ?? JobDraft(document: [:]), rules: rules)
            let job = draft.committed(as: request, now: ledger.now)
            try Self.checkDoom(of: job.id, inQueue: job.queue, ofUser: job.userID, writer.reader)
            try ledger.commit(job, first: Registration.firstElement(of: job))
        } catch let problems as FieldProblems {
            try ledger.refuse(with: JobMachine.refusal(of: draft, because: problems, now: ledger.now))
        } catch StoreError.limit(let what, let most) {
            let problems = FieldProblems(["queue": "is one too many: a user may have \(most) \(what)"])
            try ledger.refuse(with: JobMachine.refusal(of: draft, because: problems, now: ledger.now))
        }
    }

    private static func uncommitted(_ id: Int, _ writer: StoreWriter) throws -> Job {
        let state = try known(id, writer)
        guard state.job.status == .new, state.intent == nil else { throw EngineError.committed(state.job) }
        return state.job
    }

    private static func job(from draft: JobDraft, user: User, now: Timestamp) throws -> Job {
        var job = Job(
            id: 0, userID: user.id, queue: JobRequest.defaultQueue, type: draft.type ?? .list, protocolName: .gridftp,
            status: .new, source: Job.Place(siteID: 0, path: ""), destination: nil, options: [:],
            priority: JobRequest.usualPriority, maxTries: JobRequest.usualTries, label: nil, logUID: "",
            registered: now, changed: now, counts: StatusCounts())
        job.isSound = false
        job.take(try draft.bounded())
        return job
    }
}

extension Job {
    /// Takes what is asked, with what of it is the job's own before it is committed.
    fileprivate mutating func take(_ draft: JobDraft) {
        var draft = draft
        type = draft.type ?? .list
        // What is wrong of them is said when the job is committed.
        for name in ["label", "execution_duration", "destruction"] {
            guard let value = draft.document[name], let change = try? JobChange([name: value]) else { continue }
            draft.document[name] = nil
            if let label = change.label { self.label = label }
            if let destruction = change.destruction { self.destruction = destruction }
            executionSeconds = change.executionSeconds ?? executionSeconds
        }
        self.draft = draft
    }

    /// Takes away what of the job's own is wanted no more.
    fileprivate mutating func drop(_ names: some Sequence<String>) {
        for name in names {
            switch name {
            case "label": label = nil
            case "destruction": destruction = nil
            case "execution_duration": executionSeconds = 0
            default: break
            }
        }
    }

    /// The same, to be run as it was asked.
    fileprivate func committed(as request: JobRequest, now: Timestamp) -> Job {
        var job = self
        job.type = request.type
        job.protocolName = request.protocolName
        job.source = request.source
        job.destination = request.destination
        job.options = request.options
        job.priority = request.priority
        job.maxTries = request.maxTries
        job.queue = request.queue
        job.label = request.label ?? label
        // It waits from now on.
        job.deadline = Engine.deadline(of: request, registered: now)
        job.executionSeconds = request.executionSeconds ?? executionSeconds
        job.destruction = request.destruction ?? destruction
        job.isSound = true
        return job
    }
}

extension JobDraft {
    /// - Throws: `.invalid` where it is longer than what a list of jobs can hold.
    fileprivate func bounded() throws -> JobDraft {
        guard isShort else {
            throw EngineError(
                .invalid, code: "parameters_too_long",
                detail: "The parameters of a job have \(JobRequest.optionsLimit) bytes at most, as JSON.",
                hint: "Leave out what the transfer does not need; nothing was changed.")
        }
        return self
    }
}

extension EngineError {
    /// No time to wait helps here.
    public static let tooManyDraftsCode = "too_many_uncommitted"

    static func tooManyDrafts(_ most: Int) -> EngineError {
        EngineError(
            .overLimit, code: tooManyDraftsCode,
            detail:
                "\(most) jobs of this user are not committed, or could not be, and no more may; nothing was registered.",
            hint: "Commit or remove some of them (DELETE ...?remove=1).")
    }

    /// 409 for what can be done before a job is committed alone.
    static func committed(_ job: Job) -> EngineError {
        EngineError(
            .conflict, code: "job_committed", detail: "Job \(job.id) is committed: it is \(job.status.name).",
            hint: "Its parameters stay as they are: register a new job for others.")
    }

    /// 409 for what can be done of a job that was committed and can be run.
    static func notCommitted(_ job: Job) -> EngineError {
        job.status == .new
            ? EngineError(
                .conflict, code: "job_uncommitted", detail: "Job \(job.id) is not committed.",
                hint:
                    "PATCH /jobs/\(job.id)/parameters changes what it asks for, POST /jobs/\(job.id)/commit commits it."
            )
            : EngineError(
                .conflict, code: "job_never_ran", detail: "Job \(job.id) never was one that can be run.",
                hint: "Register a new one; its element 0 says what is wrong with it.")
    }
}
