import HaulConfig
import HaulModel
import HaulStore

/// What `hauld.json5` says. Paths are relative to the file; `config/hauld.json5` explains each key.
struct ServerConfig: Decodable, Sendable {
    /// Where it stands, for relative paths.
    private(set) var file = ""
    /// `host:port`; port 0 is any that is free.
    var listen: ListenAddress
    /// Where the other servers of the database reach this one; nil is where it listens.
    var advertise: String?
    var tls: TLS?
    /// The database: a file, or a PostgreSQL URL.
    var store: StoreLocation
    /// Where logs and listings are.
    var logs: LogPlace
    /// The file that lists the sites.
    var sites: String
    /// The folder of protocols, whose manifests say which options there are.
    var protocols: String
    var leases: Leases
    var retry: Retry
    var breaker: Breaker
    var retention: Retention
    var limits: Limits
    var logins: Logins
    /// Whose tokens are taken besides haul's own.
    var issuers: [IssuerConfig]
    /// Whose certificates are taken; nil: clients are asked for none.
    var clients: ClientsConfig?
    /// Proxies before it; nil: none.
    var proxies: ProxiesConfig?
    var userSites: UserSiteRules
    /// The file of the keys that credentials are sealed with; nil: none are kept.
    var vault: String?
    /// Where users' proxies may be fetched; nil: nowhere.
    var myProxy: MyProxyConfig?
    /// Users with limits of their own.
    var users: [String: UserLimitsSection]
    /// Workers that are started for queues; nil: none are.
    var launch: LaunchConfig?

    static func load(_ path: String) throws(ConfigError) -> ServerConfig {
        var config = try ConfigFile.load(ServerConfig.self, from: path)
        config.file = path
        if case .sqlite(let file) = config.store {
            config.store = .sqlite(path: ConfigFile.resolve(file, relativeTo: path))
        }
        config.logs = config.logs.resolved(relativeTo: path)
        config.sites = ConfigFile.resolve(config.sites, relativeTo: path)
        config.protocols = ConfigFile.resolve(config.protocols, relativeTo: path)
        if var myProxy = config.myProxy {
            myProxy.authorities = ConfigFile.resolve(myProxy.authorities, relativeTo: path)
            config.myProxy = myProxy
        }
        config.vault = config.vault.map { ConfigFile.resolve($0, relativeTo: path) }
        config.tls = config.tls.map { tls in
            TLS(
                certificate: ConfigFile.resolve(tls.certificate, relativeTo: path),
                key: ConfigFile.resolve(tls.key, relativeTo: path),
                authorities: tls.authorities.map { ConfigFile.resolve($0, relativeTo: path) })
        }
        config.clients = config.clients?.resolved(relativeTo: path)
        config.issuers = config.issuers.map { $0.resolved(relativeTo: path) }
        config.launch = config.launch?.resolved(relativeTo: path)
        return config
    }

    private enum CodingKeys: String, CodingKey {
        case listen, advertise, tls, store, logs, sites, protocols, leases, retry, breaker, retention, limits, logins,
            users
        case issuers, clients, proxies, launch
        case vault
        case myProxy = "myproxy"
        case userSites = "user_sites"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        listen = try container.decode(ListenAddress.self, forKey: .listen, default: .usual)
        advertise = try container.decodeIfPresent(String.self, forKey: .advertise)
        if let url = advertise, !Self.isAddress(url) {
            throw ConfigValueError(expected: "\"http://HOST:PORT\" or \"https://HOST:PORT\"", key: "advertise")
        }
        tls = try container.decodeIfPresent(TLS.self, forKey: .tls)
        store = StoreLocation(try container.decode(String.self, forKey: .store))
        logs = try container.decode(LogPlace.self, forKey: .logs)
        sites = try container.decode(String.self, forKey: .sites)
        protocols = try container.decode(String.self, forKey: .protocols)
        leases = try container.decode(Leases.self, forKey: .leases, default: Leases())
        retry = try container.decode(Retry.self, forKey: .retry, default: Retry())
        breaker = try container.decode(Breaker.self, forKey: .breaker, default: Breaker())
        retention = try container.decode(Retention.self, forKey: .retention, default: Retention())
        limits = try container.decode(Limits.self, forKey: .limits, default: Limits())
        logins = try container.decode(Logins.self, forKey: .logins, default: Logins())
        issuers = try container.decode([IssuerConfig].self, forKey: .issuers, default: [])
        try IssuerConfig.check(issuers)
        clients = try container.decodeIfPresent(ClientsConfig.self, forKey: .clients)
        proxies = try container.decodeIfPresent(ProxiesConfig.self, forKey: .proxies)
        if clients != nil, tls == nil {
            throw ConfigValueError(expected: "tls beside it: certificates are shown over HTTPS alone", key: "clients")
        }
        userSites = try container.decode(UserSiteRules.self, forKey: .userSites, default: UserSiteRules())
        vault = try container.decodeIfPresent(String.self, forKey: .vault)
        myProxy = try container.decodeIfPresent(MyProxyConfig.self, forKey: .myProxy)
        launch = try container.decodeIfPresent(LaunchConfig.self, forKey: .launch)
        users = try container.decode([String: UserLimitsSection].self, forKey: .users, default: [:])
    }

    /// A scheme, a host, maybe a port, and no more; no longer than any host's name needs.
    static func isAddress(_ url: String) -> Bool {
        guard url.utf8.count <= 300, let scheme = ["http://", "https://"].first(where: url.hasPrefix) else {
            return false
        }
        let rest = url.utf8.dropFirst(scheme.utf8.count)
        return !rest.isEmpty && rest.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#@".utf8.contains($0) }
    }

