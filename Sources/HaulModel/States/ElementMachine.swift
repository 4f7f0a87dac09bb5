/// The one place where it is decided what becomes of an element: (element, event) -> (element, what follows).
///
/// Pure: no clock, no chance, no store. The engine performs the decision in one transaction.
public enum ElementMachine {
    public enum Event: Sendable, Hashable {
        /// All that a held element waited for has ended.
        case opened
        /// A child of a held directory failed for good.
        case childFailed
        /// The wait between tries is over.
        case due
        /// A session takes it.
        case claimed
        /// One who is no worker takes it.
        case popped
        /// The holder of the lease reported progress.
        case progressed
        /// The holder of the lease reported success.
        case succeeded(size: Int?)
        /// The holder of the lease reported failure.
        case failed(ErrorClass, reason: String?)
        /// The same of an attempt that was made to see whether its site is there again.
        case probeFailed(ErrorClass, reason: String?)
        /// The holder of the lease was told to end, and gives it back.
        case givenBack(reason: String?)
        /// The lease ended without a report.
        case lost
        /// Its user takes it back from whoever has it, or ends its wait between two tries.
        ///
        /// - Parameter heard: when a worker that has it has heard of that, or stopped because it hears nothing.
        case revoked(heard: Timestamp)
        /// Its user, or the user of its job, wants no more of it.
        case cancelled
        /// The job's deadline passed.
        case expired
        /// Its user wants it tried again, so many times.
        case retried(tries: Int)
    }

    /// What the engine does besides writing the element.
    public enum Action: Sendable, Hashable {
        /// Record an attempt under this number, with the session's lease.
        case beginAttempt(number: Int)
        /// End the attempt of this number.
        case endAttempt(number: Int)
        /// Listen no more: nothing will change by itself. Job counts, depths and parents follow.
        case ended
    }

    public struct Decision: Sendable, Hashable {
        public var element: Element
        public var actions: [Action]
    }

    /// What happens to an element at `now`, or nil when the event does not fit its phase (it came late, or twice).
    ///
    /// - Parameters:
    ///   - intent: what is wanted of the whole job.
    ///   - chance: 0..<1, for the jitter of a retry.
    public static func decide(
        _ element: Element, _ event: Event, intent: JobIntent? = nil, policy: RetryPolicy, now: Timestamp,
        chance: Double
    ) -> Decision? {
        var next = element
        next.changed = now
        next.revision += 1
        switch (element.phase, event) {
        case (.held, .opened), (.delayed, .due):
            next.phase = .ready
            next.notBefore = nil
            return Decision(element: next, actions: [])
        case (.held, .childFailed):
            next.phase = .failed
            next.errorClass = .notEmpty
            next.reason = "not empty: something below it could not be removed"
            return Decision(element: next, actions: [.ended])
        case (.ready, .claimed):
            next.phase = .leased
            return Decision(element: next, actions: [.beginAttempt(number: element.attempts + 1)])
        case (.ready, .popped):
            next.phase = .popped
            return Decision(element: next, actions: [.beginAttempt(number: element.attempts + 1)])
        case (.popped, .failed(let errorClass, let reason)):
            // Who popped it has the last word.
            next.phase = .failed
            next.attempts += 1
            next.errorClass = errorClass
            next.reason = reason
            return Decision(element: next, actions: [.endAttempt(number: next.attempts), .ended])
        case (.popped, .lost) where element.returned >= policy.forgivenProbes:
            next.phase = .failed
            next.attempts += 1
            next.errorClass = .lost
            next.reason = "it was popped too often by somebody who never said what became of it"
            return Decision(element: next, actions: [.endAttempt(number: next.attempts), .ended])
        case (.popped, .lost), (.popped, .revoked):
            giveBack(&next)
            next.phase = .ready
            return Decision(element: next, actions: [.endAttempt(number: next.attempts)])
        case (.leased, .revoked(let heard)), (.running, .revoked(let heard)):
            guard wanted(next, intent) else {
                next.attempts += 1
                return afterFailure(next, intent, policy: policy, now: now, chance: chance)
            }
            giveBack(&next)
            // Who has it may be writing still: no second one does until it can't be.
            next.phase = .delayed
            next.notBefore = heard
            next.errorClass = nil
            next.reason = nil
            return Decision(element: next, actions: [.endAttempt(number: next.attempts)])
        case (.delayed, .revoked) where element.errorClass == nil:
            // A worker had it a moment ago.
            return nil
        case (.delayed, .revoked):
            next.phase = .ready
            next.notBefore = nil
            return Decision(element: next, actions: [])
        case (.popped, .cancelled):
            next.phase = .cancelled
            next.attempts += 1
            return Decision(element: next, actions: [.endAttempt(number: next.attempts), .ended])
        case (.popped, .expired):
            next.attempts += 1
            expire(&next)
            return Decision(element: next, actions: [.endAttempt(number: next.attempts), .ended])
        case (.leased, .progressed), (.running, .progressed):
            next.phase = .running
            return Decision(element: next, actions: [])
        case (.leased, .succeeded(let size)), (.running, .succeeded(let size)), (.popped, .succeeded(let size)):
            next.phase = .done
            next.attempts += 1
            next.errorClass = nil
            next.reason = nil
            if let size { next.size = size }
            return Decision(element: next, actions: [.endAttempt(number: next.attempts), .ended])
        case (.leased, .failed(let errorClass, let reason)), (.running, .failed(let errorClass, let reason)):
            next.attempts += 1
            next.errorClass = errorClass
            next.reason = reason
            return afterFailure(next, intent, policy: policy, now: now, chance: chance)
        case (.leased, .probeFailed(let errorClass, let reason)), (.running, .probeFailed(let errorClass, let reason)):
            next.attempts += 1
            next.errorClass = errorClass
            next.reason = reason
            // Whoever was picked to try shall not pay for it.
            if wanted(next, intent), !errorClass.isPermanent, element.blamed < policy.forgivenProbes {
                next.forgiven += 1
                return waitingAgain(next, policy: policy, now: now, chance: chance)
            }
            return afterFailure(next, intent, policy: policy, now: now, chance: chance)
        case (.leased, .givenBack(let reason)), (.running, .givenBack(let reason)):
            // As often as workers may be restarted, and not for ever.
            guard wanted(next, intent), element.returned < policy.forgivenProbes else {
                next.attempts += 1
                next.errorClass = .drained
                next.reason = reason
                return afterFailure(next, intent, policy: policy, now: now, chance: chance)
            }
            giveBack(&next)
            next.phase = .ready
            next.errorClass = nil
            next.reason = nil
            return Decision(element: next, actions: [.endAttempt(number: next.attempts)])
        case (.leased, .lost), (.running, .lost):
            next.attempts += 1
            next.errorClass = .lost
            next.reason = "the worker's lease ended without a report"
            if wanted(next, intent), element.phase == .leased && element.blamed < policy.forgivenLosses {
                next.forgiven += 1
                next.phase = .ready
                return Decision(element: next, actions: [.endAttempt(number: next.attempts)])
            }
            return afterFailure(next, intent, policy: policy, now: now, chance: chance)
        case (.held, .cancelled), (.ready, .cancelled), (.delayed, .cancelled):
            next.phase = .cancelled
            next.notBefore = nil
            return Decision(element: next, actions: [.ended])
        case (.leased, .cancelled), (.running, .cancelled):
            // Whoever holds it is told; its report, or the end of its lease, ends it.
            next.isUnwanted = true
            return Decision(element: next, actions: [])
        case (.held, .expired), (.ready, .expired), (.delayed, .expired):
            expire(&next)
            return Decision(element: next, actions: [.ended])
        case (.failed, .retried(let tries)), (.cancelled, .retried(let tries)):
            // A directory of a REMOVE waits for what is below it, as at first.
            next.phase = isHeldAtFirst(element) ? .held : .ready
            next.maxTries = next.tries + tries
            next.isUnwanted = false
            next.errorClass = nil
            next.reason = nil
            return Decision(element: next, actions: [])
        default:
            return nil
        }
    }

