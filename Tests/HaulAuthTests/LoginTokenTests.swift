import HaulModel
import HaulStore
import Support
import Testing

@testable import HaulAuth

/// Tokens that logins give, where a user has as many as one may.
@Suite(.timeLimit(.minutes(6))) struct LoginTokenTests {
    /// Who logs in again and again ends the oldest of those logins, and neither other tokens nor the next login.
    @Test func theOldestEnds() async throws {
        let folder = try Folder()
        let now = Timestamp(milliseconds: 1_700_000_000_000)
        let store = try Store(
            at: StoreLocation(try await TestDatabase.make(file: folder.path + "/haul.sqlite")), readers: 1
        ) {
            Issue.record("fsync failed: \($0)")
        }
        let accounts = Accounts(store: store, logins: Logins(store: store, now: { now }), now: { now })
        let actor = Requester(name: "alice", token: nil, address: "")
        let alice = try await store.write { try $0.user(named: "alice", now: now) }
        func make(_ name: String, login: Bool) async throws -> Int {
            var spec = TokenSpec(role: .user)
            spec.name = name
            return try await accounts.addToken(
                spec, to: alice, by: actor, as: login ? .login : .addToken, endsOldest: login
            ).known.record.id
        }
        let own = try await make("own", login: false)
        let first = try await make(Accounts.loginName, login: true)
        // As if all the others had been made, too.
        try await store.write { writer in
            for number in 2..<Accounts.mostTokens {
                var spec = TokenSpec(role: .user)
                spec.name = Accounts.loginName
                let hash = (0..<32).map { UInt8(truncatingIfNeeded: number >> (8 * ($0 % 4))) }
                try writer.addToken(spec, hash: hash, user: alice, now: now)
            }
        }
        await #expect(throws: AccountRefusal.tooManyTokens(Accounts.mostTokens)) {
            _ = try await make("one more", login: false)
        }
        _ = try await make(Accounts.loginName, login: true)
        let (oldest, kept) = try await store.read { (try $0.token(first)?.revoked, try $0.token(own)?.revoked) }
        #expect(oldest == now && kept == nil)
        await #expect(throws: AccountRefusal.tooManyTokens(Accounts.mostTokens)) {
            _ = try await make("one more", login: false)
        }
    }
}
