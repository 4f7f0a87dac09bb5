import Foundation
import HaulAPI
import HaulAuth
import HaulConfig
import HaulCrypto
import HaulEngine
import HaulHTTP
import HaulLogs
import HaulModel
import HaulProcess
import HaulProtocol
import HaulStore

/// Composes the server from its configuration and runs it until a signal ends it.
struct Server {
    private let config: ServerConfig

    init(_ config: ServerConfig) { self.config = config }

    func run() async throws {
        let signals = await EndSignals([SIGTERM, SIGINT])
        signal(SIGPIPE, SIG_IGN)
        guard Sodium.start() else { throw StartError(message: "libsodium found no source of randomness") }
        let (manifests, problems) = ManifestFolder.scan(config.protocols)
        for problem in problems { Self.log("protocol left out", problem) }
        let sites = try SiteFile.load(config.sites, manifests: manifests)
        for site in sites
        where manifests[site.protocolName.folder] == nil && !ProtocolName.documented.contains(site.protocolName) {
            Self.log(
                "protocol unknown",
                "site=\(site.name) protocol=\(site.protocolName.folder): \(config.protocols) has no manifest of that name; "
                    + "is it misspelt in \(config.sites)?")
        }
        let store = try Self.openStore(config)
        // The others are told where it listens before it does anything for anybody.
        let opening = Opening()
        let server = try listen(opening)
        await Hangup.each { Self.reload(server) }
        let clock = DatabaseClock()
        try await Self.ask(store, clock, config)
        let keys = try await vaultKeys(store)
        let place = try OpenedLogs(config.logs)
        // What is its own is locked before the others hear of it: who can't have it changes nothing for who has it.
        let newcomer = try await Newcomer(
            store: store, id: place.server, url: config.advertise ?? usualAddress(server), clock: clock, keys: keys,
            config: config)
        let logs = try place.store(
            server: newcomer.known.id, elsewhere: LogsOfOthers(store: store, client: newcomer.client))
        let peers = try await newcomer.join()
        let launching = try await Launching(
            config, url: config.advertise ?? usualAddress(server), store: store, log: { Self.log($0, $1) })
        let engine = try await engine(
            store: store, logs: logs, sites: sites, manifests: manifests, peers: peers, clock: clock, keys: keys,
            launcher: launching?.launcher)
        for note in try await Self.seed(sites, engine, config) {
            Self.log("site differs", "site=\(note.site): \(note.text)")
        }
        opening.open(routes(engine, peers, manifests, keys))
        Self.log("listening", "url=\(url(server)) store=\(config.store) logs=\(config.logs.name) sites=\(sites.count)")
        if config.tls == nil, config.proxies == nil, !config.listen.isLoopback {
            Self.log("no TLS", "tokens and passwords can be read on the way: set tls, or proxies for one that has it")
        }
        let duties = Task {
            await DutyRunner(engine) { duty, cause in Self.log("duty failed", "duty=\(duty) cause=\(cause)") }.run()
        }
        let uploads = Task {
            await logs.upload { cause in
                Self.log(cause == nil ? "uploads go on" : "uploads wait", cause.map { "cause=\($0)" } ?? "")
            }
        }
        let name = await signals.next() ?? ""
        Self.log("ending", "signal=\(name)")
        engine.endWaits()
        await server.stop()
        duties.cancel()
        uploads.cancel()
        await duties.value
        await launching?.stop()
        await uploads.value
        Self.log("ended", "")
    }

    /// Opens the database of a configuration; of a file, its folder is made where it is missing.
    static func openStore(_ config: ServerConfig) throws -> Store {
        if case .sqlite(let path) = config.store { try makeFolder(of: path, "the database") }
        do {
            return try Store(at: config.store, onFsyncFailure: diskFailed)
        } catch let error as StoreError {
            throw StartError(message: error.description)
        }
    }

