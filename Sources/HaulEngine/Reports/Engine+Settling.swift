import HaulModel
import HaulStore

extension Engine {
    /// Commits the outcomes whose logs are on disk.
    func settle(_ filed: [FiledReport]) async throws -> [(Int, Verdict)] {
        guard !filed.isEmpty else { return [] }
        do {
            return try await settle(filed) { try Self.settleAsRead($0, $1, $2, server: $3) }
        } catch StoreError.stale {
            return try await settle(filed) { try Self.settleAnew($0, $1, $2, server: $3) }
        }
    }

    /// - Parameter judge: answers a verdict each, in order.
    private func settle(
        _ filed: [FiledReport],
        _ judge: @escaping @Sendable ([FiledReport], StoreWriter, Ledger, Int) throws -> [Verdict]
    ) async throws -> [(Int, Verdict)] {
        try await transact(elements: filed.count) { [identity] writer, ledger in
            let verdicts = try judge(filed, writer, ledger, identity.id)
            for session in Set(filed.filter(\.lease.isSessionless).map(\.lease.attempt.sessionID)) {
                try Self.endIfDone(session, writer, ledger.now)
            }
            return zip(filed, verdicts).map { ($0.index, $1) }
        }
    }

    /// What was read of leases before the logs were written nearly always still stands, and is not read again.
    ///
    /// - Throws: `StoreError.stale` where it does not.
    private static func settleAsRead(
        _ filed: [FiledReport], _ writer: StoreWriter, _ ledger: Ledger, server: Int
    ) throws -> [Verdict] {
        guard Set(filed.map(\.lease.id)).count == filed.count else { throw StoreError.stale }
        let sessions = Set(filed.map(\.lease.attempt.sessionID))
        let known = try writer.reader.answer(to: Ask.sessions(sessions))
        guard sessions.allSatisfy({ known[$0]?.isLive(at: ledger.now) == true }),
            try settle(filed.map { ($0, $0.lease) }, writer, ledger, server: server, all: true).allSatisfy(\.self)
        else { throw StoreError.stale }
        return filed.map { _ in .accepted }
    }

    private static func settleAnew(
        _ filed: [FiledReport], _ writer: StoreWriter, _ ledger: Ledger, server: Int
    ) throws -> [Verdict] {
        var verdicts: [Verdict] = []
        // Two reports of one attempt may come together: the second is judged by what the first has done.
        var rest = filed[...]
        while !rest.isEmpty {
            var named: Set<AttemptID> = []
            let group = rest.prefix { named.insert($0.lease.id).inserted }
            verdicts += try settleOnes(Array(group), writer, ledger, server: server)
            rest = rest.dropFirst(group.count)
        }
        return verdicts
    }

    /// Of each attempt one report.
    private static func settleOnes(
        _ filed: [FiledReport], _ writer: StoreWriter, _ ledger: Ledger, server: Int
    ) throws -> [Verdict] {
        var verdicts = [Verdict](repeating: .refused(.leaseEnded), count: filed.count)
        var live: [(place: Int, lease: Lease)] = []
        // The lease may have ended while the log was written: what counts is what stands here.
        let leases = try Fence(writer.reader, now: ledger.now).leases(filed.map(\.lease.id))
        for (place, lease) in leases.enumerated() {
            switch lease {
            case .failure(let error): verdicts[place] = .refused(error)
            case .success(let lease) where lease.isLive: live.append((place, lease))
            case .success(let lease):
                if try writer.reader.report(lease.id) == filed[place].report.hash { verdicts[place] = .repeated }
            }
        }
        let fit = try settle(live.map { (filed[$0.place], $0.lease) }, writer, ledger, server: server, all: false)
        for (item, fits) in zip(live, fit) where fits { verdicts[item.place] = .accepted }
        return verdicts
    }

    /// Applies reports under leases that live, and ends the attempts of those that fit.
    ///
    /// - Parameter all: as ``Ledger/apply(_:all:)`` has it.
    private static func settle(
        _ reports: [(filed: FiledReport, lease: Lease)], _ writer: StoreWriter, _ ledger: Ledger, server: Int, all: Bool
    ) throws -> [Bool] {
        let fit = try ledger.apply(
            reports.map { ($0.filed.event, $0.lease.element, $0.filed.report.blamedSite) }, all: all
        ).map { $0 != nil }
        try writer.endAttempts(
            zip(reports, fit).filter(\.1).map { report, _ in
                (report.filed.ended(report.lease.attempt, now: ledger.now, server: server), report.filed.report.hash)
            })
        return fit
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
