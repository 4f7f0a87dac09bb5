import HaulModel
import HaulStore

/// Says to the other servers that this one lives.
struct ServerBeat: Duty {
    let engine: Engine
    let name = "server-beat"
    let period = 5.0
    let bell = Bell()

    /// Another run of this server has taken its place: this one holds nothing any more of what it believes to hold.
    struct Ousted: Error, CustomStringConvertible {
        let url: String
        var description: String {
            "another hauld advertises \(url): each needs an address of its own (`advertise` in hauld.json5)"
        }
    }

    func run() async throws -> Bool {
        var own = engine.identity
        own.seen = engine.world.now()
        // One that the others can't reach needs no beat.
        guard !own.url.isEmpty else { return false }
        guard try await engine.store.write({ [own] in try $0.touchServer(own) }) else {
            let ousted = Ousted(url: own.url)
            engine.onOusted(ousted.description)
            throw ousted
        }
        return false
    }
}
