public import HaulModel

/// A queue of a user (`GET /queues`).
public struct QueueDocument: Sendable, Hashable, Codable {
    public var name: String
    /// Nothing of it is handed out.
    public var paused: Bool
    /// Since when: UTC, milliseconds, `Z`; left out where it is not paused.
    public var since: String?
    /// Elements of it that may be with workers at once; left out where it has no limit.
    public var limit: Int?
    /// No worker gets anything of it: its jobs are handed out by pop alone; left out where it is not so.
    public var pop: Bool?
    /// Seconds that one who popped a job may be silent; left out where that is for ever.
    public var lease: Int?

    public init(_ queue: Queue) {
        name = queue.name
        paused = queue.paused != nil
        since = queue.paused?.text
        limit = queue.limit
        pop = queue.isPopped ? true : nil
        lease = queue.leaseSeconds
    }
}

/// A worker as it was last heard of (`GET /workers`).
public struct WorkerDocument: Sendable, Hashable, Codable {
    public var name: String
    /// For operators.
    public var host: String?
    /// For operators.
    public var version: String?
    public var slots: Int
    /// Names of the protocols that it can run.
    public var protocols: [String]
    /// Ids of the sites that it can reach, to users those that are open to them; empty is all.
    public var sites: [Int]
    /// One-minute load average of its machine.
    public var load: Double?
    /// When it was heard of last: UTC, milliseconds, `Z`.
    public var seen: String
    /// True while it has a session.
    public var alive: Bool
    /// It gets no more work.
    public var drained: Bool
    /// Elements that it holds.
    public var holding: Int

    public init(_ worker: KnownWorker) {
        name = worker.record.name
        host = worker.record.host
        version = worker.record.version
        slots = worker.record.slots
        protocols = worker.record.protocols
        sites = worker.record.sites
        load = worker.load
        seen = worker.seen.text
        alive = worker.session != nil
        drained = worker.drained != nil
        holding = worker.holding
    }
}

/// A line of the record of changes (`GET /audit`).
public struct DeedDocument: Sendable, Hashable, Codable {
    public var id: Int
    /// UTC, milliseconds, `Z`.
    public var time: String
    /// Who; left out for a command on the database itself.
    public var user: String?
    /// The id of the token that was shown; left out where it was a password.
    public var token: Int?
    /// From where: a numeric address; left out for a command on the database itself.
    public var address: String?
    /// `job.cancel`, `user.change` ...
    public var action: String
    /// A job's number, an element's (`17.3`), a name.
    public var target: String
    /// What else there is to say; left out where there is nothing.
    public var detail: String?

    public init(_ deed: KnownDeed) {
        id = deed.id
        time = deed.time.text
        user = deed.actor.name.isEmpty ? nil : deed.actor.name
        token = deed.actor.token
        address = deed.actor.address.isEmpty ? nil : deed.actor.address
        action = deed.action
        target = deed.target
        detail = deed.detail.isEmpty ? nil : deed.detail
    }
}

extension QueueDocument: Documented {
    public static let schema = Schema.object(
        "Queue",
        [
            "name": .text, "paused": .flag, "since?": .time.about("Since when it is paused"),
            "limit?": .count.about("Elements that may be with workers at once"),
            "pop?": .flag.about("Its jobs are handed out by pop alone"),
            "lease?": .count.about("Seconds that one who popped a job may be silent"),
        ])
}

extension WorkerDocument: Documented {
    public static let schema = Schema.object(
        "Worker",
        [
            "name": .text, "host?": Schema.text.about("For operators"),
            "version?": Schema.text.about("For operators"), "slots": .count, "protocols": .list(of: .text),
            "sites": .list(of: .count).about("Those that it can reach, to users those open to them; none is all"),
            "load?": .number.about("One-minute load average of its machine"), "seen": .time, "alive": .flag,
            "drained": .flag.about("It gets no more work"), "holding": .count.about("Elements that it has"),
        ])
}

extension DeedDocument: Documented {
    public static let schema = Schema.object(
        "Change",
        [
            "id": .count, "time": .time, "user?": .text, "token?": .count, "address?": .text,
            "action": .one(of: Deed.Action.allCases.map(\.rawValue)), "target": .text, "detail?": .text,
        ])
}
