import HaulCrypto
public import HaulModel
import HaulStore

/// Why nobody gets in by a name and a password.
public enum LoginRefusal: Error, Sendable, Hashable {
    /// There is no such user, or it is not the password, or nobody gets in under the name: who asks is not told which.
    case wrong
    /// Too many were wrong: none is tried for that many seconds.
    case locked(seconds: Double)
    /// More are being tried than this machine can.
    case busy
}

/// Names and passwords.
public final class Logins: Sendable {
    private let store: Store
    private let now: @Sendable () -> Timestamp
    private let desk = PasswordDesk()
    private let recent = RecentPasswords()
    private let locks = KnownLocks()

    init(store: Store, now: @escaping @Sendable () -> Timestamp) {
        self.store = store
        self.now = now
    }

    /// Whose name and password these are.
    ///
    /// Wrong ones are counted, in the database and so for all its servers, by name and address: ``LoginDelay``.
    /// - Parameter address: The client's.
    /// - Throws: ``LoginRefusal``.
    public func check(_ name: String, _ password: String, from address: String) async throws -> Account {
        guard AccessToken.problem(withUser: name) == nil, password.utf8.count <= Password.longest else {
            throw LoginRefusal.wrong
        }
        let account = try await store.ask { try $0.account(named: name) }
        let stored = account?.disabled == nil ? account?.password : nil
        // Clients of Basic show their password with every request: it is not computed anew each time.
        if let account, let stored, recent.knows(name, password, stored) { return account }
        return try await guarding(name, from: address, isGuess: { $0 as? LoginRefusal != .busy }) {
            // Of nobody, too: how long it takes tells nothing.
            let isRight = try await desk.isRight(password, hash: stored)
            guard isRight, let account, let stored else {
                let (actor, time) = (Requester(name: name, token: nil, address: address), now())
                try await store.write { try $0.note(Deed(.loginFailed, name), by: actor, now: time) }
                throw LoginRefusal.wrong
            }
            recent.note(name, password, stored)
            return account
        }
    }

    /// Tries what somebody may be guessing: refused while too many were wrong, counted as wrong before it is tried, and
    /// forgotten when it was right.
    ///
    /// - Parameters:
    ///   - name: what is guessed, the same for all who guess it.
    ///   - isGuess: whether what `body` threw may tell who guesses something; else it does not count. Somebody who goes
    ///     away before the answer counts.
    /// - Throws: ``LoginRefusal/locked``, and what `body` throws.
    public func guarding<T>(
        _ name: String, from address: String, isGuess: (any Error) -> Bool, _ body: () async throws -> T
    ) async throws -> T {
        let guesser = Self.failures(.guesser, "\(name)\0\(address)")
        let shared = [Self.failures(.name, name), Self.failures(.address, "\0\(address)")]
        let (all, time) = ([guesser] + shared, now())
        if let until = locks.until(all.map(\.hash), now: time) {
            throw LoginRefusal.locked(seconds: until.seconds(since: time))
        }
        if let lock = try await store.write({ try $0.beginLogin(all, now: time) }) {
            locks.note(lock.hash, until: lock.until, now: time)
            throw LoginRefusal.locked(seconds: lock.until.seconds(since: time))
        }
        let outcome: T
        do { outcome = try await body() } catch {
            if !isGuess(error) { try await store.write { try $0.endLogin(forgetting: [], taking: all) } }
            throw error
        }
        try await store.write { try $0.endLogin(forgetting: [guesser], taking: shared) }
        return outcome
    }

    /// What is kept of a new password.
    /// - Throws: ``LoginRefusal/busy``.
    public func hash(_ password: String) async throws -> String { try await desk.hash(password) }

    /// What is wrong with a new password, or nil: 10 to 1,024 bytes, and not the user's name.
    public static func problem(with password: String, of user: String) -> String? {
        let size = password.utf8.count
        if size < 10 || size > Password.longest { return "must have 10 to \(Password.longest) bytes" }
        if password.utf8.contains(0) { return "must not hold a zero byte" }
        return password.lowercased() == user.lowercased() ? "must not be the user's name" : nil
    }

    private static func failures(_ delay: LoginDelay, _ who: String) -> LoginFailures {
        LoginFailures(hash: AccessToken.hash(of: "login \(who)"), delay: delay)
    }
}
