import HaulLogs
import HaulModel
import HaulStore

extension Engine {
    /// Ends attempts whose leases are worth nothing any more: recorded as lost, with what is known, and their elements
    /// put back where tries are left.
    func lose(_ attempts: [AttemptID], because reason: String) async throws {
        guard !attempts.isEmpty else { return }
        let now = world.now()
        let leases = try await store.read { reader in
            try attempts.map { try Self.lease($0, reader, now: now) }.filter { $0.attempt.ended == nil }
        }
        var places: [AttemptID: Attempt.LogPlace] = [:]
        let text = Array("haul: \(reason)\n".utf8)
        for lease in leases {
            // What a lost worker sent of its log is all that there is to read about it.
            places[lease.id] = try await logging {
                if await logs.growingLength(lease.key) != nil {
                    return try await logs.finishGrowing(
                        lease.key, worker: lease.attempt.worker, time: now, extra: text)
                }
                let log = FinishedLog(key: lease.key, worker: lease.attempt.worker, time: now, text: text)
                return try await logs.append([log]).first
            }
        }
        let kept = places
        try await transact { writer, ledger in
            for lease in leases {
                guard let element = try writer.reader.element(lease.id.elementID, ofJob: lease.id.jobID),
                    var attempt = try writer.reader.attempt(lease.id), attempt.ended == nil,
                    try ledger.apply(.lost, to: element) != nil
                else { continue }
                attempt.ended = ledger.now
                attempt.status = .failed
                attempt.errorClass = .lost
                attempt.reason = reason
                attempt.log = kept[lease.id]
                _ = try writer.endAttempt(attempt, report: nil)
            }
        }
        for lease in leases {
            guard let place = places[lease.id] else { continue }
            await logs.releaseGrowing(lease.key, recordedAt: place)
        }
    }
}
