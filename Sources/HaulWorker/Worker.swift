import Foundation
import HaulModel
public import HaulProtocol
import HaulWire

/// How a worker ended.
public enum WorkerEnd: Sendable, Equatable {
    /// It was told to, and all that it did is reported.
    case drained
    /// It looked for a server for as long as it may.
    case deserted(String)
    /// The server does not accept it; why, in one line.
    case refused(String)
    /// It was told to end at once.
    case killed
}

/// A machine's agent: registers, and works session after session until it is told to end.
public actor Worker {
    private let shop: Workshop
    private let server: any WorkerServer
    private let pace: Pace
    private let log: WorkerLog
    private let clock = ContinuousClock()
    private var session: WorkerSession?
    private var isDraining = false
    private var isKilled = false
    private var registering: Task<Registered, Never>?

    private enum Registered: Sendable {
        case session(SessionDocument, sent: ContinuousClock.Instant)
        case refused(String)
        case deserted(String)
        case cancelled
    }

    /// - Parameters:
    ///   - catalog: what was found in the configured folder; only ``ProtocolCatalog/usable`` is announced.
    ///   - folder: the worker's own, held already.
    public init(
        _ config: WorkerConfig, catalog: ProtocolCatalog, folder: WorkFolder, server: any WorkerServer,
        pace: Pace = Pace(), graces: BackendRun.Graces = BackendRun.Graces(), log: WorkerLog
    ) {
        var guardian: ProcessGuard?
        do {
            guardian = try ProcessGuard { log("guard-lost", ["reason": $0]) }
        } catch {
            log("no-guard", ["reason": "\(error)"])
        }
        shop = Workshop(
            config: config, catalog: catalog, credentials: CredentialFiles(config.credentials), folder: folder,
            space: SpoolSpace(capacity: config.spoolBytes) { await folder.remove($0) },
            warm: WarmBackends(slots: config.slots, idleSeconds: config.idleSeconds, folder: folder), graces: graces,
            guardian: guardian, server: server, log: log)
        self.server = server
        self.pace = pace
        self.log = log
    }

    /// Works until ``drain()`` or ``kill()``, or until the server refuses the worker.
    public func run() async -> WorkerEnd {
        for line in shop.credentials.problems() { log("credential-refused", ["reason": line]) }
        var backoff = pace.backoff
        var pause = 0.0
        while true {
            let began = clock.now
            switch await register(after: pause) {
            case .cancelled: return isKilled ? .killed : .drained
            case .refused(let reason): return .refused(reason)
            case .deserted(let reason): return .deserted(reason)
            case .session(let document, let sent):
                switch await work(document, registered: sent) {
                case .drained: return .drained
                case .killed: return .killed
                case .refused(let reason): return .refused(reason)
                case .lost(let reason):
                    log("session-lost", ["session": document.session, "reason": reason])
                    if isDraining { return isKilled ? .killed : .drained }
                    // Two workers of one name end each other's sessions: not as fast as they can.
                    if (clock.now - began).seconds > document.leaseSeconds { backoff.reset() }
                    pause = backoff.next()
                }
            }
        }
    }

    /// Takes no more work; ``run()`` returns once what runs is done, or cut off, and reported.
    public func drain() async {
        isDraining = true
        registering?.cancel()
        await session?.drain()
    }

    /// Ends everything at once.
    public func kill() async {
        isDraining = true
        isKilled = true
        registering?.cancel()
        await session?.finish(.killed)
    }

    private func work(_ document: SessionDocument, registered: ContinuousClock.Instant) async -> SessionEnd {
        log("registered", ["session": document.session, "name": shop.config.name, "slots": shop.config.slots])
        let session = WorkerSession(
            document, registered: registered, shop: shop, server: server, pace: pace, log: log)
        self.session = session
        if isKilled { await session.finish(.killed) } else if isDraining { await session.drain() }
        let end = await session.run()
        self.session = nil
        return end
    }

    /// Tries until the server answers, for the first time after `pause` seconds.
    private func register(after pause: Double) async -> Registered {
        guard !isDraining else { return .cancelled }
        let config = shop.config
        let registration = WorkerRegistration(
            name: config.name, host: ProcessInfo.processInfo.hostName, version: Self.version, slots: config.slots,
            protocols: shop.catalog.usable.compactMap { Self.document($0.manifest) }, sites: config.sites)
        let (server, clock, backoff, log) = (server, clock, pace.backoff, log)
        let patience = config.exitIdleSeconds.map { max($0, pace.serverless) }
        let task = Task {
            try? await Task.sleep(for: .seconds(pause))
            return await Self.register(
                registration, at: server, patience: patience, clock: clock, backoff: backoff, log: log)
        }
        registering = task
        defer { registering = nil }
        return await task.value
    }

    /// - Parameter patience: seconds without a server after which the worker ends; nil is never.
    private static func register(
        _ registration: WorkerRegistration, at server: any WorkerServer, patience: Double?, clock: ContinuousClock,
        backoff: Backoff, log: WorkerLog
    ) async -> Registered {
        var backoff = backoff
        var isTaken = false
        let began = clock.now
        var reason = "it was not reached"
        while !Task.isCancelled {
            let sent = clock.now
            if let patience, (sent - began).seconds >= patience { return .deserted(reason) }
            do {
                return .session(try await server.register(registration), sent: sent)
            } catch {
                switch error {
                case .refused(409, let detail):
                    // Until the one that has the name ends: it may be this worker, before it got another token.
                    reason = "\(detail)"
                    if !isTaken { log("name-taken", ["name": registration.name, "reason": detail]) }
                    isTaken = true
                    try? await Task.sleep(for: .seconds(backoff.next()))
                case .refused(let status, let detail): return .refused("\(status) \(detail)")
                case .cancelled: return .cancelled
                case .unreachable(let why):
                    reason = why
                    try? await Task.sleep(for: .seconds(backoff.next()))
                }
            }
        }
        return .cancelled
    }

    private static func document(_ manifest: ProtocolManifest) -> JSONValue? {
        (try? JSONEncoder().encode(manifest)).flatMap { try? JSONDecoder().decode(JSONValue.self, from: $0) }
    }

    /// The version that is announced.
    public static let version = "0.1.0"
}
