public import HaulModel

/// What the failures of one who tries passwords add up to.
public struct LoginFailures: Sendable, Hashable {
    /// A hash of who tries which name.
    public var hash: [UInt8]
    public var delay: LoginDelay

    public init(hash: [UInt8], delay: LoginDelay) {
        self.hash = hash
        self.delay = delay
    }
}

extension StoreWriter {
    /// Counts a password that is about to be tried as wrong, so that many that come at once are not tried for free.
    ///
    /// - Returns: what of it is locked for longest, and until when; nil where it may be tried, and was counted.
    public func beginLogin(_ all: [LoginFailures], now: Timestamp) throws -> (hash: [UInt8], until: Timestamp)? {
        let oldest = now.adding(seconds: -LoginDelay.memory)
        let known = try all.map { failures in
            try db.first(
                "SELECT failures, until FROM login_failures WHERE hash = $1 AND changed > $2",
                [.blob(failures.hash), .int(oldest.milliseconds)]
            ) { (count: $0.int(0), until: Timestamp(milliseconds: $0.int(1))) }
        }
        let locks = zip(all, known).compactMap { failures, known in known.map { (failures.hash, $0.until) } }
        if let lock = locks.max(by: { $0.1 < $1.1 }), lock.1 > now { return lock }
        for (failures, known) in zip(all, known) {
            let count = (known?.count ?? 0) + 1
            try db.run(
                """
                INSERT INTO login_failures (hash, failures, until, changed) VALUES ($1, $2, $3, $4)
                ON CONFLICT (hash) DO UPDATE SET failures = $2, until = $3, changed = $4
                """,
                [
                    .blob(failures.hash), .int(count),
                    .int(now.adding(seconds: failures.delay.seconds(after: count)).milliseconds),
                    .int(now.milliseconds),
                ])
        }
        return nil
    }

    /// The password was right: who knows it starts anew, and what was counted of others stays.
    public func endLogin(forgetting own: [LoginFailures], taking shared: [LoginFailures]) throws {
        for failures in own {
            try db.run("DELETE FROM login_failures WHERE hash = $1", [.blob(failures.hash)])
        }
        for failures in shared {
            try db.run(
                "UPDATE login_failures SET failures = failures - 1, until = 0 WHERE hash = $1 AND failures > 0",
                [.blob(failures.hash)])
        }
    }

    /// Removes what was counted too long ago to count.
    ///
    /// - Returns: how many.
    public func forgetLoginFailures(before: Timestamp, limit: Int) throws -> Int {
        try db.run(
            """
            DELETE FROM login_failures WHERE hash IN
                (SELECT hash FROM login_failures WHERE changed < $1 ORDER BY changed LIMIT $2)
            """, [.int(before.milliseconds), .int(limit)])
    }
}
