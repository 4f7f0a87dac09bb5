public import HaulLogs
public import HaulModel
public import HaulStore
import Synchronization

/// Registers, hands out, takes reports and expands: all that changes a job goes through here, each change in one
/// transaction, decided by HaulModel's state machines.
///
/// A file an ability, as extensions: `Registration/`, `Handout/`, `Reports/`, `Reading/`. What happens by itself is a
/// duty (`Duties/`, `Expansion/`), run by ``DutyRunner``.
public final class Engine: Sendable {
    public let store: Store
    public let logs: LogStore
    public let world: World
    public let configuration: EngineConfiguration
    let sites: KnownSites
    /// What registrations are checked against, as it is now.
    public var rules: RegistrationRules { sites.rules }
    /// This server among those of its database.
    public let identity: KnownServer
    let others: any OtherServers
    /// Those of them that gave no answer a moment ago.
    let silentServers = SilentServers()
    let tokens: ElementTokens
    /// Told when the disk did not keep what was synced to it; it shall end the process.
    let onDiskFailure: @Sendable (String) -> Void
    /// Told when another run of this server has taken its place; it shall end the process.
    let onOusted: @Sendable (String) -> Void
    /// Registrations of one job each are one transaction where they come together.
    let registrations = Gathering<Registration, Registration.Outcome>(most: 512)
    let fruitful = FruitfulSessions()
    /// Rings when elements became ready: parked claims look again.
    let workBell = WorkBell()
    /// Rings when a listing waits to be expanded.
    let expansionBell = Bell()
    /// Rings when a directory of a REMOVE may open.
    let depthBell = Bell()
    /// Who follows logs as they grow.
    let followers = Bells<AttemptID>()
    /// Who watches jobs.
    let watchers = Bells<Int>()
    /// Looks at jobs that somebody stands by.
    let looks = Looks()
    /// Who changes the properties of a job waits for those who came before.
    let propertyTurns = Turns<Int>()
    /// Jobs of which bytes moved since their watchers were told last.
    let moved = Mutex<Set<Int>>([])
    /// Rings when something is wanted of a whole job.
    let sweepBell = Bell()
    /// How fast elements ended of late.
    let throughput = Throughput()
    /// Rings when sessions ended with leases in their hands.
    let rescueBell = Bell()
    /// Rings when workers are to be started or ended.
    let launchBell = Bell()
    /// Starts workers; nil where none are.
    let launcher: Launcher?

    /// - Parameters:
    ///   - identity: as it joined the others; without a URL it is alone.
    ///   - others: how to ask them.
    ///   - launcher: starts workers; nil: none are.
    ///   - tokenKey: makes the key of element tokens of the database's part of it.
    /// - Throws: `StoreError` when the secret of element tokens can't be read or made.
    public init(
        store: Store, logs: LogStore, rules: RegistrationRules, configuration: EngineConfiguration, world: World,
        identity: KnownServer = KnownServer(id: 1, url: "", run: "", seen: Timestamp(milliseconds: 0)),
        others: any OtherServers = NoOtherServers(), launcher: Launcher? = nil,
        tokenKey: (_ stored: [UInt8]) throws -> [UInt8] = { $0 }, onDiskFailure: @escaping @Sendable (String) -> Void,
        onOusted: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws {
        self.store = store
        self.logs = logs
        sites = KnownSites(rules)
        self.configuration = configuration
        self.world = world
        self.identity = identity
        self.others = others
        self.launcher = launcher
        self.onDiskFailure = onDiskFailure
        self.onOusted = onOusted
        let fresh = world.random(32)
        let key = try await store.write { try $0.setting("element_token_key", initially: fresh) }
        tokens = ElementTokens(key: try tokenKey(key))
        store.listen { [weak self] in self?.wake($0) }
    }

    /// Wakes what waits for a change, here; those of other servers are told by the transaction itself.
    func wake(_ change: StoreChange) {
        if change.kinds.contains(.work) { workBell.ring() }
        if change.kinds.contains(.expansion) { expansionBell.ring() }
        if change.kinds.contains(.opening) { depthBell.ring() }
        if change.kinds.contains(.sweep) { sweepBell.ring() }
        if change.kinds.contains(.rescue) { rescueBell.ring() }
        if change.kinds.contains(.launches) { launchBell.ring() }
        if change.kinds.contains(.sites), sites.revision != nil {
            // What can't be read now is read with the next change, or when a job names a site that is not known.
            Task { [weak self] in try? await self?.readSites() }
        }
        guard let jobs = change.jobs else { return watchers.ringAll() }
        for job in jobs { watchers.ring(job) }
    }

    /// A write after which others are woken, on this server and on the others of its database, once it is on disk.
    func write<T: Sendable>(
        isLarge: Bool = false, waking change: StoreChange, _ body: @escaping @Sendable (StoreWriter) throws -> T
    ) async throws -> T {
        let result = try await store.write(isLarge: isLarge) { writer in
            writer.tell(change)
            return try body(writer)
        }
        wake(change)
        return result
    }
}
