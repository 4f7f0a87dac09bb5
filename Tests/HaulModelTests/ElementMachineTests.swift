import HaulModel
import Testing

@Suite("The state machine of elements")
struct ElementMachineTests {
    private let now = Timestamp(milliseconds: 1_000_000)
    private let policy = RetryPolicy(base: 10, maximum: 100, forgivenLosses: 3)

    private func element(
        _ phase: Phase, attempts: Int = 0, forgiven: Int = 0, maxTries: Int = 2
    ) -> Element {
        Element(
            jobID: 1, id: 0, type: .copy, phase: phase, sourcePath: "/a", destinationPath: "/b", maxTries: maxTries,
            attempts: attempts, forgiven: forgiven, notBefore: phase == .delayed ? now : nil,
            errorClass: phase == .delayed ? .connect : nil, changed: Timestamp(milliseconds: 0))
    }

    @Test("who takes back what a worker has gives its try back, and lets nobody have it too soon")
    func takenBack() throws {
        let heard = now.adding(seconds: 60)
        for phase in [Phase.leased, .running] {
            let back = try #require(decide(element(phase, attempts: 1), .revoked(heard: heard)))
            #expect(back.element.phase == .delayed && back.element.notBefore == heard && back.element.tries == 1)
            #expect(back.actions == [.endAttempt(number: 2)] && back.element.returned == 1)
            #expect(decide(back.element, .revoked(heard: now)) == nil)
            #expect(decide(back.element, .due)?.element.phase == .ready)
            #expect(decide(element(phase), .revoked(heard: heard), .cancel)?.element.phase == .cancelled)
        }
    }

    @Test("what users took back spends none of the losses that workers are forgiven")
    func returned() {
        var often = element(.leased, attempts: 9, forgiven: 9)
        often.returned = 9
        let lost = decide(often, .lost)?.element
        #expect(lost?.phase == .ready && lost?.tries == 0 && lost?.returned == 9)
        often.returned = 0
        #expect(decide(often, .lost)?.element.tries == 1)
    }

    private func decide(
        _ element: Element, _ event: ElementMachine.Event, _ intent: JobIntent? = nil
    ) -> ElementMachine.Decision? {
        ElementMachine.decide(element, event, intent: intent, policy: policy, now: now, chance: 0.5)
    }

