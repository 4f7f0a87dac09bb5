public import HaulModel
import HaulStore

/// Jobs that their users take back from whoever has them.
extension Engine {
    /// Takes a job back from whoever has it: it waits as if it had never been handed out, and none of its tries is lost.
    /// What a worker had is not handed out again before that worker can have heard of it.
    ///
    /// - Parameter attempt: under which it was popped; nil is whoever has it.
    /// - Throws: `.conflict` where nobody has it, or another attempt is meant.
    public func revoke(job id: Int, attempt: Int? = nil, by actor: Requester) async throws -> Job {
        if let attempt {
            return try await transact { writer, ledger in
                let state = try Self.known(id, writer)
                let element = try Self.popped(state, attempt, writer.reader)
                guard let decision = try ledger.apply(.revoked(heard: ledger.now), to: element) else {
                    throw EngineError.notPopped(state.job)
                }
                try Self.end(decision, .lost, reason: Self.takenBack, writer, ledger.now)
                try writer.note(Deed(.revoke, "\(id)"), by: actor, now: ledger.now)
                return try ledger.close()[id] ?? state.job
            }
        }
        guard let before = try await job(id) else { throw EngineError.noJob(id) }
        guard before.stage == .executing, try await takeBack([before]) == 1, let after = try await job(id) else {
            throw EngineError.notRunning(try await job(id) ?? before)
        }
        let now = world.now()
        try await store.write { try $0.note(Deed(.revoke, "\(id)"), by: actor, now: now) }
        return after
    }

    /// Takes jobs back, in pieces: each element in one transaction.
    ///
    /// - Returns: how many there were of which somebody had something.
    func takeBack(_ jobs: [Job]) async throws -> Int {
        let most = configuration.dutyPiece
        var taken: Set<Int> = []
        // What is handed out from now on is left alone.
        var held: [AttemptID] = []
        for job in jobs { held += try await heldByWorkers(job.id) }
        for start in stride(from: 0, to: held.count, by: most) {
            let piece = Array(held[start..<min(start + most, held.count)])
            try await lose(piece, because: Self.takenBack, .revoked)
            taken.formUnion(piece.map(\.jobID))
        }
        let known = taken
        var count = 0
        // What has a single element is done together.
        let single = jobs.filter { $0.counts.total <= 1 }.map(\.id)
        if !single.isEmpty {
            count += try await transact(elements: single.count) { [self] writer, ledger in
                try single.count { try putBack($0, after: -1, isBack: known.contains($0), writer, ledger).isBack }
            }
        }
        for job in jobs where job.counts.total > 1 {
            var isBack = known.contains(job.id)
            var after: Int? = -1
            while let place = after {
                let wasBack = isBack
                (isBack, after) = try await transact(elements: most) { [self] writer, ledger in
                    try putBack(job.id, after: place, isBack: wasBack, writer, ledger)
                }
            }
            if isBack { count += 1 }
        }
        return count
    }

    /// What workers have of a job that nobody wants ended.
    private func heldByWorkers(_ job: Int) async throws -> [AttemptID] {
        let most = configuration.dutyPiece
        var held: [AttemptID] = []
        var after: Int? = -1
        while let place = after {
            let page = try await store.read { reader in
                guard try reader.jobState(job)?.intent?.shuts != true else { return [] as [Attempt] }
                return try reader.liveAttempts(ofJob: job, after: place, limit: most)
            }
            held += page.filter { !$0.isPopped }.map {
                AttemptID(jobID: $0.jobID, elementID: $0.elementID, number: $0.number)
            }
            after = page.count < most ? nil : page.last?.elementID
        }
        return held
    }

    private static let takenBack = "its user took it back"

    /// Has a piece of what was popped of a job, or waits between two tries, wait for its turn.
    ///
    /// - Parameter isBack: something of it was taken back before.
    /// - Returns: false where there is nothing to take back; and after which element to go on.
    private func putBack(
        _ job: Int, after: Int, isBack: Bool, _ writer: StoreWriter, _ ledger: Ledger
    ) throws -> (isBack: Bool, after: Int?) {
        guard let state = try writer.reader.jobState(job), state.intent?.shuts != true,
            isBack || state.job.stage == .executing
        else { return (isBack, nil) }
        let limit = configuration.dutyPiece
        let page = try writer.reader.heldBack(ofJob: job, after: after, limit: limit)
        for element in page {
            guard let decision = try ledger.apply(.revoked(heard: ledger.now), to: element) else { continue }
            try Self.end(decision, .lost, reason: Self.takenBack, writer, ledger.now)
        }
        try ledger.restart(job)
        return (true, page.count < limit ? nil : page.last?.id)
    }
}

extension EngineError {
    fileprivate static func notRunning(_ job: Job) -> EngineError {
        EngineError(
            .conflict, code: "job_not_running", detail: "Nobody has job \(job.id): it is \(job.status.name).",
            hint: "POST /jobs/\(job.id)/retry (haul retry \(job.id)) tries again what failed.")
    }
}
