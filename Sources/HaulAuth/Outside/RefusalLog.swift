import HaulModel
import Synchronization

/// Tells of refusals, each cause at most once a minute: as many as there are issuers and causes.
final class RefusalLog: Sendable {
    private static let pause = 60.0

    private struct Cause: Hashable {
        var issuer: String
        var refusal: TokenRefusal
    }

    private let told = Mutex<[Cause: Timestamp]>([:])
    private let now: @Sendable () -> Timestamp
    private let onEvent: @Sendable (OutsideEvent) -> Void

    init(now: @escaping @Sendable () -> Timestamp, onEvent: @escaping @Sendable (OutsideEvent) -> Void) {
        self.now = now
        self.onEvent = onEvent
    }

    func note(_ refusal: TokenRefusal, issuer: String) {
        let time = now()
        let isNew = told.withLock { told in
            let cause = Cause(issuer: issuer, refusal: refusal)
            if let last = told[cause], abs(time.seconds(since: last)) < Self.pause { return false }
            told[cause] = time
            return true
        }
        if isNew { onEvent(.refused(issuer: issuer, cause: refusal.rawValue)) }
    }
}
