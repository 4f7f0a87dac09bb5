import HaulProtocol
import Synchronization

/// Elements whose turn has not come: they make no progress of their own, and must not be taken for ones that stand still
/// while others move.
final class Attendance: Sendable {
    private struct State {
        var turn = 0
        var reports: [Int: ElementReport] = [:]
        var beating: Task<Void, Never>?
        /// Bytes of all that this batch has moved.
        var moved = 0
    }

    /// How often what waits says that its time is not over, while others move.
    private static let beat = Duration.seconds(15)

    private let state = Mutex(State())

    /// - Returns: For ``leave(_:)``.
    func enter(_ report: ElementReport) -> Int {
        state.withLock { state in
            state.turn += 1
            state.reports[state.turn] = report
            if state.beating == nil { state.beating = Task { [weak self] in await Self.tell { self } } }
            return state.turn
        }
    }

    func leave(_ ticket: Int) { state.withLock { $0.reports[ticket] = nil } }

    func count(_ bytes: Int) { state.withLock { $0.moved += bytes } }

    func close() { state.withLock { $0.beating }?.cancel() }

    private static func tell(_ attendance: () -> Attendance?) async {
        var last = -1
        var tick = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: beat)
            guard let (moved, reports) = attendance()?.state.withLock({ ($0.moved, Array($0.reports.values)) }) else {
                return
            }
            if moved != last {
                // Another figure is what counts as progress; that it is none of bytes shows in that it goes up and
                // down.
                tick = 1 - tick
                for report in reports { report.progress(transferred: tick) }
            }
            last = moved
        }
    }
}
