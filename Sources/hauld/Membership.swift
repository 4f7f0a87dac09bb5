import HaulAPI
import HaulAuth
import HaulCrypto
import HaulEngine
import HaulHTTP
import HaulModel
import HaulStore

/// A server that starts, as the others of its database know it from the run before.
struct Newcomer: Sendable {
    /// Its row, which stays as it is until it has what is its own: a run before this one may still live.
    let known: KnownServer
    let client: ServerClient
    private let key: [UInt8]
    private let store: Store
    private let config: ServerConfig
    private let url: String
    private let run: String
    private let clock: DatabaseClock

    /// Seconds since it was heard of after which the run before this one is not asked whether it lives.
    private static let silence = 60.0

    /// - Parameters:
    ///   - id: under which it knows itself; nil leaves it to the address.
    ///   - url: where the others reach it.
    init(
        store: Store, id: Int? = nil, url: String, clock: DatabaseClock, keys: VaultKeys?, config: ServerConfig
    ) async throws {
        let now = clock.now()
        let run = Text.hex(Random.bytes(16))
        let fresh = Random.bytes(32)
        let (found, stored) = try await Self.asking(store, config) { writer in
            (
                try writer.findServer(id: id, url: url, run: run, now: now),
                try writer.setting("server_key", initially: fresh)
            )
        } otherwise: { reader in
            guard let known = try id.flatMap({ try reader.server($0) }) ?? reader.server(at: url),
                let key = try reader.setting("server_key")
            else { return nil }
            return (known, key)
        }
        known = found
        do { key = try keys?.shared("servers", stored) ?? stored } catch {
            throw StartError(message: error.description)
        }
        var configuration = HTTPClientConfiguration()
        configuration.connectTimeout = 3
        configuration.authoritiesPath = config.tls?.authorities
        client = ServerClient(
            client: HTTPClient(configuration: configuration),
            pass: ServerPass(key: key, own: known, now: { clock.now() }))
        (self.store, self.config, self.url, self.run, self.clock) = (store, config, url, run, clock)
    }

    /// Takes the place of the run before this one.
    ///
    /// - Throws: `StartError` where that one lives.
    func join() async throws -> Membership {
        let isOwn = known.run == run
        if !isOwn, clock.now().seconds(since: known.seen) < Self.silence, await client.runs(known) {
            throw StartError(
                message: """
                    another hauld runs and advertises \(known.url): give each an address of its own (`advertise`), \
                    and a spool of its own where there is one
                    """)
        }
        let next = KnownServer(id: known.id, url: url, run: run, seen: clock.now())
        let known = known
        let own = try await Self.asking(store, config) { writer in
            if !isOwn { try writer.enterServer(next) }
            return next
        } otherwise: { _ in
            // On a full disk it goes on as the run before it.
            known
        }
        let clock = clock
        return Membership(own: own, pass: ServerPass(key: key, own: own, now: { clock.now() }), client: client)
    }

    private static func asking<T: Sendable>(
        _ store: Store, _ config: ServerConfig, _ body: @escaping @Sendable (StoreWriter) throws -> T,
        otherwise: @escaping @Sendable (StoreReader) throws -> T?
    ) async throws -> T {
        do {
            return try await store.write(body)
        } catch let error as StoreError {
            if case .unavailable = error, let found = try? await store.read(otherwise) { return found }
            throw StartError(error, store: config.store)
        }
    }
}

/// This server among those of its database: who it is, and how it and the others ask each other.
struct Membership: Sendable {
    let own: KnownServer
    let pass: ServerPass
    let client: ServerClient
}
