import HaulLogs
public import HaulModel
import HaulStore

/// Why an attempt ends without a report.
public enum Loss: Sendable, Hashable {
    /// Its lease ended.
    case ended
    /// Its session lives, and its worker does not have it.
    case unheld
    /// Its user took it back.
    case revoked
}

extension Engine {
    /// Ends attempts without a report: recorded as lost, with what is known, and their elements put back, where they were
    /// lost if tries are left.
    func lose(_ attempts: [AttemptID], because reason: String, _ loss: Loss = .ended) async throws {
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
                    try await others.lose(leases.map(\.id), because: reason, loss, at: $0)
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
        try await lose(own, because: reason, loss)
        if let failure { throw failure }
    }

    /// Ends attempts as another server asks; what is not this server's stays as it is.
    ///
    /// - Parameter loss: a lease that was renewed meanwhile holds where it had ended.
    public func loseHandedOn(_ attempts: [AttemptID], because reason: String, _ loss: Loss) async throws {
        let leases = try await running(attempts)
        try await lose(
            leases.filter { (loss != .ended || !$0.isLive) && $0.attempt.server == identity.id }, because: reason,
            loss)
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

    private func lose(_ leases: [Lease], because reason: String, _ loss: Loss) async throws {
        guard !leases.isEmpty else { return }
        let now = world.now()
        let own = identity.id
        // By then a worker has heard of it with a heartbeat, or stopped as none came through.
        let heard = now.adding(seconds: configuration.leaseSeconds)
        let places = try await fileLost(leases, text: Array("haul: \(reason)\n".utf8), now: now)
        try await transact(elements: leases.count) { writer, ledger in
            for lease in leases {
                guard let element = try writer.reader.element(lease.id.elementID, ofJob: lease.id.jobID),
                    var attempt = try writer.reader.attempt(lease.id), attempt.ended == nil,
                    try ledger.apply(loss == .revoked ? .revoked(heard: heard) : .lost, to: element) != nil
                else { continue }
                if loss == .revoked { try ledger.restart(lease.id.jobID) }
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
