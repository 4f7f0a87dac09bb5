import HaulModel
import HaulStore

/// Jobs of a user on their way into the database, all or none.
struct Registration: Sendable {
    var jobs: [Job]
    var user: User
    var actor: Requester?
    var key: IdempotencyKey?
    /// Elements of the user that may wait, these jobs' among them; nil is any number.
    var waitingLimit: Int?
    var makesQueues: Bool
    var made: Timestamp
    /// A key that was used before this time is a new one.
    var keysSince: Timestamp

    struct Outcome: Sendable {
        var jobs: [Job]
        /// False where they were there already.
        var isNew: Bool
        /// Why none of them was registered.
        var refusal: EngineError?
    }

    /// Registers what several requests want, with one statement a table.
    static func perform(_ writer: StoreWriter, _ all: [Registration]) throws -> [Outcome] {
        var outcomes = try repeated(all, writer.reader)
        try refuse(all, &outcomes, writer.reader)
        let fresh = all.indices.filter { outcomes[$0] == nil }
        var jobs = try writer.insertJobs(fresh.flatMap { all[$0].jobs }, first: firstElement)[...]
        var answers: [(KeptAnswer, user: Int, key: String)] = []
        var deeds: [(Deed, Requester)] = []
        for place in fresh {
            let count = all[place].jobs.count
            outcomes[place] = Outcome(jobs: Array(jobs.prefix(count)), isNew: true)
            if let key = all[place].key {
                let kept = KeptAnswer(body: key.body, jobIDs: jobs.prefix(count).map(\.id))
                answers.append((kept, all[place].user.id, key.key))
            }
            if let actor = all[place].actor, let first = jobs.first {
                deeds.append((Deed(.register, "\(first.id)", count == 1 ? "" : "jobs=\(count)"), actor))
            }
            jobs.removeFirst(count)
        }
        if let latest = all.map(\.made).max() {
            try writer.keepAnswers(answers, now: latest)
            try writer.note(deeds, now: latest)
        }
        if !fresh.isEmpty { writer.tell(StoreChange(.work)) }
        return outcomes.compactMap(\.self)
    }

    /// Refuses those for which too much of their user waits, or which name a queue that has to be there and is not. What is accepted here counts for the next.
    private static func refuse(
        _ all: [Registration], _ outcomes: inout [Outcome?], _ reader: StoreReader
    ) throws {
        var waiting: [Int: Int] = [:]
        for place in all.indices where outcomes[place] == nil {
            let (registration, user) = (all[place], all[place].user.id)
            if !registration.makesQueues {
                let missing = try Set(registration.jobs.map(\.queue)).first {
                    try reader.queue($0, ofUser: user) == nil
                }
                if let missing {
                    outcomes[place] = Outcome(jobs: [], isNew: false, refusal: .noQueue(missing))
                    continue
                }
            }
            guard let limit = registration.waitingLimit else { continue }
            let before = try waiting[user] ?? reader.waiting(ofUser: user)
            waiting[user] = before
            if before + registration.jobs.count > limit {
                outcomes[place] = Outcome(jobs: [], isNew: false, refusal: .tooMuchWaits(before, of: limit))
            } else {
                waiting[user] = before + registration.jobs.count
            }
        }
    }

    /// What was answered to those that repeat an earlier one; nil for the others.
    private static func repeated(_ all: [Registration], _ reader: StoreReader) throws -> [Outcome?] {
        var outcomes = [Outcome?](repeating: nil, count: all.count)
        let keyed = all.indices.filter { all[$0].key != nil }
        let names = keyed.map { KeyName(user: all[$0].user.id, key: all[$0].key?.key ?? "") }
        // Of two that are the same the second gets what the first registered: it has to come after it.
        guard Set(names).count == names.count else { throw SameKeyTwice() }
        let kept = try reader.keptAnswers(zip(keyed, names).map { ($1.user, $1.key, all[$0].keysSince) })
        for case (let place, let answer?) in zip(keyed, kept) {
            guard let answer = try all[place].key?.checked(answer) else { continue }
            let jobs = try answer.jobIDs.compactMap { try reader.job($0) }
            // What is left of them would not say which of them it is.
            outcomes[place] = Outcome(
                jobs: jobs.map(asRegistered), isNew: false,
                refusal: jobs.count < answer.jobIDs.count ? .goneSince : nil)
        }
        return outcomes
    }

    private struct KeyName: Hashable {
        var user: Int
        var key: String
    }

    /// Has each of them tried alone.
    private struct SameKeyTwice: Error {}

    static func firstElement(of job: Job) -> Element {
        Element(
            jobID: job.id, id: 0, type: job.type.firstElement, phase: .ready, sourcePath: job.source.path,
            maxTries: job.maxTries, changed: job.registered)
    }

    /// A job as it was when it was answered first.
    private static func asRegistered(_ job: Job) -> Job {
        var first = job
        first.status = .submitted
        first.changed = job.registered
        (first.started, first.ended, first.errorClass) = (nil, nil, nil)
        return first
    }
}
