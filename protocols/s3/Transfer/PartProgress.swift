import HaulProtocol
import Synchronization

/// What several parts of a file do at a time.
final class PartProgress: Sendable {
    private struct State {
        var bytes = 0
        var parts: [MultipartUpload.Part] = []
        var isProven = true
    }

    private let report: ElementReport
    private let total: Int
    private let state = Mutex(State())

    init(report: ElementReport, total: Int) { (self.report, self.total) = (report, total) }

    /// The server's md5 of each part that was sent is that of what was sent.
    var isProven: Bool { state.withLock { $0.isProven } }

    /// Those that went up now, and those that were there.
    func parts(with kept: [MultipartUpload.Part]) -> [MultipartUpload.Part] {
        let sent = state.withLock { $0.parts }
        let numbers = Set(sent.map(\.number))
        return kept.filter { !numbers.contains($0.number) } + sent
    }

    func add(_ bytes: Int) {
        let sum = state.withLock { state in
            state.bytes += bytes
            return state.bytes
        }
        report.progress(transferred: sum, total: total)
    }

    func done(_ part: MultipartUpload.Part, isProven: Bool) {
        state.withLock { state in
            state.parts.append(part)
            state.isProven = state.isProven && isProven
        }
    }
}