    @Test("a failed try whether a site is there again costs no try, for long")
    func probes() throws {
        let policy = RetryPolicy(base: 10, maximum: 100, forgivenLosses: 3, forgivenProbes: 5)
        func probe(_ element: Element, _ errorClass: ErrorClass = .connect) throws -> Element {
            try #require(
                ElementMachine.decide(
                    element, .probeFailed(errorClass, reason: "r"), policy: policy, now: now, chance: 0.5)
            ).element
        }
        let first = try probe(element(.leased, attempts: 1))
        #expect(first.phase == .delayed && first.tries == 1 && first.attempts == 2 && first.errorClass == .connect)
        #expect(try probe(element(.running, attempts: 6, forgiven: 4)).phase == .delayed)
        #expect(try probe(element(.running, attempts: 6, forgiven: 5)).phase == .failed)
        #expect(try probe(element(.leased), .notFound).phase == .failed)
        #expect(decide(element(.ready), .probeFailed(.connect, reason: nil)) == nil)
        #expect(decide(element(.leased), .probeFailed(.connect, reason: nil), .cancel)?.element.phase == .cancelled)
    }

    static let events: [ElementMachine.Event] = [
        .opened, .childFailed, .due, .claimed, .progressed, .succeeded(size: 1), .failed(.connect, reason: nil), .lost,
        .cancelled, .expired, .retried(tries: 2), .popped,
        .revoked(heard: Timestamp(milliseconds: 2_000_000)),
    ]

    /// Every pair of phase and event: where it leads, or that it is refused.
    static let table: [(Phase, [Phase?])] = [
        (.held, [.ready, .failed, nil, nil, nil, nil, nil, nil, .cancelled, .failed, nil, nil, nil]),
        (.ready, [nil, nil, nil, .leased, nil, nil, nil, nil, .cancelled, .failed, nil, .popped, nil]),
        (.delayed, [nil, nil, .ready, nil, nil, nil, nil, nil, .cancelled, .failed, nil, nil, .ready]),
        (.leased, [nil, nil, nil, nil, .running, .done, .delayed, .ready, .leased, nil, nil, nil, .delayed]),
        (.running, [nil, nil, nil, nil, .running, .done, .delayed, .delayed, .running, nil, nil, nil, .delayed]),
        (.done, [Phase?](repeating: nil, count: 13)),
        (.failed, [Phase?](repeating: nil, count: 10) + [.ready, nil, nil]),
        (.cancelled, [Phase?](repeating: nil, count: 10) + [.ready, nil, nil]),
        (.popped, [nil, nil, nil, nil, nil, .done, .failed, .ready, .cancelled, .failed, nil, nil, .ready]),
    ]

    @Test("what nobody wants any more ends with its attempt, unless it was done")
    func unwanted() {
        for phase in [Phase.leased, .running] {
            for event in [ElementMachine.Event.failed(.interrupted, reason: "r"), .lost] {
                #expect(decide(element(phase), event, .cancel)?.element.phase == .cancelled)
                let expired = decide(element(phase), event, .expire)?.element
                #expect(expired?.phase == .failed && expired?.errorClass == .deadline && expired?.attempts == 1)
                var alone = element(phase)
                alone.isUnwanted = true
                let ended = decide(alone, event)
                #expect(ended?.element.phase == .cancelled && ended?.element.forgiven == 0)
                #expect(ended?.actions == [.endAttempt(number: 1), .ended])
                #expect(decide(element(phase), event, .retry)?.element.phase != .cancelled)
            }
            #expect(decide(element(phase), .succeeded(size: nil), .cancel)?.element.phase == .done)
            #expect(decide(element(phase), .cancelled)?.element.isUnwanted == true)
        }
        #expect(decide(element(.delayed), .cancelled)?.element.notBefore == nil)
    }

    @Test("a retry adds tries to those that were spent, and forgets why it failed")
    func retried() {
        var failed = element(.failed, attempts: 3, forgiven: 1)
        failed.errorClass = .permission
        failed.reason = "r"
        let again = decide(failed, .retried(tries: 2))?.element
        #expect(again?.maxTries == 4 && again?.attempts == 3 && again?.errorClass == nil && again?.reason == nil)
        // A directory of a REMOVE waits for what is in it.
        var directory = element(.cancelled)
        directory.type = .remove
        directory.sourcePath = "/a/"
        directory.isUnwanted = true
        let held = decide(directory, .retried(tries: 1))?.element
        #expect(held?.phase == .held && held?.isUnwanted == false)
    }

    @Test("every phase meets every event", arguments: table)
    func transitions(_ phase: Phase, _ expected: [Phase?]) {
        for (event, next) in zip(Self.events, expected) {
            #expect(decide(element(phase), event)?.element.phase == next, "\(phase) \(event)")
        }
    }

    @Test("an attempt begins with its number, and ends with it")
    func attemptNumbers() {
        let claimed = decide(element(.ready, attempts: 1), .claimed)
        #expect(claimed?.actions == [.beginAttempt(number: 2)])
        #expect(claimed?.element.attempts == 1)
        let done = decide(element(.leased, attempts: 1), .succeeded(size: 7))
        #expect(done?.actions == [.endAttempt(number: 2), .ended])
        #expect(done?.element.attempts == 2)
        #expect(done?.element.size == 7)
    }

    @Test("a permanent class fails at once, a passing one when no try is left", arguments: ErrorClass.allCases)
    func classes(_ errorClass: ErrorClass) {
        let first = decide(element(.running), .failed(errorClass, reason: "r"))
        #expect(first?.element.phase == (errorClass.isPermanent ? .failed : .delayed))
        #expect(first?.element.errorClass == errorClass)
        let last = decide(element(.running, attempts: 1), .failed(errorClass, reason: "r"))
        #expect(last?.element.phase == .failed)
        #expect(last?.actions.last == .ended)
    }

    @Test("a lease lost before progress costs no try, so many times")
    func forgiveness() {
        let first = decide(element(.leased), .lost)?.element
        #expect(first?.phase == .ready)
        #expect(first?.attempts == 1)
        #expect(first?.tries == 0)
        let spent = decide(element(.leased, attempts: 3, forgiven: 3), .lost)?.element
        #expect(spent?.phase == .delayed)
        #expect(spent?.tries == 1)
        // After progress it costs one.
        #expect(decide(element(.running, attempts: 1), .lost)?.element.phase == .failed)
    }

    @Test("what a worker gives back because it is told to end costs no try, and not for ever")
    func givenBack() {
        for phase in [Phase.leased, .running] {
            let back = decide(element(phase, attempts: 1), .givenBack(reason: "told to end"))
            #expect(back?.element.phase == .ready && back?.element.attempts == 2 && back?.element.tries == 1)
            #expect(back?.actions == [.endAttempt(number: 2)] && back?.element.errorClass == nil)
        }
        var often = element(.running, attempts: 1000, forgiven: 1000)
        often.returned = 1000
        let spent = decide(often, .givenBack(reason: "told to end"))?.element
        #expect(spent?.phase == .delayed && spent?.tries == 1 && spent?.errorClass == .drained)
        // It does not make the losses that are a worker's fault more.
        var lost = element(.leased, attempts: 3, forgiven: 3)
        lost.returned = 1
        #expect(decide(lost, .lost)?.element.phase == .ready)
        var unwanted = element(.running)
        unwanted.isUnwanted = true
        #expect(decide(unwanted, .givenBack(reason: nil))?.element.phase == .cancelled)
        #expect(decide(element(.ready), .givenBack(reason: nil)) == nil)
    }

    @Test("waits double, stay below the maximum, and spread over their upper half")
    func waits() {
        #expect(policy.delay(afterTries: 1, chance: 0) == 5)
        #expect(policy.delay(afterTries: 1, chance: 1) == 10)
        #expect(policy.delay(afterTries: 3, chance: 1) == 40)
        #expect(policy.delay(afterTries: 99, chance: 1) == 100)
        let delayed = decide(element(.running), .failed(.busy, reason: nil))?.element
        #expect(delayed?.notBefore == now.adding(seconds: 7.5))
    }

    @Test("the status that users see")
    func statuses() {
        #expect(element(.ready).status == .new)
        #expect(element(.held).status == .new)
        #expect(element(.delayed, attempts: 1).status == .failed)
        #expect(element(.ready, attempts: 1).status == .failed)
        #expect(element(.leased, attempts: 1).status == .submitted)
        #expect(element(.running).status == .running)
    }
}

