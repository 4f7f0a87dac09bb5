import HaulModel

@testable import HaulEngine

/// What the world was told: acknowledged jobs, and outcomes that were taken.
final class Record {
    private(set) var jobs: [Int] = []
    /// Accepted outcomes by attempt.
    private(set) var accepted: [AttemptID: Int] = [:]
    private(set) var successes: [AttemptID: Bool] = [:]
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

    func saw(_ report: Report, _ verdict: Verdict) {
        guard case .accepted = verdict else { return }
        let id = AttemptID(jobID: report.jobID, elementID: report.elementID, number: report.attempt)
        accepted[id, default: 0] += 1
        successes[id] = report.returnCode == 0
        logs[id] = report.log
        if accepted[id] ?? 0 > 1 { wrongs.append("two outcomes of attempt \(id) were accepted") }
        let others = successes.filter { $0.value && $0.key.jobID == id.jobID && $0.key.elementID == id.elementID }
        if others.count > 1 { wrongs.append("element \(id.jobID).\(id.elementID) succeeded twice") }
    }
}
