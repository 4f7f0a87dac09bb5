import HaulLogs
import HaulModel

@testable import HaulEngine
@testable import HaulStore

/// What holds at every moment, read from the database itself.
enum Invariants {
    /// - Returns: what does not hold.
    static func violations(_ store: Store, _ record: Record) async throws -> [String] {
        let visible = try await store.read { try $0.jobs(JobFilter(), after: 0, limit: 1_000_000).map(\.id) }
        record.looked(at: Set(visible))
        let known = Set(record.jobs)
        let unknown = visible.filter { !known.contains($0) }
        let ended = record.ended
        let outcomes = Outcomes(record)
        let listings = record.listings
        let (found, jobs) = try await store.read { reader in
            var found: [String] = []
            var jobs: [Job] = []
            func check(_ isTrue: Bool, _ what: @autoclosure () -> String) {
                if !isTrue { found.append(what()) }
            }
            check(unknown.isEmpty, "jobs \(unknown) were never acknowledged and are there")
            var offered = 0
            var stages: [QueueStage: Int] = [:]
            var out: [LimitScope: Int] = [:]
            // With those that are being removed: nobody sees them, and something of them may still run.
            for id in known.sorted() {
                guard let state = try reader.jobState(id) else { continue }
                let elements = try reader.elements(ofJob: id, status: nil, after: -1, limit: 1_000_000)
                var counts = StatusCounts()
                for element in elements { counts[element.status] += 1 }
                check(counts == state.job.counts, "job \(id) counts \(state.job.counts), has \(counts)")
                check(state.open == elements.count { !$0.phase.isEnded }, "job \(id): open is \(state.open)")
                check(state.ready == elements.count { $0.phase == .ready }, "job \(id): ready is \(state.ready)")
                check(elements.map(\.id) == Array(0..<elements.count), "job \(id): ids have gaps")
                check(
                    elements.allSatisfy { $0.tries <= $0.maxTries }, "job \(id): more tries than there may be")
                check(
                    state.job.status != .new || elements.isEmpty && state.open == 0,
                    "job \(id) is not committed and has elements")
                jobs.append(state.job)
                if let before = ended[id] {
                    let now = state.job.status
                    check(now == before, "job \(id) was \(before.name), is \(now.name), and nobody tried again")
                }
                offered += state.offered
                if let stage = state.queueStage { stages[stage, default: 0] += 1 }
                found += outcomes.faults(of: elements)
                found += expansionFaults(state, elements, listings)
                for element in elements {
                    let live = try reader.liveAttempt(ofElement: element.id, ofJob: id)
                    let isOut = element.phase == .leased || element.phase == .running
                    if isOut {
                        for use in state.job.uses(by: element.type) { out[LimitScope(use), default: 0] += 1 }
                        out[LimitScope(.queue, state.queueID), default: 0] += 1
                        out[LimitScope(.user, state.job.userID), default: 0] += 1
                    }
                    check(
                        isOut == (live != nil),
                        "element \(id).\(element.id) is \(element.phase), live: \(live != nil)")
                    if let live {
                        check(live.number == element.attempts + 1, "attempt \(live.number) of \(id).\(element.id)")
                    }
                }
            }
            let present = Set(visible)
            for attempt in outcomes.accepted where present.contains(attempt.jobID) {
                let row = try reader.attempt(attempt)
                check(row?.ended != nil, "the outcome of \(attempt) was taken and is not there")
            }
            let lanes = try Lanes.ready(reader)
            check(lanes == offered, "lanes promise \(lanes) elements, jobs offer \(offered)")
            let kept = try Stages.all(reader)
            check(stages == kept, "queues count \(kept), have \(stages)")
            let counted = try Occupancy.all(reader)
            check(out == counted, "limits count \(counted), out are \(out)")
            for (scope, count) in out {
                guard let limit = Occupancy.limit(scope) else { continue }
                check(count <= limit, "\(count) elements are out at \(scope), of \(limit)")
            }
            return (found, jobs)
        }
        for job in jobs { record.saw(job) }
        return record.wrongs + found
    }

    /// What a job's elements are that should follow from its listing.
    private static func expansionFaults(
        _ state: JobState, _ elements: [Element], _ listings: [AttemptID: [ListingLine]]
    ) -> [String] {
        guard state.job.type != .list, let first = elements.first, first.type == .list else { return [] }
        let rest = Array(elements.dropFirst())
        guard first.phase == .done else {
            return rest.isEmpty ? [] : ["job \(first.jobID) has elements and no listing"]
        }
        let id = AttemptID(jobID: first.jobID, elementID: 0, number: first.attempts)
        guard let lines = listings[id] else { return ["job \(first.jobID) was listed, and nobody sent \(id)"] }
        return Consequences.faults(
            rest, of: state.job, lines, isComplete: state.expansion == nil && state.cutExpansion == nil)
    }

