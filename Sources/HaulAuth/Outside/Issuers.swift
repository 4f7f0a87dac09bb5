import HaulCrypto
import HaulHTTP
import HaulModel

/// What the operator should know about people from outside; who shows something that is wrong is told nothing.
public enum OutsideEvent: Sendable, Hashable {
    /// An issuer's keys cannot be had, and why; nil: they can again.
    case keys(issuer: String, cause: String?)
    /// A token of an issuer of ours, or of another (`?`), lets nobody in, and why. Not told again of the same cause for a
    /// minute.
    case refused(issuer: String, cause: String)
}

/// The issuers whose tokens are taken, each with its keys.
final class Issuers: Sendable {
    private struct Entry: Sendable {
        var issuer: Issuer
        var keys: KeySource
    }

    private let entries: [String: Entry]
    private let now: @Sendable () -> Timestamp
    private let refusals: RefusalLog

    init(
        _ issuers: [Issuer], times: KeyTimes = KeyTimes(), now: @escaping @Sendable () -> Timestamp,
        onEvent: @escaping @Sendable (OutsideEvent) -> Void
    ) {
        self.now = now
        refusals = RefusalLog(now: now, onEvent: onEvent)
        // A client is a thread: those that trust the same share one.
        var clients: [String: HTTPClient] = [:]
        var entries: [String: Entry] = [:]
        for issuer in issuers {
            var configuration = HTTPClientConfiguration()
            configuration.connectTimeout = 5
            configuration.authoritiesPath = issuer.authorities
            let client = clients[issuer.authorities ?? ""] ?? HTTPClient(configuration: configuration)
            clients[issuer.authorities ?? ""] = client
            let fetcher = KeyFetcher(issuer: issuer, client: client)
            let keys = KeySource(times: times, now: now) { () async throws(KeyFault) in
                try await fetcher.fetch()
            } onChange: {
                onEvent(.keys(issuer: issuer.url, cause: $0))
            }
            entries[issuer.url] = Entry(issuer: issuer, keys: keys)
        }
        self.entries = entries
    }

    /// Whom a token is about; waits for its issuer's keys where they are not there.
    func outsider(bearing text: String) async throws(TokenRefusal) -> Outsider {
        // Not by its own name, which anybody can make up, and as long as they like.
        var name = "?"
        do throws(TokenRefusal) {
            let token = try JSONWebToken(text)
            guard let said = token.claims["iss"]?.string, let entry = entries[said] else { throw .issuer }
            name = said
            let keys = await entry.keys.candidates(for: token)
            guard !keys.isEmpty else { throw .key }
            guard keys.contains(where: { $0.isRight(token.signature, of: token.signed) }) else { throw .signature }
            return try entry.issuer.outsider(token.claims, now: now())
        } catch {
            refusals.note(error, issuer: name)
            throw error
        }
    }
}
