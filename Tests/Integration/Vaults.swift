import HaulModel
import Support

/// Runs `body` with a server that keeps credentials.
func withVault(_ body: (LiveServer) async throws -> Void) async throws {
    var settings = LiveServer.Settings()
    settings.more = "vault: \"vault.key\","
    let server = try await LiveServer.start(settings)
    do { try await body(server) } catch {
        await server.remove()
        throw error
    }
    await server.remove()
}

/// Keeps a credential.
func keep(_ caller: Caller, _ kind: String, _ secret: String, site: JSONValue = .null) async throws -> Answer {
    try await caller.put("/credentials", ["kind": .string(kind), "secret": .string(secret), "site": site])
}

/// What a worker is given to show.
func fetch(_ held: Held, _ caller: Caller) async throws -> Answer { try await caller.get(held.path + "/credentials") }
