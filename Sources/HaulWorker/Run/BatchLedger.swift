import HaulProtocol

/// Where the elements of a batch stand: each gets its result once.
struct BatchLedger {
    /// Takes an element's result.
    typealias Settle = @Sendable (AttemptReport, ElementResult) async -> Void

    /// In the order in which their backend gets them.
    private(set) var order: [AttemptReport]
    private var open: [String: AttemptReport]
    /// Elements that were told to end, and why.
    private(set) var cancelled: [String: String] = [:]
    private var kept: Set<String> = []
    private var begun = 0
    /// Of those without a result: how many take time by their size.
    private var large = 0

    init(_ reports: [AttemptReport]) {
        order = reports
        open = Dictionary(reports.map { ($0.assignment.key.id, $0) }) { first, _ in first }
        large = open.values.count(where: Self.isLarge)
    }

    /// Puts more behind the others.
    mutating func add(_ reports: [AttemptReport]) {
        // What has ended is needed no more.
        let inWork = order.prefix(begun).filter { open[$0.assignment.key.id] != nil }
        order = inWork + order[begun...]
        begun = inWork.count
        for report in reports {
            if Self.isLarge(report) { large += 1 }
            if let known = open.updateValue(report, forKey: report.assignment.key.id) {
                if Self.isLarge(known) { large -= 1 }
            } else {
                order.append(report)
            }
        }
    }

    /// Elements that a backend has taken up, those with a result before the last ``add(_:)`` left out.
    var taken: Int { begun }

    /// What is left takes no time by its size: no more than eight mebibytes each.
    var isLeftSmall: Bool { large == 0 }

    private static func isLarge(_ report: AttemptReport) -> Bool { report.assignment.size > 8 << 20 }

    /// Elements without a result.
    var left: Int { open.count }

    subscript(id: String) -> AttemptReport? { open[id] }

    /// All that have no result yet.
    var unsettled: [AttemptReport] { order.filter { open[$0.assignment.key.id] != nil } }

    /// The element's report, once: from then on it counts as settled.
    mutating func close(_ id: String) -> AttemptReport? {
        guard let report = open.removeValue(forKey: id) else { return nil }
        if Self.isLarge(report) { large -= 1 }
        return report
    }

    /// - Parameter keep: It is not given up: what there is of its file stays.
    mutating func cancel(_ id: String, reason: String, keep: Bool) {
        guard open[id] != nil, cancelled[id] == nil else { return }
        cancelled[id] = reason
        if keep { kept.insert(id) }
    }

    /// Whether an element that was told to end leaves what there is of its file to a later attempt.
    func keeps(_ id: String) -> Bool { kept.contains(id) }

    /// True once a backend has taken all of them up.
    var isBegun: Bool { begun == order.count }

    /// The next elements that a backend takes up: as many as it works on at a time and has not begun.
    mutating func beginning(_ count: Int) -> [AttemptReport] {
        let next = order[begun..<min(order.count, begun + count)]
        begun += next.count
        return next.filter { open[$0.assignment.key.id] != nil }
    }
}
