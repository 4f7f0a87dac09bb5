import HaulLogs
public import HaulModel
import HaulStore

extension Engine {
    /// Ends attempts whose leases are worth nothing any more: recorded as lost, with what is known, and their elements
    /// put back where tries are left.
    ///
    /// - Parameter unheld: their session lives, and its worker does not have them.
    func lose(_ attempts: [AttemptID], because reason: String, unheld: Bool = false) async throws {
        var own: [Lease] = []
        var elsewhere: [Int: [Lease]] = [:]
        for lease in try await running(attempts) {
            if let server = lease.attempt.server, server != identity.id {
                elsewhere[server, default: []].append(lease)
            } else {
                own.append(lease)
            }
        }
        var failure: (any Error)?
        for (server, leases) in elsewhere {
            do {
                let answer: Void? = try await asking(server, about: leases.map(\.id)) {
                    try await others.lose(leases.map(\.id), because: reason, unheld: unheld, at: $0)
                }
                if answer == nil {
                    own += leases.map { lease in
                        var taken = lease
                        taken.isTakenOver = true
                        return taken
                    }
                }
            } catch {
                // What another server has to end keeps no other waiting.
                failure = error
            }
        }
        try await lose(own, because: reason)
        if let failure { throw failure }
    }

    /// Ends attempts as another server asks; what is not this server's stays as it is.
    ///
    /// - Parameter unheld: as the asker heard of their worker, while their session lives. Otherwise a lease that was renewed
    ///   meanwhile holds.
    public func loseHandedOn(_ attempts: [AttemptID], because reason: String, unheld: Bool) async throws {
        let leases = try await running(attempts)
        try await lose(
            leases.filter { (unheld || !$0.isLive) && $0.attempt.server == identity.id }, because: reason)
    }

    private func running(_ attempts: [AttemptID]) async throws -> [Lease] {
        guard !attempts.isEmpty else { return [] }
        let now = world.now()
        return try await store.read { reader in
            let fence = Fence(reader, now: now)
            // Of a job that was removed meanwhile there is nothing left to lose.
            return try fence.leases(attempts).compactMap { try? $0.get() }.filter { $0.attempt.ended == nil }
        }
    }

    private func lose(_ leases: [Lease], because reason: String) async throws {
        guard !leases.isEmpty else { return }
        let now = world.now()
        let own = identity.id
        let places = try await fileLost(leases, text: Array("haul: \(reason)\n".utf8), now: now)
        try await transact(elements: leases.count) { writer, ledger in
            for lease in leases {
                guard let element = try writer.reader.element(lease.id.elementID, ofJob: lease.id.jobID),
                    var attempt = try writer.reader.attempt(lease.id), attempt.ended == nil,
                    try ledger.apply(.lost, to: element) != nil
                else { continue }
                attempt.ended = ledger.now
                attempt.status = .failed
                attempt.errorClass = .lost
                attempt.reason = reason
                attempt.log = places[lease.id]
                attempt.server = own
                try writer.endAttempts([(attempt, nil)])
            }
        }
        for lease in leases {
            followers.ring(lease.id)
            guard let place = places[lease.id] else { continue }
            await logs.releaseGrowing(lease.key, recordedAt: place)
        }
    }

    /// Writes the logs of lost attempts, most of them together: what a lost worker sent is all that there is to read.
    private func fileLost(
        _ leases: [Lease], text: [UInt8], now: Timestamp
    ) async throws -> [AttemptID: Attempt.LogPlace] {
        var places: [AttemptID: Attempt.LogPlace] = [:]
        var silent: [Lease] = []
        let growing = await logs.growing(leases.map(\.key))
        for lease in leases {
            guard growing.contains(lease.key) else {
                silent.append(lease)
                continue
            }
            places[lease.id] = try await logging {
                try await logs.finishGrowing(lease.key, worker: lease.attempt.worker, time: now, extra: text)
            }
        }
        let finished = silent.map {
            FinishedLog(key: $0.key, worker: $0.attempt.worker, time: now, text: Self.lostLog(of: $0) + text)
        }
        let appended = try await logging { try await logs.append(finished) }
        for (lease, place) in zip(silent, appended) { places[lease.id] = place }
        return places
    }
}
