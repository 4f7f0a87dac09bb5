import HaulModel
import HaulStore

/// Starts the workers that were asked for, sees how they end, and ends those that nobody wants.
///
/// What it goes by is written before anything is done: of several servers one takes a launch, and who comes after a crash
/// finds what there may be.
struct LaunchKeeper: Duty {
    let engine: Engine
    let launcher: Launcher
    let name = "launches"
    var period: Double { launcher.place.period }
    var bell: Bell { engine.launchBell }

    private var place: any WorkerPlace { launcher.place }
    private var own: KnownServer { engine.identity }

    /// A token is good for so many seconds; a worker that lives longer is started anew.
    private static let tokenSeconds = 30.0 * 86_400

    func run() async throws -> Bool {
        // What is written of them first: what is not seen then is gone, not still to come.
        let open = try await engine.openLaunches()
        let seen = try await place.look()
        for launch in open where launch.isOut {
            if launch.kind == place.kind {
                try await settle(launch, seen[launch.key])
            } else {
                try await LaunchCloser(engine: engine).settle(launch)
            }
        }
        // What is not written of as living is gone or nobody's; and what is left of those that were there before that was
        // read, and not of one that was taken since.
        let left = await place.leftovers()
        let out = try await engine.openLaunches().filter(\.isOut)
        let wanted = Set(out.filter { !$0.isUnwanted }.map(\.key))
        await place.end(Set(seen.keys).subtracting(wanted))
        await place.remove(leftoversOf: left.subtracting(out.map(\.key)))
        // Where one can't be started the next can't either: they have the next round.
        while !Task.isCancelled, let (launch, worker) = try await take() {
            guard try await start(launch, worker) else { break }
        }
        return false
    }

    /// What is written of a worker, and what is seen of it.
    private func settle(_ launch: Launch, _ sight: WorkerSight?) async throws {
        let isOwn = launch.server == own.id && launch.run == own.run
        switch sight {
        case .lives(let name):
            if launch.phase == .starting { try await note(.started(place: name), launch) }
        case .ended(let reason): try await note(.finished(reason), launch)
        case .failed(let reason, let ran): try await note(.failed(reason, ran: ran), launch)
        case nil:
            // Another server may be about to start it, or has it where only that one sees it.
            if !isOwn, launch.phase == .starting || place.kind == .server,
                try await engine.lives(launch)
            {
                return
            }
            if place.kind == .cluster, launch.phase == .running {
                try await note(.failed("nothing is known of it any more", ran: 0), launch)
            } else {
                try await note(.lost, launch)
            }
        }
    }

    private func note(_ event: LaunchMachine.Event, _ launch: Launch) async throws {
        try await engine.note(event, of: launch.key, launcher.policy)
    }

    /// Takes the next launch, if there is room: it is this server's from the commit on.
    private func take() async throws -> (Launch, NewWorker)? {
        let now = engine.world.now()
        let launcher = launcher
        let own = own
        guard try await engine.store.read({ try Self.next($0, launcher, own, now) }) != nil else { return nil }
        let (token, hash) = launcher.newToken()
        return try await engine.store.write { writer in
            while let launch = try Self.next(writer.reader, launcher, own, now) {
                guard let owner = try writer.reader.owner(of: launch), !owner.isDisabled else {
                    let over = LaunchMachine.decide(
                        launch, .refused("nobody gets in under the user's name"), policy: launcher.policy, now: now,
                        chance: 0)
                    guard let over else { return nil }
                    try writer.update(over)
                    continue
                }
                var spec = TokenSpec(role: .worker)
                spec.name = "launched worker"
                spec.queues = [owner.queue]
                spec.users = [owner.user.name]
                spec.expires = now.adding(seconds: Self.tokenSeconds)
                let id = try writer.addToken(spec, hash: hash, user: owner.user, now: now)
                let event = LaunchMachine.Event.taken(
                    server: own.id, run: own.run, token: id, kind: launcher.place.kind)
                let taken = LaunchMachine.decide(launch, event, policy: launcher.policy, now: now, chance: 0)
                guard let taken else { return nil }
                try writer.update(taken)
                let detail = "user=\(owner.user.name) role=worker queue=\(owner.queue) worker=\(taken.worker)"
                try writer.note(Deed(.addToken, "\(id)", detail), by: .console, now: now)
                return (taken, NewWorker(key: taken.key, name: taken.worker, token: token))
            }
            return nil
        }
    }

    /// The next one, if there is room for it.
    private static func next(
        _ reader: StoreReader, _ launcher: Launcher, _ own: KnownServer, _ now: Timestamp
    ) throws -> Launch? {
        let those = launcher.place.kind == .cluster ? nil : (id: own.id, run: own.run)
        guard try reader.countLaunched(by: those) < launcher.most else { return nil }
        return try reader.nextLaunch(now: now)
    }

    /// - Returns: whether it was started.
    private func start(_ launch: Launch, _ worker: NewWorker) async throws -> Bool {
        let name: String?
        do { name = try await place.start(worker) } catch {
            try await note(.failed(error.reason, ran: 0), launch)
            return false
        }
        try await note(.started(place: name), launch)
        return true
    }
}
