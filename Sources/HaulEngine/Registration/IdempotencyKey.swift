import HaulCrypto
import HaulModel
import HaulStore

/// What makes a repeated request the same one.
public struct IdempotencyKey: Sendable, Hashable {
    public var key: String
    /// A hash of the request.
    let body: [UInt8]

    /// - Parameter request: all that has to be the same when it is repeated: method, path and body.
    public init(key: String, request: [UInt8]) {
        self.key = key
        body = Hash.sha256(request)
    }
}

extension IdempotencyKey {
    /// What was kept under this key.
    ///
    /// - Throws: `EngineError.conflict` where it was kept for another request.
    func checked(_ kept: KeptAnswer) throws(EngineError) -> KeptAnswer {
        guard kept.body == body else {
            throw EngineError(
                .conflict, code: "idempotency_key_reused",
                detail: "The idempotency key \"\(key)\" was used for another request within the last day.",
                hint: "Use a new key for a new request, and the same body when repeating one.")
        }
        return kept
    }
}

extension StoreReader {
    /// What was answered under a key before; nil for a new one.
    ///
    /// - Throws: `EngineError.conflict` for a key that was used with another request.
    func keptAnswer(to key: IdempotencyKey?, user: User, since oldest: Timestamp) throws -> KeptAnswer? {
        guard let key, let kept = try keptAnswers([(user.id, key.key, oldest)])[0] else { return nil }
        return try key.checked(kept)
    }
}

extension StoreWriter {
    /// Keeps what is answered under a key, if there is one.
    func keep(_ key: IdempotencyKey?, jobs: [Int], user: User, now: Timestamp) throws {
        guard let key else { return }
        try keepAnswers([(KeptAnswer(body: key.body, jobIDs: jobs), user.id, key.key)], now: now)
    }
}
