import Foundation
import HaulModel
import HaulWire

/// Outcomes on their way to the server: one alone goes at once, what comes while a report is under way goes together in
/// the next. A report is repeated with the same bytes until it is answered. An outcome that the server does not take as it
/// is goes once more, with nothing in it but that the attempt has ended.
actor ReportQueue {
    /// How the server took an outcome.
    typealias Settled = @Sendable (_ attempt: AttemptKey, _ status: Int, _ detail: String?) async -> Void

    /// The most outcomes of a report, and about the most bytes of logs in it.
    private static let most = 1000
    private static let mostBytes = 4 << 20

    private let server: any WorkerServer
    private var backoff: Backoff
    private let log: WorkerLog
    private let settled: Settled
    private var waiting: [Report] = []
    private var task: Task<Void, Never>?
    private var isClosed = false
    /// The report that was sent and is not answered yet.
    private var underWay: [Report] = []

    private struct Report {
        var key: AttemptKey
        var item: ResultsRequest.Item
        var isListing: Bool
        var isMinimal = false
        var bytes: Int { 512 + (item.outcome.log?.utf8.count ?? 0) }
    }

    init(server: any WorkerServer, backoff: Backoff, log: WorkerLog, settled: @escaping Settled) {
        self.server = server
        self.backoff = backoff
        self.log = log
        self.settled = settled
    }

    /// - Parameter isListing: It is the outcome of a LIST.
    func add(_ outcome: OutcomeDocument, of key: AttemptKey, isListing: Bool = false) {
        guard !isClosed else { return }
        let item = ResultsRequest.Item(
            jobID: key.jobID, elementID: key.elementID, token: key.token, outcome: outcome.withinLimits)
        waiting.append(Report(key: key, item: item, isListing: isListing))
        if task == nil { task = Task { await drain() } }
    }

    /// True for an outcome that the server may have by now, although it has not said so.
    func isUnderWay(_ key: AttemptKey) -> Bool { underWay.contains { $0.key == key } }

    /// Drops an outcome that is not under way: its lease has ended.
    func drop(_ key: AttemptKey) { waiting.removeAll { $0.key == key } }

    /// Drops all that is not answered: the leases are over.
    func close() async {
        isClosed = true
        waiting = []
        task?.cancel()
        await task?.value
    }

    private func drain() async {
        while !waiting.isEmpty, !Task.isCancelled {
            let group = takeGroup()
            underWay = group
            let answer = await deliver(group)
            underWay = []
            guard let reply = answer else { break }
            backoff.reset()
            var isShort = false
            for (index, report) in group.enumerated() {
                let item = reply.results.indices.contains(index) ? reply.results[index] : nil
                let status = item?.status ?? 500
                if status >= 500 || status == 429 {
                    // Not taken this time; the lease still stands.
                    isShort = true
                    if !isClosed { waiting.append(report) }
                } else if Self.refusesContent(status), !report.isMinimal, !isClosed {
                    waiting.append(minimal(report, after: "\(status) \(item?.detail ?? "")"))
                } else {
                    await settled(report.key, status, item?.detail)
                }
            }
            if isShort { try? await Task.sleep(for: .seconds(backoff.next())) }
        }
        task = nil
        // What was added between the loop's last look and here.
        if !waiting.isEmpty, !isClosed { task = Task { await drain() } }
    }

    /// True where the server says that what was sent is wrong or too much, not who sent it, or when.
    private static func refusesContent(_ status: Int) -> Bool { status == 400 || status == 413 || status == 422 }

    private func minimal(_ report: Report, after refusal: String) -> Report {
        log("outcome-refused", ["element": report.key.id, "reason": refusal])
        var minimal = report
        minimal.item.outcome = report.item.outcome.minimal(after: refusal, isListing: report.isListing)
        minimal.isMinimal = true
        return minimal
    }

    private func takeGroup() -> [Report] {
        var bytes = 0
        var count = 0
        while count < min(Self.most, waiting.count) {
            bytes += waiting[count].bytes
            if count > 0, bytes > Self.mostBytes { break }
            count += 1
        }
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }

    /// Sends one report until it is answered; nil once there is no point in it.
    private func deliver(_ group: [Report]) async -> ResultsReply? {
        var writer = JSONWriter(capacity: 1024 * group.count)
        ResultsRequest(results: group.map(\.item)).write(to: &writer)
        let body = Data(writer.bytes)
        while !Task.isCancelled, !isClosed {
            do {
                return try await server.results(body)
            } catch {
                switch error {
                case .unreachable:
                    try? await Task.sleep(for: .seconds(backoff.next()))
                case .refused(let status, let detail):
                    // One bad outcome must not hold the others back: alone, each gets its own answer.
                    if group.count == 1 { return ResultsReply(results: [.init(status: status, detail: detail)]) }
                    var items: [ResultsReply.Item] = []
                    for report in group {
                        guard let reply = await deliver([report]), let item = reply.results.first else { return nil }
                        items.append(item)
                    }
                    return ResultsReply(results: items)
                case .cancelled: return nil
                }
            }
        }
        return nil
    }
}
