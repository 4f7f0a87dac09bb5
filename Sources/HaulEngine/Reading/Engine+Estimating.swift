import HaulModel
import HaulStore

extension Engine {
    /// When a job, or an element of it, goes on and ends, going by what ended of late.
    ///
    /// - Parameters:
    ///   - blockers: what stands in its way; of some nobody knows when they go.
    ///   - waiting: of its elements, those that can be handed out, after `before` others of its lane and `ahead` of all.
    ///   - open: its elements that have not ended; nil where that is not known yet.
    /// - Returns: nil where nothing is known to go by.
    func estimate(
        _ blockers: [Explanation.Blocker], lane: Int, waiting: Int, before: Int, ahead: Int, open: Int?, now: Timestamp
    ) -> Explanation.Estimate? {
        guard !blockers.contains(where: { $0.code.isOpenEnded }) else { return nil }
        let until = blockers.compactMap(\.until).max()
        // An element that only waits between tries has its time.
        let ofLane = throughput.rate(ofLane: lane, now: now)
        guard let rate = ofLane ?? throughput.rate(ofLane: nil, now: now) else {
            guard waiting == 0, let until else { return nil }
            return .init(
                starts: until, ends: nil, basis: "the end of its wait; nothing ended here in the last 10 minutes")
        }
        let first = ofLane == nil ? ahead : before
        let mayStart = waiting > 0 ? now.adding(seconds: rate.seconds(for: first)) : until
        let held = blockers.filter { $0.code == .siteDown }.compactMap(\.until).max()
        let starts = [mayStart, held].compactMap(\.self).max()
        let ends = open.map { open in
            [held ?? now, now].max().map { $0.adding(seconds: rate.seconds(for: first + open)) } ?? now
        }
        let place = ofLane == nil ? "of all jobs" : "like its own"
        return .init(
            starts: starts, ends: [ends, ends == nil ? nil : until].compactMap(\.self).max(),
            basis:
                "\(Self.count(rate.elements, "element")) \(place) that ended within \(Int(rate.seconds)) s, in the last "
                + "10 minutes on this server")
    }

    /// When a running element ends, going by its own progress.
    func estimate(_ element: Element, _ attempt: Attempt?, now: Timestamp) -> Explanation.Estimate? {
        guard let progress = attempt?.progress, progress.average > 0, element.size > 0 else { return nil }
        let left = Double(max(0, element.size - progress.transferred)) / progress.average
        guard left.isFinite, left < 1e9 else { return nil }
        return .init(
            starts: nil, ends: now.adding(seconds: left),
            // What a worker says of its time may be any number.
            basis: "its own progress: \(progress.transferred) of \(element.size) bytes in "
                + "\(Int(min(progress.elapsed, 1e9))) s")
    }

    /// `1 element`, `2 elements`.
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

extension Explanation.Code {
    /// True of what goes away when somebody does something, and nobody knows when.
    fileprivate var isOpenEnded: Bool {
        switch self {
        case .uncommitted, .ended, .cancelling, .queuePaused, .poppedAlone, .popped, .siteBanned, .noWorker,
            .noWorkerForProtocol,
            .noWorkerForSite,
            .noWorkerForUser, .noWorkerForQueue, .workersDrained:
            true
        case .credentialExpired, .credentialExpires, .running, .retrying, .expanding, .backoff, .waitsForChildren,
            .siteLimit, .queueLimit, .userLimit,
            .siteDown, .waitsForTurn:
            false
        }
    }
}
