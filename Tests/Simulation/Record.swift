import HaulModel

@testable import HaulEngine

/// What the world was told: acknowledged jobs, and outcomes that were taken; and what it was not told.
final class Record {
    private(set) var jobs: [Int] = []
    /// Accepted outcomes by attempt.
    private(set) var accepted: [AttemptID: Int] = [:]
    /// Attempts of whose outcomes nobody knows whether they were taken: the answer was lost with the server.
    private(set) var unknown: Set<AttemptID> = []
    /// Attempts whose outcomes were successes.
    private(set) var successes: Set<AttemptID> = []
    /// Listings that were sent, by attempt.
    private(set) var listings: [AttemptID: [ListingLine]] = [:]
    /// What must never happen, as it happened.
    private(set) var wrongs: [String] = []

    /// What is to be found in an attempt's log.
    private(set) var logs: [AttemptID: [UInt8]] = [:]

    /// How jobs ended of which nobody wanted more since.
    private(set) var ended: [Int: Status] = [:]

    func saw(_ job: Job) { if job.status.isEnded, ended[job.id] == nil { ended[job.id] = job.status } }

    /// Somebody wants an ended job tried again.
    func wanted(again job: Int) { ended[job] = nil }

    func acknowledged(_ ids: [Int]) { jobs += ids }

    func isWrong(_ what: String) { wrongs.append(what) }

    // MARK: Outcomes

    func saw(_ report: Report, _ verdict: Verdict) {
        let id = note(report)
        switch verdict {
        case .accepted: accept(id)
        case .repeated:
            if accepted[id] == nil, !unknown.contains(id) {
                isWrong("\(id) is said to be repeated and was never taken")
            }
            if accepted[id] == nil { accept(id) }
        // Another server may have taken it, and died before it said so.
        case .refused(let error) where error.kind == .unavailable: heardNothing(of: report)
        case .refused: unknown.remove(id)
        }
    }

    /// The server died over a report, or had given a part of it to another when it refused.
    func heardNothing(of report: Report) {
        let id = note(report)
        if accepted[id] == nil { unknown.insert(id) }
    }

    private func note(_ report: Report) -> AttemptID {
        let id = AttemptID(jobID: report.jobID, elementID: report.elementID, number: report.attempt)
        if report.returnCode == 0 { successes.insert(id) }
        listings[id] = report.listing
        logs[id] = report.log
        return id
    }

    private func accept(_ id: AttemptID) {
        unknown.remove(id)
        accepted[id, default: 0] += 1
        if accepted[id] ?? 0 > 1 { isWrong("two outcomes of attempt \(id) were accepted") }
    }

    // MARK: Jobs whose time is over

    /// Jobs that a duty may have removed since it was last asked, and those that are gone.
    private var retirable: Set<Int> = []
    /// Jobs that somebody wanted gone.
    private var destroyable: Set<Int> = []
    private(set) var retired: Set<Int> = []

    /// Looks which jobs are gone.
    ///
    /// - Parameter visible: all that are there.
    func looked(at visible: Set<Int>) {
        let gone = Set(jobs).subtracting(visible).subtracting(retired)
        let wrong = gone.subtracting(retirable).subtracting(destroyable)
        if !wrong.isEmpty { isWrong("jobs \(wrong.sorted()) were acknowledged and are gone") }
        let back = retired.intersection(visible)
        if !back.isEmpty { isWrong("jobs \(back.sorted()) were gone and are there again") }
        retired.formUnion(gone)
    }

    /// From now on jobs may go whose time is over.
    func retiring(_ visible: [Job], untouchedSince time: Timestamp) {
        looked(at: Set(visible.map(\.id)))
        retirable = Set(
            visible.filter { ($0.status.isEnded || !$0.isSound) && !$0.isKept && $0.changed < time }.map(\.id))
    }

    /// Somebody wants a job gone: it may be, from now on.
    func wantedGone(_ job: Int) { destroyable.insert(job) }

    func mayBeGone(_ job: Int) -> Bool {
        retired.contains(job) || retirable.contains(job) || destroyable.contains(job)
    }
}
