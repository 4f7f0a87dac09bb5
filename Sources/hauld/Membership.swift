import HaulAPI
import HaulAuth
import HaulCrypto
import HaulEngine
import HaulHTTP
import HaulModel
import HaulStore

/// This server among those of its database: who it is, and how it and the others ask each other.
struct Membership: Sendable {
    let own: KnownServer
    let pass: ServerPass
    let client: ServerClient

    /// - Parameters:
    ///   - id: under which it knows itself; nil leaves it to the address.
    ///   - url: where the others reach it.
    static func join(store: Store, id: Int? = nil, url: String, config: ServerConfig) async throws -> Membership {
        let now = World.real.now()
        let run = Text.hex(Random.bytes(16))
        let fresh = Random.bytes(32)
        let (own, key) = try await enter(store, config) { writer in
            (
                try writer.joinServer(id: id, url: url, run: run, now: now),
                try writer.setting("server_key", initially: fresh)
            )
        } otherwise: { reader in
            // On a full disk it goes on as the run before it.
            guard let own = try id.flatMap({ try reader.server($0) }) ?? reader.server(at: url),
                let key = try reader.setting("server_key")
            else { return nil }
            return (own, key)
        }
        let pass = ServerPass(key: key, own: own, now: World.real.now)
        var client = HTTPClientConfiguration()
        client.connectTimeout = 3
        client.authoritiesPath = config.tls?.authorities
        return Membership(
            own: own, pass: pass, client: ServerClient(client: HTTPClient(configuration: client), pass: pass))
    }

    private static func enter<T: Sendable>(
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