    /// Opens the database for a command of an operator.
    static func withStore<T>(_ config: ServerConfig, _ body: (Store) async throws -> T) async throws -> T {
        guard Sodium.start() else { throw StartError(message: "libsodium found no source of randomness") }
        let store = try openStore(config)
        do { return try await body(store) } catch let error as StoreError {
            throw StartError(error, store: config.store)
        }
    }

    static func makeFolder(of path: String, _ what: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try PrivateFolder.make(folder, withParents: true)
        } catch {
            throw StartError(
                message: "\(folder): the folder of \(what) can't be made: \(error.localizedDescription)")
        }
    }

    private static func ask(_ store: Store, _ clock: DatabaseClock, _ config: ServerConfig) async throws {
        do { try await clock.ask(store) } catch let error as StoreError {
            throw StartError(error, store: config.store)
        }
    }

    private static func seed(_ sites: [Site], _ engine: Engine, _ config: ServerConfig) async throws
        -> [Engine.SeedNote]
    {
        do { return try await engine.seed(sites: sites) } catch let error as StoreError {
            throw StartError(error, store: config.store)
        }
    }

    /// Another run has taken its place, and with it what it holds: nothing is acknowledged any more.
    @Sendable private static func ousted(_ cause: String) {
        log("ousted", "cause=\(cause)")
        _exit(1)
    }

    /// What was written can't be trusted to be there: the process ends rather than acknowledge what may be lost.
    @Sendable private static func diskFailed(_ cause: String) {
        log("disk failed", "cause=\(cause)")
        _exit(74)
    }

    private func engine(
        store: Store, logs: LogStore, sites: [Site], manifests: [String: ProtocolManifest], peers: Membership,
        clock: DatabaseClock, keys: VaultKeys?, launcher: Launcher?
    ) async throws -> Engine {
        let specs = manifests.mapValues(\.jobOptions)
        let rules = RegistrationRules(
            sites: SiteDirectory(sites), manifests: manifests.keys.compactMap { ProtocolName(text: $0) }
        ) { specs[$0.folder] ?? CommonOptions.specs }
        var configuration = EngineConfiguration()
        configuration.leaseSeconds = config.leases.seconds
        configuration.heartbeatSeconds = config.leases.heartbeat
        configuration.sessionlessLeaseSeconds = config.leases.sessionless
        configuration.retry = RetryPolicy(base: config.retry.base, maximum: config.retry.maximum)
        configuration.breaker = BreakerPolicy(
            failures: config.breaker.failures, base: config.breaker.base, maximum: config.breaker.maximum)
        configuration.limits.usual = config.limits.perUser
        configuration.limits.others = config.users.mapValues { $0.over(config.limits.perUser) }
        configuration.keptSeconds = config.retention.days > 0 ? config.retention.days * 86_400 : nil
        configuration.recordedSeconds = config.retention.recordDays > 0 ? config.retention.recordDays * 86_400 : nil
        return try await Engine(
            store: store, logs: logs, rules: rules, configuration: configuration,
            world: World(clock: clock), identity: peers.own, others: peers.client, launcher: launcher,
            tokenKey: { try keys?.shared("elements", $0) ?? $0 }, onDiskFailure: Self.diskFailed,
            onOusted: Self.ousted)
    }

    /// The keys of the vault, checked; nil where there is none.
    private func vaultKeys(_ store: Store) async throws -> VaultKeys? {
        do {
            guard let path = config.vault else {
                guard try await Vault.sealingKey(of: store) == nil else {
                    throw StartError(
                        message:
                            "\(config.store): holds what only its vault opens: name the key file (vault) in \(config.file)"
                    )
                }
                return nil
            }
            try Self.makeFolder(of: path, "the vault's keys")
            let keys = VaultKeys(path)
            try await Vault.open(keys, store: store)
            return keys
        } catch let problem as VaultProblem {
            throw StartError(message: problem.description)
        } catch let error as StoreError {
            throw StartError(error, store: config.store)
        }
    }

    private func routes(
        _ engine: Engine, _ peers: Membership, _ manifests: [String: ProtocolManifest], _ keys: VaultKeys?
    ) -> Router {
        var router = Router(
            notFound: { .noSuchRoute($0) }, methodNotAllowed: { .wrongMethod($0, allowed: $1) },
            failure: { _, _ in .problem(status: 500, reason: "the server failed") })
        let onFault: @Sendable (String) -> Void = { Self.log("request failed", $0) }
        let door = Door(
            engine: engine,
            authenticator: Authenticator(
                store: engine.store, issuers: config.issuers.map(\.issuer),
                certificates: config.clients?.holders ?? [:], now: engine.world.now, onEvent: Self.tell),
            onFault: onFault)
        let logins = LoginLimits(
            usual: config.logins.hours * 3600, longest: config.logins.longestHours * 3600)
        NativeAPI(
            door,
            loginLimits: logins,
            userSites: UserSites(
                most: config.userSites.most, protocols: config.userSites.protocols,
                options: { manifests[$0.folder]?.siteOptions }),
            vault: keys.map { keys in
                Vault(
                    store: engine.store, keys: keys, allKinds: Set(manifests.values.flatMap(\.credentials)).sorted(),
                    now: engine.world.now, kinds: { manifests[$0.folder]?.credentials ?? [] })
            }, myProxy: config.myProxy.map { MyProxyTool($0) }
        ).mount(on: &router)
        UWSAPI(door).mount(on: &router)
        QdoAPI(door, loginLimits: logins).mount(on: &router)
        ClockworkAPI(door).mount(on: &router)
        OverviewAPI(door).mount(on: &router)
        ServersAPI(engine: engine, pass: peers.pass, onFault: onFault).mount(on: &router)
        return router
    }

    /// A signal said that certificates changed.
    private static func reload(_ server: HTTPServer) {
        do throws(HTTPServerError) {
            try server.reloadCertificates()
            log("reloaded", "")
        } catch {
            log("not reloaded", "cause=\(error.message)")
        }
    }

    /// What comes of people from outside.
    @Sendable private static func tell(_ event: OutsideEvent) {
        switch event {
        case .keys(let issuer, nil): log("issuer answers", "issuer=\(issuer)")
        case .keys(let issuer, let cause?): log("issuer without keys", "issuer=\(issuer) cause=\(cause)")
        case .refused(let issuer, let cause): log("token refused", "issuer=\(issuer) cause=\(cause)")
        }
    }

    private func listen(_ opening: Opening) throws -> HTTPServer {
        var listening = HTTPServerConfiguration(host: config.listen.host, port: config.listen.port)
        listening.connectionLimit = config.limits.connections
        listening.requestDeadline = config.limits.requestSeconds
        listening.idleTimeout = config.limits.idleSeconds
        listening.proxies = config.proxies?.trusted
        listening.tls = config.tls.map { tls in
            .init(
                certificatePath: tls.certificate, keyPath: tls.key,
                clients: config.clients.map { .init(authoritiesPath: $0.authorities, revokedPath: $0.revoked) })
        }
        let server = HTTPServer(
            configuration: listening, admit: { opening.admission(of: $0) },
            handler: { await opening.respond(to: $0) },
            errorBody: { opening.refusal($0, $1, of: $2) ?? .problem(status: $0, reason: $1) })
        do { try server.start() } catch { throw StartError(message: error.message) }
        return server
    }

    private func url(_ server: HTTPServer) -> String { url(server, host: config.listen.host) }

    private func url(_ server: HTTPServer, host: String) -> String {
        let host = host.contains(":") ? "[\(host)]" : host
        return "\(config.tls == nil ? "http" : "https")://\(host):\(server.port)"
    }

    /// Where the other servers reach this one, unless the configuration says.
    private func usualAddress(_ server: HTTPServer) -> String {
        let isAny = ["0.0.0.0", "::", ""].contains(config.listen.host)
        return url(server, host: isAny ? Self.machineName : config.listen.host)
    }

    private static var machineName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func log(_ event: String, _ details: String) {
        let line = "\(World.real.now().text) \(event)\(details.isEmpty ? "" : " ")\(details)\n"
        FileHandle.standardError.write(Data(line.utf8))
    }
}
