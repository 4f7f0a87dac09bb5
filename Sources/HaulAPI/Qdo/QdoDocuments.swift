import HaulEngine
import HaulModel

/// The documents of qdo, as JSON.
enum QdoDocuments {
    /// A queue: `{name, user, state, ntasks}`, and of one that was launched `workers`, each `{name, state, reason}`.
    static func queue(_ counted: Engine.CountedQueue, user: String, workers: [Launch] = []) -> JSONValue {
        var tasks: [String: JSONValue] = [:]
        for state in QdoState.allCases {
            tasks[state.rawValue] = .int(state.stages.reduce(0) { $0 + (counted.jobs[$1] ?? 0) })
        }
        var document: [String: JSONValue] = [
            "name": .string(counted.queue.name), "user": .string(user),
            "state": .string(QdoQueueState(counted.queue).rawValue), "ntasks": .object(tasks),
        ]
        if !workers.isEmpty { document["workers"] = .array(workers.map(worker)) }
        return .object(document)
    }

    private static func worker(_ launch: Launch) -> JSONValue {
        [
            "name": .string(launch.worker), "state": .string(QdoWorkerState(launch.phase).rawValue),
            "reason": launch.reason.map { .string($0) } ?? .null,
        ]
    }

    /// A task: `{id, task, state, exitcode, err, message}`; exit code and message are null until it has ended.
    ///
    /// - Parameter attempt: of what was popped: `attempt`, by which who popped it is known again.
    static func task(
        _ job: Job, _ outcome: JobOutcome?, _ sites: SiteDirectory, attempt: Int? = nil
    ) -> JSONValue {
        let code = QdoState.exitCode(job.stage, outcome).map { JSONValue.int($0) } ?? .null
        let message = QdoState.message(job.stage, outcome)
        var document: [String: JSONValue] = [
            "id": .string("\(job.id)"), "task": .string(job.task ?? QdoCommand.words(for: job, sites)),
            "state": .string(QdoState(job.stage).rawValue), "exitcode": code, "err": code,
            "message": message.map { .string($0) } ?? .null,
        ]
        if let attempt { document["attempt"] = .int(attempt) }
        return .object(document)
    }

    /// `/site/login`.
    ///
    /// - Parameter seconds: how long the key is good; nil is for ever.
    static func login(key: String, user: String, seconds: Double?, expires: Timestamp?) -> JSONValue {
        [
            "qdo_authkey": .string(key), "qdo_username": .string(user),
            "duration": seconds.map { .int(Int($0)) } ?? .null,
            "expiration": expires.map { .string($0.text) } ?? .null,
        ]
    }

    /// What a browser gets that is not known. It holds nothing of the request.
    static let form = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>haul: log in</title></head><body>
        <form method="post"><label>Name <input name="username" autocomplete="username" required></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
        <button>Log in</button></form></body></html>

        """
}
