/// What becomes of a worker that was asked for.
///
///     waiting -> starting -> running -> ended
///        ^----------+-----------+         |
///        ^----------- asked once more ----+
public enum LaunchMachine {
    public enum Event: Sendable, Hashable {
        /// It is asked for once more, in the place of one that has ended.
        case asked
        /// A server is about to start it.
        case taken(server: Int, run: String, token: Int, kind: Launch.Kind)
        /// It was started; what the place calls it.
        case started(place: String?)
        /// It could not be started, or ended otherwise than it should; why, for the one who asked for it, and for how many
        /// seconds it had run.
        case failed(String, ran: Double)
        /// It ended by itself: it had nothing to do any more.
        case finished(String?)
        /// It went with the server that had it.
        case lost
        /// It can't be started, now or later.
        case refused(String)
        /// Nobody wants it any more.
        case unwanted
    }

    /// How often in a row it may fail, and how long it waits between.
    public struct Policy: Sendable, Hashable {
        public var tries: Int
        public var retry: RetryPolicy

        public init(tries: Int = 5, retry: RetryPolicy = RetryPolicy()) {
            self.tries = tries
            self.retry = retry
        }
    }

    /// Seconds for which a worker has to have run for its end to be the first failure, whatever there was before.
    private static let steady = 60.0

    /// - Parameter chance: in 0..<1, spreads those that failed together.
    /// - Returns: nil where the event does not fit any more.
    public static func decide(
        _ launch: Launch, _ event: Event, policy: Policy, now: Timestamp, chance: Double
    ) -> Launch? {
        var next = launch
        next.changed = now
        switch (event, launch.phase) {
        case (.asked, .ended):
            next.phase = .waiting
            next.failures = 0
            next.reason = nil
            next.asked = now
        case (.asked, _), (_, .ended): return nil
        case (.taken(let server, let run, let token, let kind), .waiting):
            guard !launch.isUnwanted else { return nil }
            next.phase = .starting
            next.starts += 1
            next.notBefore = nil
            (next.server, next.run, next.token, next.kind) = (server, run, token, kind)
        case (.started(let place), .starting):
            next.phase = .running
            next.place = place
        case (.finished(let reason), .starting), (.finished(let reason), .running): next.end(reason)
        case (.failed(let reason, let ran), .starting), (.failed(let reason, let ran), .running):
            next.failures = ran >= steady ? 1 : launch.failures + 1
            if launch.isUnwanted {
                next.end(nil)
            } else if next.failures >= policy.tries {
                next.end(reason)
            } else {
                next.wait()
                next.reason = reason
                next.notBefore = now.adding(
                    seconds: policy.retry.delay(afterTries: next.failures, chance: chance))
            }
        case (.lost, .starting), (.lost, .running): launch.isUnwanted ? next.end(nil) : next.wait()
        case (.refused(let reason), _): next.end(reason)
        case (.unwanted, .waiting): next.end(nil)
        case (.unwanted, _):
            guard !launch.isUnwanted else { return nil }
            // It is there until it is seen to have gone.
            next.isUnwanted = true
        case (.taken, _), (.started, _), (.failed, .waiting), (.finished, .waiting), (.lost, .waiting): return nil
        }
        return next
    }
}

extension Launch {
    fileprivate mutating func wait() {
        phase = .waiting
        leave()
    }

    fileprivate mutating func end(_ reason: String?) {
        phase = .ended
        self.reason = reason
        notBefore = nil
        leave()
    }

    private mutating func leave() {
        (server, run, token, kind, place) = (nil, nil, nil, nil, nil)
        isUnwanted = false
    }
}
