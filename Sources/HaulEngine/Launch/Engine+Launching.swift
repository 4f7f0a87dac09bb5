public import HaulModel
import HaulStore

/// Workers that users ask for. They are started by ``LaunchKeeper``.
extension Engine {
    /// Whether workers are started here.
    public var launches: Bool { launcher != nil }

    /// Opens a queue to workers, and asks for some of its own. They are there once the answer is lost, too.
    ///
    /// - Returns: the queue's workers.
    /// - Throws: `.notFound` where there is no such queue, `.conflict` where no workers are started here, or the user has
    ///   asked for as many as one may.
    public func launch(
        _ count: Int, forQueue name: String, ofUser user: Int, by actor: Requester? = nil
    ) async throws -> [Launch] {
        guard let launcher else { throw EngineError.launchesNothing }
        let now = world.now()
        return try await write(waking: StoreChange([.launches, .work])) { writer in
            let known = try Self.queue(name, ofUser: user, writer.reader)
            guard try writer.reader.countLaunches(ofUser: user) + count <= launcher.perUser else {
                throw EngineError.tooManyWorkers(launcher.perUser)
            }
            if known.queue.isPopped { try writer.setPopped(false, queue: name, ofUser: user) }
            let there = try writer.reader.launches(ofQueue: known.id)
            var left = count
            for ended in there where left > 0 {
                guard let next = Self.decide(ended, .asked, launcher, now: now) else { continue }
                try writer.update(next)
                left -= 1
            }
            let taken = Set(there.map(\.number))
            for number in (1...(there.count + count)) where left > 0 && !taken.contains(number) {
                try writer.addLaunch(queue: known.id, number: number, now: now)
                left -= 1
            }
            try writer.note(Deed(.launch, name, "user=\(user) workers=\(count)"), by: actor, now: now)
            return try writer.reader.launches(ofQueue: known.id)
        }
    }

    /// The workers that were asked for of a queue, those that ended a while ago among them.
    ///
    /// - Throws: `.notFound` where there is no such queue.
    public func launches(ofQueue name: String, ofUser user: Int) async throws -> [Launch] {
        try await store.read { try $0.launches(ofQueue: try Self.queue(name, ofUser: user, $0).id) }
    }

    /// Ends the workers that were asked for of a queue.
    ///
    /// - Throws: `.notFound` where there is no such queue.
    public func endLaunches(ofQueue name: String, ofUser user: Int, by actor: Requester? = nil) async throws {
        let now = world.now()
        try await write(waking: StoreChange([.launches, .rescue])) { writer in
            try Self.endLaunches(try Self.queue(name, ofUser: user, writer.reader).id, writer, now: now)
            try writer.note(Deed(.launch, name, "user=\(user) ended"), by: actor, now: now)
        }
    }

    /// From the commit on they get nothing more: their tokens are worth nothing. Then they are ended.
    static func endLaunches(_ queue: Int, _ writer: StoreWriter, now: Timestamp) throws {
        for launch in try writer.reader.launches(ofQueue: queue) {
            let next = LaunchMachine.decide(
                launch, .unwanted, policy: LaunchMachine.Policy(), now: now, chance: 0)
            guard let next else { continue }
            if let token = launch.token { try writer.endToken(token, now: now) }
            try writer.update(next)
        }
    }

    /// What happened to a launch, noted; its token ends with the worker.
    ///
    /// - Returns: false where it does not fit any more.
    @discardableResult
    func note(_ event: LaunchMachine.Event, of key: Launch.Key, _ policy: LaunchMachine.Policy) async throws -> Bool {
        let now = world.now()
        let chance = world.chance
        let isOver = try await store.write { writer -> Bool? in
            guard let launch = try writer.reader.launch(key.launch), launch.key == key,
                let next = LaunchMachine.decide(launch, event, policy: policy, now: now, chance: chance)
            else { return nil }
            if next.token == nil {
                if let token = launch.token { try writer.endToken(token, now: now) }
                writer.tell(Self.over)
            }
            try writer.update(next)
            return next.token == nil
        }
        if isOver == true { wake(Self.over) }
        return isOver != nil
    }

    /// There is room for another worker, and maybe work that this one had.
    private static let over = StoreChange([.launches, .rescue])

    private static func decide(
        _ launch: Launch, _ event: LaunchMachine.Event, _ launcher: Launcher, now: Timestamp
    ) -> Launch? {
        LaunchMachine.decide(launch, event, policy: launcher.policy, now: now, chance: 0)
    }
}

extension EngineError {
    fileprivate static let launchesNothing = EngineError(
        .conflict, code: "launches_nothing", detail: "This server starts no workers.",
        hint:
            "PATCH /queues/NAME with {\"pop\": false} opens the queue to those that there are; operators: `launch` in hauld.json5."
    )

    fileprivate static func tooManyWorkers(_ most: Int) -> EngineError {
        EngineError(
            .conflict, code: "too_many_workers",
            detail: "A user may have asked for \(most) workers that have not ended; nothing was done.",
            hint:
                "GET /queues/NAME/launch shows a queue's, DELETE ends them; operators: `launch.per_user` in hauld.json5."
        )
    }
}
