import HaulLogs
import HaulModel
import HaulStore

extension Engine {
    /// Takes outcomes of attempts, a verdict each, in order. An accepted one is on disk, its log and listing too.
    ///
    /// - Throws: `EngineError.unavailable` when the disk took none of them.
    public func report(_ reports: [Report]) async throws -> [Verdict] {
        var verdicts = [Verdict?](repeating: nil, count: reports.count)
        var leases = try await leases(of: reports)
        try await handOn(reports, &leases, &verdicts)
        return try await take(reports, leases, verdicts)
    }

    /// Takes outcomes that another server handed on, as `report`; what is not this server's is refused as unavailable.
    public func reportHandedOn(_ reports: [Report]) async throws -> [Verdict] {
        let leases = try await leases(of: reports)
        let verdicts = leases.map { lease -> Verdict? in
            guard case .success(let found) = lease, found.lease.isLive else { return nil }
            do throws(EngineError) { try checkIsOwn(found.lease) } catch { return .refused(error) }
            return nil
        }
        return try await take(reports, leases, verdicts)
    }

    /// Hands outcomes on to the servers that have what their attempts sent before.
    private func handOn(
        _ reports: [Report], _ leases: inout [Result<Found, EngineError>], _ verdicts: inout [Verdict?]
    ) async throws {
        var elsewhere: [Int: [Int]] = [:]
        for (index, result) in leases.enumerated() {
            guard case .success(let found) = result, found.lease.isLive, let server = found.lease.attempt.server,
                server != identity.id
            else { continue }
            elsewhere[server, default: []].append(index)
        }
        for (server, places) in elsewhere {
            do {
                let ids = try places.map { try leases[$0].get().lease.id }
                let answers = try await asking(server, about: ids) { other in
                    let answers = try await others.report(places.map { reports[$0] }, at: other)
                    guard answers.count == places.count else { throw ServerUnreachable("an answer without verdicts") }
                    return answers
                }
                for (number, place) in places.enumerated() {
                    if let answers {
                        verdicts[place] = answers[number]
                    } else if case .success(var found) = leases[place] {
                        found.lease.isTakenOver = true
                        leases[place] = .success(found)
                    }
                }
            } catch let error as EngineError {
                for place in places { verdicts[place] = .refused(error) }
            }
        }
    }

    /// Takes the outcomes that have no verdict yet.
    private func take(
        _ reports: [Report], _ leases: [Result<Found, EngineError>], _ early: [Verdict?]
    ) async throws -> [Verdict] {
        var verdicts = early
        var filed: [FiledReport] = []
        for (index, lease) in leases.enumerated() where verdicts[index] == nil {
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
            if item.listingLength != nil { await logs.releaseListing(item.lease.key) }
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
            let ids = reports.map { report in
                Result { () throws(EngineError) in
                    try proven(report.token, job: report.jobID, element: report.elementID)
                }
            }
            var leases = try fence.leases(ids.compactMap { try? $0.get() })[...]
            return try ids.map { id in
                if case .failure(let error) = id { return .failure(error) }
                switch leases.popFirst() {
                case .success(let lease):
                    return .success((lease, lease.attempt.ended == nil ? nil : try reader.report(lease.id)))
                case .failure(let error): return .failure(error)
                case nil: return .failure(.leaseEnded)
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
        if lease.element.type == .list, report.returnCode == 0, report.listing == nil, !lease.isTakenOver,
            await logs.listingLength(lease.key) == nil
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
}
