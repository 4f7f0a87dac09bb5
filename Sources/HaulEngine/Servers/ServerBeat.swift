import HaulModel
import HaulStore

/// Says to the other servers that this one lives.
struct ServerBeat: Duty {
    let engine: Engine
    let name = "server-beat"
    let period = 5.0
    let bell = Bell()

    /// Another process runs under this server's address or spool.
    struct Ousted: Error, CustomStringConvertible {
        let url: String
        var description: String {
            "another hauld advertises \(url): each needs an address of its own (`advertise` in hauld.json5)"
        }
    }

    func run() async throws -> Bool {
        let identity = engine.identity
        let now = engine.world.now()
        // One that the others can't reach needs no beat.
        guard !identity.url.isEmpty else { return false }
        guard try await engine.store.write({ try $0.touchServer(identity.id, run: identity.run, now: now) }) else {
            throw Ousted(url: identity.url)
        }
        return false
    }
}
