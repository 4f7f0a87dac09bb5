public import HaulModel
import Synchronization

/// Servers that gave no answer a moment ago: each try to reach one takes seconds, and a server that is gone is asked for
/// very many things at once.
///
/// One that is heard of, or that began anew, is asked again at once.
public final class SilentServers: Sendable {
    private struct Silence {
        var server: KnownServer
        var since: Timestamp
    }

    /// Seconds for which a server is not asked again: twice as long as one that lives stays silent.
    static let pause = 10.0
    private static let most = 1000

    private let silences = Mutex<[Int: Silence]>([:])

    public init() {}

    /// - Throws: ``ServerUnreachable`` for a server that gave no answer a moment ago, and was not heard of since.
    public func check(_ server: KnownServer, now: Timestamp) throws(ServerUnreachable) {
        let isSilent = silences.withLock { silences in
            guard let silence = silences[server.id] else { return false }
            let seconds = now.seconds(since: silence.since)
            return silence.server == server && seconds >= 0 && seconds < Self.pause
        }
        if isSilent { throw ServerUnreachable("it gave no answer a moment ago") }
    }

    /// A server gave no answer.
    public func note(_ server: KnownServer, now: Timestamp) {
        silences.withLock { silences in
            if silences.count >= Self.most { silences.removeAll() }
            silences[server.id] = Silence(server: server, since: now)
        }
    }
}
