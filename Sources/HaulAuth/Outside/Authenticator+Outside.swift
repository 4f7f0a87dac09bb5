import HaulModel
import HaulStore

extension Authenticator {
    /// What stands for somebody from outside, with what they may do by what they showed; made where they are seen for the
    /// first time. Nil where it was revoked, or nobody gets in under their user's name.
    func admit(_ outsider: Outsider, from address: String) async throws -> TokenRecord? {
        let (hash, spec) = (outsider.hash, outsider.spec)
        if let known = try await store.ask({ try $0.token(hash: hash) }) {
            return try await record(known, now: spec)
        }
        // Revoked, or their user is disabled: asked about without a transaction, however often they come.
        if let known = try await store.ask({ try $0.knownToken(hash: hash) }) {
            // Or made between the two questions, by another request of theirs.
            guard known.revoked == nil, let made = try await store.ask({ try $0.token(hash: hash) }) else { return nil }
            return try await record(made, now: spec)
        }
        let time = now()
        let made = try await store.write { writer -> TokenRecord? in
            // Two of their requests may be the first.
            if try writer.reader.knownToken(hash: hash) != nil { return try writer.reader.token(hash: hash) }
            let actor = Requester(name: outsider.user, token: nil, address: address)
            if let account = try writer.reader.account(named: outsider.user) {
                guard account.disabled == nil else { return nil }
            } else {
                try writer.note(
                    Deed(.addUser, outsider.user, "identity=\(outsider.identity)"), by: actor, now: time)
            }
            let user = try writer.user(named: outsider.user, now: time)
            var standing = spec
            // What a request shows of itself is its own.
            (standing.scopes, standing.expires) = (nil, nil)
            let id = try writer.addToken(standing, hash: hash, user: user, now: time)
            let detail = "\(standing.summary(of: user)) identity=\(outsider.identity)"
            try writer.note(Deed(.addToken, "\(id)", detail), by: actor, now: time)
            return TokenRecord(id: id, user: user, spec: spec)
        }
        guard var made else { return nil }
        made.spec = spec
        return made
    }

    /// The row's, with what the configuration and the request say now.
    private func record(_ known: TokenRecord, now spec: TokenSpec) async throws -> TokenRecord {
        let before = known.spec
        if before.sites != spec.sites || before.queues != spec.queues || before.users != spec.users {
            try await store.write { try $0.restrictToken(known.id, to: spec) }
        }
        var record = known
        record.spec = spec
        return record
    }
}