@Suite("A job's status follows from its elements")
struct JobMachineTests {
    private func status(
        _ fill: (inout StatusCounts) -> Void, open: Int, isExpanding: Bool = false, isCut: Bool = false,
        _ intent: JobIntent? = nil
    ) -> Status {
        var counts = StatusCounts()
        fill(&counts)
        return JobMachine.status(counts: counts, open: open, isExpanding: isExpanding, isCut: isCut, intent: intent)
    }

    @Test("a cancel or the deadline cuts an expansion off, a retry goes on with it")
    func expansions() {
        typealias Expansion = JobMachine.Expansion
        for ending: JobIntent in [.cancel, .expire] {
            #expect(JobMachine.expansion(Expansion(current: "x"), after: ending) == Expansion(cut: "x"))
            #expect(JobMachine.expansion(Expansion(cut: "x"), after: ending) == Expansion(cut: "x"), "ended twice")
            #expect(JobMachine.expansion(Expansion(), after: ending) == Expansion())
            #expect(JobMachine.expansion(Expansion(), begins: "x", intent: ending) == Expansion(cut: "x"))
            #expect(JobMachine.wanted(ending, open: 0, isExpanding: false) == nil)
            #expect(JobMachine.wanted(ending, open: 1, isExpanding: false) == ending)
            #expect(JobMachine.wanted(ending, open: 0, isExpanding: true) == ending)
        }
        #expect(JobMachine.expansion(Expansion(cut: "x"), after: .retry) == Expansion(current: "x"))
        #expect(JobMachine.expansion(Expansion(current: "x"), after: .retry) == Expansion(current: "x"))
        for intent in [nil, JobIntent.retry] {
            #expect(JobMachine.expansion(Expansion(), begins: "x", intent: intent) == Expansion(current: "x"))
            #expect(JobMachine.wanted(intent, open: 0, isExpanding: false) == intent, "a retry ends with its sweep")
        }
    }

    @Test("what is wanted of the whole job decides how it ends")
    func intents() {
        let mixed: (inout StatusCounts) -> Void = { counts in
            counts.failed = 1
            counts.cancelled = 1
        }
        #expect(status(mixed, open: 0, .cancel) == .cancelled)
        #expect(status(mixed, open: 0, .expire) == .failed)
        #expect(status(mixed, open: 0) == .failed)
        #expect(status(mixed, open: 0, .retry) == .submitted)
        #expect(status({ $0.done = 2 }, open: 0, .cancel) == .done, "it came too late")
        #expect(status({ $0.done = 1 }, open: 0, isCut: true, .cancel) == .cancelled)
        #expect(status({ $0.done = 1 }, open: 0, isCut: true, .expire) == .failed)
        #expect(status({ $0.running = 1 }, open: 1, .cancel) == .running)
    }

    @Test("what ended stays as it ended once nobody wants that any more")
    func ended() {
        var counts = StatusCounts()
        (counts.failed, counts.cancelled, counts.done) = (1, 1, 1)
        for before: Status in [.done, .failed, .cancelled] {
            func status(open: Int = 0, isExpanding: Bool = false, _ intent: JobIntent? = nil) -> Status {
                JobMachine.status(counts: counts, open: open, isExpanding: isExpanding, intent: intent, before: before)
            }
            #expect(status() == before)
            #expect(status(open: 1) == .submitted)
            #expect(status(isExpanding: true) == .submitted)
            #expect(status(.retry) == .submitted)
        }
        for before: Status in [.new, .submitted, .running] {
            #expect(JobMachine.status(counts: counts, open: 0, isExpanding: false, before: before) == .failed)
        }
    }

    @Test func rules() {
        #expect(status({ $0.new = 1 }, open: 1) == .submitted)
        #expect(
            status(
                {
                    $0.running = 1; $0.failed = 1
                }, open: 2) == .running)
        // Between the tries of an element.
        #expect(status({ $0.failed = 1 }, open: 1) == .submitted)
        #expect(status({ $0.done = 1 }, open: 0, isExpanding: true) == .submitted)
        #expect(
            status(
                {
                    $0.done = 3; $0.failed = 1
                }, open: 0) == .failed)
        #expect(
            status(
                {
                    $0.done = 3; $0.cancelled = 1
                }, open: 0) == .cancelled)
        #expect(status({ $0.done = 3 }, open: 0) == .done)
        #expect(
            status(
                {
                    $0.submitted = 1; $0.done = 1
                }, open: 1) == .submitted)
    }
}
