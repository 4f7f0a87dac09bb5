import HaulLogs
import HaulModel
import HaulStore

extension Engine {
    /// Takes outcomes of attempts, a verdict each, in order. An accepted one is on disk, its log and listing too.
    ///
    /// - Throws: `EngineError.unavailable` when the disk took none of them.
    public func report(_ reports: [Report]) async throws -> [Verdict] {
        var verdicts = [Verdict?](repeating: nil, count: reports.count)
        var filed: [FiledReport] = []
        let leases = try await leases(of: reports)
        for (index, lease) in leases.enumerated() {
            switch lease {
            case .failure(let error): verdicts[index] = .refused(error)
            case .success(let found):
                if let early = try await answerWithoutFiling(reports[index], found.lease, found.report) {
                    verdicts[index] = early
                } else {
                    filed.append(FiledReport(index: index, report: reports[index], lease: found.lease))
                }
            }
        }
        filed = try await file(filed)
        for (index, verdict) in try await settle(filed) { verdicts[index] = verdict }
        // What a growing log was kept in goes once its attempt's row says where the log is now.
        for item in filed {
            guard case .accepted = verdicts[item.index] else { continue }
            followers.ring(item.lease.id)
            guard item.hasGrown, let place = item.log else { continue }
            await logs.releaseGrowing(item.lease.key, recordedAt: place)
        }
        return verdicts.map { $0 ?? .refused(.leaseEnded) }
    }

    private typealias Found = (lease: Lease, report: [UInt8]?)

    private func leases(of reports: [Report]) async throws -> [Result<Found, EngineError>] {
        let now = world.now()
        return try await store.read { [self] reader in
            let fence = Fence(reader, now: now)
            return try reports.map { report in
                do {
                    let id = try proven(report.token, job: report.jobID, element: report.elementID)
                    let lease = try fence.lease(id)
                    return .success((lease, lease.attempt.ended == nil ? nil : try reader.report(id)))
                } catch let error as EngineError {
                    return .failure(error)
                }
            }
        }
    }

    /// The answer to what changes nothing: a repeated report, a late one, one that lacks its listing.
    private func answerWithoutFiling(_ report: Report, _ lease: Lease, _ first: [UInt8]?) async throws -> Verdict? {
        if !lease.isLive {
            if first == report.hash { return .repeated }
            try await keepLate(report, lease)
            return .refused(.leaseEnded)
        }
        if lease.element.type == .list, report.returnCode == 0, report.listing == nil,
            await !logs.listingExists(lease.key)
        {
            return .refused(
                EngineError(
                    .invalid, code: "listing_missing", detail: "A LIST that succeeded comes with its listing.",
                    hint: "Send it as `listing`, or in pieces with POST .../listing before the outcome.",
                    fields: ["listing": "is missing"]))
        }
        return nil
    }

    /// A late report changes nothing, but its log is kept aside: it may tell an operator what happened.
    private func keepLate(_ report: Report, _ lease: Lease) async throws {
        guard !report.log.isEmpty else { return }
        try await logging {
            try await logs.keepLate(
                lease.key, worker: FiledReport(index: 0, report: report, lease: lease).worker, time: world.now(),
                text: report.log)
        }
    }

    /// Commits the outcomes whose logs are on disk.
    private func settle(_ filed: [FiledReport]) async throws -> [(Int, Verdict)] {
        guard !filed.isEmpty else { return [] }
        return try await transact(elements: filed.count) { writer, ledger in
            let fence = Fence(writer.reader, now: ledger.now)
            let verdicts = try filed.map { ($0.index, try Self.settle($0, writer, ledger, fence)) }
            for session in Set(filed.map(\.lease.attempt.sessionID)) {
                try Self.endIfDone(session, writer, ledger.now)
            }
            return verdicts
        }
    }

    private static func settle(
        _ item: FiledReport, _ writer: StoreWriter, _ ledger: Ledger, _ fence: Fence
    ) throws -> Verdict {
        // The lease may have ended while the log was written: what counts is what stands here.
        let lease = try fence.lease(item.lease.id)
        if !lease.isLive {
            return try writer.reader.report(lease.id) == item.report.hash ? .repeated : .refused(.leaseEnded)
        }
        guard try ledger.apply(item.event, to: lease.element) != nil else { return .refused(.leaseEnded) }
        _ = try writer.endAttempt(item.ended(lease.attempt, now: ledger.now), report: item.report.hash)
        return .accepted
    }

    /// The session of a claim without one is over with the last of what that claim gave.
    private static func endIfDone(_ id: Int, _ writer: StoreWriter, _ now: Timestamp) throws {
        guard let session = try writer.reader.session(id), session.workerID == nil, session.ended == nil,
            try writer.reader.liveAttempts(ofSession: id, limit: 1).isEmpty
        else { return }
        try writer.endSession(id, now: now)
        try writer.releaseSession(id, now: now)
    }
}