    /// The element with which an expansion ends that can't go on: it has failed without an attempt, and the job with it.
    ///
    /// - Parameter number: its id.
    public static func lostExpansion(of job: Job, number: Int, reason: String, now: Timestamp) -> Element {
        Element(
            jobID: job.id, id: number, type: job.type, phase: .failed, sourcePath: job.source.path,
            destinationPath: job.destination?.path, maxTries: job.maxTries, errorClass: .backend, reason: reason,
            changed: now)
    }

    private static func wanted(_ element: Element, _ intent: JobIntent?) -> Bool {
        !element.isUnwanted && intent?.shuts != true
    }

    private static func giveBack(_ element: inout Element) {
        element.attempts += 1
        element.forgiven += 1
        element.returned += 1
    }

    private static func expire(_ element: inout Element) {
        element.phase = .failed
        element.notBefore = nil
        element.errorClass = .deadline
        element.reason = "the job's deadline passed"
    }

    /// Expansion writes the directories of a REMOVE with a final slash.
    private static func isHeldAtFirst(_ element: Element) -> Bool {
        element.type == .remove && element.sourcePath.utf8.last == UInt8(ascii: "/")
    }

    private static func afterFailure(
        _ failed: Element, _ intent: JobIntent?, policy: RetryPolicy, now: Timestamp, chance: Double
    ) -> Decision {
        var next = failed
        if !wanted(next, intent) {
            if intent == .expire { expire(&next) } else { next.phase = .cancelled }
            return Decision(element: next, actions: [.endAttempt(number: next.attempts), .ended])
        }
        if next.errorClass?.isPermanent == true || next.tries >= next.maxTries {
            next.phase = .failed
            return Decision(element: next, actions: [.endAttempt(number: next.attempts), .ended])
        }
        return waitingAgain(next, policy: policy, now: now, chance: chance)
    }

    private static func waitingAgain(
        _ failed: Element, policy: RetryPolicy, now: Timestamp, chance: Double
    ) -> Decision {
        var next = failed
        next.phase = .delayed
        next.notBefore = now.adding(seconds: policy.delay(afterTries: next.tries, chance: chance))
        return Decision(element: next, actions: [.endAttempt(number: next.attempts)])
    }
}

extension Element {
    /// Attempts that cost no try although something went wrong with them.
    fileprivate var blamed: Int { forgiven - returned }
}