    /// What the records of all attempts say in the end: what a report ended was acknowledged once, and every log can be
    /// read.
    static func records(_ engine: Engine, _ record: Record) async throws -> [String] {
        var found: [String] = []
        for job in Set(record.jobs).subtracting(record.retired).sorted() {
            let (logUID, ended) = try await engine.store.read { reader in
                let attempts = try reader.endedAttempts(
                    ofJob: job, latestOnly: false, after: (-1, 0), limit: 1_000_000
                ).map(\.attempt)
                return try (
                    reader.answer(to: Ask.logPlaces(ofJobs: [job]))[job]?.logUID ?? "",
                    attempts.map { attempt in
                        let id = AttemptID(jobID: job, elementID: attempt.elementID, number: attempt.number)
                        return (id, attempt.log, try reader.report(id) != nil)
                    }
                )
            }
            for (id, place, isReported) in ended {
                let isTaken = record.accepted[id] == 1 || isReported && record.unknown.contains(id)
                if isReported != isTaken { found.append("\(id): reported \(isReported)") }
                guard let place else {
                    found.append("\(id) ended without a log")
                    continue
                }
                let text = String(
                    decoding: try await engine.logs.read(logUID, place, from: 0, count: 1 << 20), as: UTF8.self)
                let said = String(decoding: isReported ? record.logs[id] ?? [] : Array("haul: ".utf8), as: UTF8.self)
                if !text.contains(said) { found.append("the log of \(id) is not what was sent: \(text)") }
            }
        }
        return found
    }

    /// Jobs that took longer than they may, or are there after the time of their destruction, and nobody ends them.
    static func overdue(_ store: Store, _ record: Record, _ now: Timestamp) async throws -> [String] {
        let ids = record.jobs
        return try await store.read { reader in
            try Set(ids).sorted().compactMap { id in
                guard let state = try reader.jobState(id), state.intent?.shuts != true else { return nil }
                if let time = state.job.destruction, time < now { return "job \(id) was to be gone by \(time)" }
                guard state.job.executionSeconds > 0, !state.isEnded, let started = state.job.started,
                    started.adding(seconds: Double(state.job.executionSeconds)) < now
                else { return nil }
                return "job \(id) takes longer than it may: \(state)"
            }
        }
    }

    /// What holds once nothing happens any more.
    static func leftovers(_ store: Store, _ record: Record) async throws -> [String] {
        let ids = record.jobs
        return try await store.read { reader in
            try Set(ids).compactMap { id in
                guard let state = try reader.jobState(id) else { return nil }
                let isEnded = state.job.status.isEnded && state.intent == nil || state.job.status == .new
                if isEnded { return nil }
                let open = try reader.elements(ofJob: id, status: nil, after: -1, limit: 1_000_000)
                    .map { "\($0.id) \($0.type) \($0.phase) \($0.sourcePath) depth \($0.depth)" }
                return "job \(id) never ends: \(state)\n\(open.joined(separator: "\n"))"
            }
        }
    }
}

/// The elements that all lanes promise.
enum Lanes {
    static func ready(_ reader: StoreReader) throws -> Int {
        try reader.db.first("SELECT COALESCE(SUM(ready), 0) FROM lanes") { $0.int(0) } ?? 0
    }
}

/// How many jobs queues count at each stage.
enum Stages {
    static func all(_ reader: StoreReader) throws -> [QueueStage: Int] {
        let rows = try reader.db.rows("SELECT queue_id, stage, jobs FROM queue_stages WHERE jobs <> 0") { row in
            (JobStage(rawValue: row.text(1)).map { QueueStage(queueID: row.int(0), stage: $0) }, row.int(2))
        }
        return Dictionary(rows.compactMap { row in row.0.map { ($0, row.1) } }) { $0 + $1 }
    }
}

/// What limits count by, and what they are; those of queues change under what is out.
enum Occupancy {
    static func all(_ reader: StoreReader) throws -> [LimitScope: Int] {
        let rows = try reader.db.rows("SELECT kind, id, elements FROM occupancy WHERE elements <> 0") { row in
            (LimitScope.Kind(rawValue: row.int(0)).map { LimitScope($0, row.int(1)) }, row.int(2))
        }
        return Dictionary(rows.compactMap { row in row.0.map { ($0, row.1) } }) { $0 + $1 }
    }

    static func limit(_ scope: LimitScope) -> Int? {
        let site = SimulatedServer.sites.first { $0.id == scope.id }
        switch scope.kind {
        case .siteOut: return site?.limits.out
        case .siteIn: return site?.limits.into
        case .queue: return nil
        case .user: return SimulatedServer.runningPerUser
        }
    }
}