    struct TLS: Decodable, Sendable {
        var certificate: String
        var key: String
        /// Authorities that signed the other servers' certificates; nil is the system's.
        var authorities: String?
    }

    /// Seconds.
    struct Leases: Decodable, Sendable {
        var seconds = 60.0
        var heartbeat = 15.0
        var sessionless = 21_600.0

        private enum CodingKeys: String, CodingKey { case seconds, heartbeat, sessionless }

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            seconds = try container.decode(Double.self, forKey: .seconds, in: 1...86_400, default: seconds)
            heartbeat = try container.decode(Double.self, forKey: .heartbeat, in: 0.1...3600, default: heartbeat)
            sessionless = try container.decode(Double.self, forKey: .sessionless, in: 1...604_800, default: sessionless)
            if heartbeat * 2 > seconds {
                throw ConfigValueError(expected: "at most half of leases.seconds (\(seconds))", key: "heartbeat")
            }
        }
    }

    /// Seconds.
    struct Retry: Decodable, Sendable {
        var base = 5.0
        var maximum = 900.0

        private enum CodingKeys: String, CodingKey { case base, maximum }

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            base = try container.decode(Double.self, forKey: .base, in: 0.01...86_400, default: base)
            maximum = try container.decode(Double.self, forKey: .maximum, in: 0.01...604_800, default: maximum)
        }
    }

    /// When a site counts as down.
    struct Breaker: Decodable, Sendable {
        /// Attempts in a row that have to fail.
        var failures = 5
        /// Seconds for which nothing is handed out then: at first, and at most.
        var base = 5.0
        var maximum = 300.0

        private enum CodingKeys: String, CodingKey { case failures, base, maximum }

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            failures = try container.decode(Int.self, forKey: .failures, in: 1...1_000_000, default: failures)
            base = try container.decode(Double.self, forKey: .base, in: 0.01...86_400, default: base)
            maximum = try container.decode(Double.self, forKey: .maximum, in: 0.01...604_800, default: maximum)
        }
    }

    struct Retention: Decodable, Sendable {
        /// For which jobs stay after their end; 0 is for ever.
        var days = 90.0
        /// For which the record of changes stays; 0 is for ever.
        var recordDays = 365.0

        private enum CodingKeys: String, CodingKey {
            case days
            case recordDays = "record_days"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            days = try container.decode(Double.self, forKey: .days, default: days)
            // An idempotency key names its jobs for a day.
            guard days == 0 || (1...36_500).contains(days) else {
                throw ConfigValueError(expected: "0 (for ever), or 1 to 36500 days", key: "days")
            }
            recordDays = try container.decode(
                Double.self, forKey: .recordDays, in: 0...36_500, default: recordDays)
        }
    }

    /// For how long a login is good.
    struct Logins: Decodable, Sendable {
        /// Where it says nothing.
        var hours = 12.0
        /// The most that one may ask for.
        var longestHours = 720.0

        private enum CodingKeys: String, CodingKey {
            case hours
            case longestHours = "longest_hours"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            hours = try container.decode(Double.self, forKey: .hours, in: 0.001...87_600, default: hours)
            longestHours = try container.decode(
                Double.self, forKey: .longestHours, in: hours...87_600, default: max(hours, longestHours))
        }
    }

    struct Limits: Decodable, Sendable {
        /// Connections at once.
        var connections = 4096
        /// Seconds within which a request has to arrive.
        var requestSeconds = 60.0
        /// Seconds after which an idle connection is closed.
        var idleSeconds = 60.0
        /// Of each user without limits of their own.
        var perUser = UserLimits()

        private enum CodingKeys: String, CodingKey {
            case connections, burst, bulk
            case requestSeconds = "request_seconds"
            case idleSeconds = "idle_seconds"
            case requestsPerSecond = "requests_per_second"
            case waitingPerUser = "waiting_per_user"
            case runningPerUser = "running_per_user"
            case propertiesPerUser = "properties_per_user"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            connections = try container.decode(Int.self, forKey: .connections, in: 1...1_000_000, default: connections)
            requestSeconds = try container.decode(
                Double.self, forKey: .requestSeconds, in: 1...3600, default: requestSeconds)
            idleSeconds = try container.decode(Double.self, forKey: .idleSeconds, in: 1...3600, default: idleSeconds)
            try container.read(.requestsPerSecond, into: &perUser.requestsPerSecond, in: 0.01...1_000_000)
            try container.read(.burst, into: &perUser.burst, in: 1...1_000_000)
            try container.read(.waitingPerUser, into: &perUser.waiting, in: 1...1_000_000_000)
            try container.read(.runningPerUser, into: &perUser.running, in: 1...1_000_000)
            try container.read(.propertiesPerUser, into: &perUser.properties, in: 2...1 << 50)
            perUser.bulk = try container.decode(Int.self, forKey: .bulk, in: 1...10_000, default: perUser.bulk)
        }
    }
}

/// `host:port`, or `[address]:port` for IPv6.
struct ListenAddress: Decodable, Sendable {
    var host: String
    var port: Int

    static let usual = ListenAddress(host: "127.0.0.1", port: 8080)

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port), colon > text.startIndex
        else { throw ConfigValueError(expected: "\"HOST:PORT\" with a port from 0 to 65535") }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        self.init(host: host, port: port)
    }

    /// Whether only this machine reaches it.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
