import HaulEngine
import HaulModel

/// What is told of a job while it is waited for, as Overview's work queue does. Which stage is told how is said here alone.
struct OverviewState: Equatable {
    /// Elements ahead of it, at least; 0 once it runs.
    var ahead = 0
    /// From 0 to 1, which is its end.
    var fraction = 0.0
    var message: String?
    /// At its end: 0 where the database is ready.
    var returnCode: Int?
    var error: String?
    /// Bytes of a listing with which it counts as half done.
    private static let half = 1_000_000.0

    /// - Parameters:
    ///   - standing: nil for a job that is gone.
    ///   - reason: why it failed, if it did.
    ///   - isReady: of one that is done: there is a listing.
    init(_ standing: Engine.Standing?, reason: String?, isReady: Bool) {
        switch standing?.job.stage {
        case nil: end(1, "The job was removed.")
        case .uncommitted, .waiting:
            ahead = standing?.ahead ?? 0
            message = "waiting"
        case .executing:
            // Nobody knows how much there is to list: it goes forward with what was, and is 1 at the end alone.
            let moved = Double(max(0, standing?.progress?.transferred ?? 0))
            fraction = min(0.99, moved / (moved + Self.half))
            message = (standing?.progress).map { "listing: \($0.transferred) bytes so far" } ?? "listing"
        case .done where isReady: end(0, nil)
        case .done: end(1, "The job ended without a listing.")
        case .failed: end(1, reason ?? "It failed.")
        case .cancelled: end(1, "The job was cancelled.")
        }
    }

    private mutating func end(_ code: Int, _ why: String?) {
        fraction = 1
        returnCode = code
        error = why.map { "Exited with code \(code)\nstderr:\n\($0)" }
    }
}
