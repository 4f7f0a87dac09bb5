import Foundation
import HaulModel

// What has to happen by itself when time passes.
extension BackendRun {
    private static let tick = Duration.milliseconds(200)

    func watchTime() async {
        while !Task.isCancelled {
            look(at: .now)
            try? await Task.sleep(for: Self.tick)
        }
    }

    private func look(at now: ContinuousClock.Instant) {
        if teardown.hasBegun { return step(teardown.advance(at: now)) }
        if handing == nil {
            let own = ownTime(at: now)
            for (id, element) in sent
            where element.ending == nil && element.counts && own - element.progressed >= .seconds(batch.timeout) {
                endElement(
                    id, as: .failed(.timeout, "no progress for \(batch.timeout) s"), keep: !element.isLast)
            }
        }
        if let (id, ending) = unanswered(now) {
            let why = "the backend did not answer the cancellation of element \(id) (\(ending)) and was ended"
            verdict = verdict ?? .failed(.backend, why)
            step(teardown.begin(at: now))
        } else if let idleSince, now - idleSince >= graces.exit {
            step(teardown.begin(at: now))
        }
    }

    /// An element that was told to end longer ago than a backend may take, and why it was.
    private func unanswered(_ now: ContinuousClock.Instant) -> (id: String, why: String)? {
        guard handing == nil || isTerminating else { return nil }
        return sent.lazy.compactMap { id, element in
            element.ending.flatMap { now - $0.since >= self.graces.cancel ? (id, $0.result.reason ?? "") : nil }
        }.first
    }

    func step(_ action: Teardown.Action) {
        switch action {
        case .nothing: break
        case .terminate: child.signal(SIGTERM)
        case .kill: child.signal(SIGKILL)
        case .abandon: giveUp()
        }
    }
}
