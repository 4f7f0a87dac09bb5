import HaulModel
import Testing

/// When a site counts as down, and which of two.
struct BreakerMachineTests {
    private static let policy = BreakerPolicy(failures: 3, base: 8, maximum: 60, memory: 3600)

    /// Breakers over a row of attempts, each numbered.
    private struct Row {
        var known: [Breaker.Key: Breaker] = [:]
        var now = Timestamp(milliseconds: 1_000_000)
        var number = 0

        mutating func end(
            _ outcome: BreakerMachine.Outcome, _ sites: Int..., blamed: Int? = nil, attempt: Int? = nil
        ) {
            number += 1
            let id = AttemptID(jobID: 1, elementID: 0, number: attempt ?? number)
            let next = BreakerMachine.after(
                outcome, of: id, sites: sites, blamed: blamed, known: known, policy: policy, now: now, chance: 0.5)
            for (key, breaker) in next { known[key] = breaker }
        }

        /// Lets an attempt through a breaker to try.
        mutating func probe(_ key: Breaker.Key, attempt: Int) throws {
            known[key] = BreakerMachine.probing(
                try #require(known[key]), with: AttemptID(jobID: 1, elementID: 0, number: attempt), policy: policy,
                now: now)
        }

        /// What is open: `1` a site, `1-2` a route.
        var open: [String] {
            known.values.filter(\.isOpen).map(\.key).sorted().map {
                $0.isRoute ? "\($0.siteID)-\($0.otherID)" : "\($0.siteID)"
            }
        }
    }

    @Test func opensAfterSomeInARow() {
        var row = Row()
        for outcome: BreakerMachine.Outcome in [.down(.connect), .down(.timeout), .up, .down(.busy), .down(.connect)] {
            row.end(outcome, 1)
        }
        #expect(row.open == [] && row.known[.init(1)]?.failures == 2)
        row.end(.silent, 1)
        row.end(.down(.connect), 1)
        #expect(row.open == ["1"] && row.known[.init(1)]?.errorClass == .connect)
        // Between half and all of the time.
        #expect(row.known[.init(1)]?.until == row.now.adding(seconds: 6))
        // What was on its way when it opened neither opens it further nor keeps it open.
        row.end(.down(.connect), 1)
        #expect(row.known[.init(1)]?.until == row.now.adding(seconds: 6))
        row.end(.up, 1)
        #expect(row.known.isEmpty)
    }

    @Test func aProbeDecides() throws {
        var row = Row()
        for _ in 0..<3 { row.end(.down(.connect), 1) }
        for seconds in [12.0, 24, 45, 45] {
            row.now = try #require(row.known[.init(1)]?.until)
            try row.probe(.init(1), attempt: 100)
            #expect(row.known[.init(1)]?.isShut(at: row.now) == true, "one at a time")
            row.end(.down(.timeout), 1, attempt: 99)
            #expect(row.known[.init(1)]?.probe?.number == 100, "another's failure is not the probe's")
            row.end(.down(.timeout), 1, attempt: 100)
            #expect(row.known[.init(1)]?.until == row.now.adding(seconds: seconds))
            #expect(row.known[.init(1)]?.probe == nil)
        }
        // One that says nothing, or is never heard of, keeps nothing shut for good.
        row.now = try #require(row.known[.init(1)]?.until)
        try row.probe(.init(1), attempt: 101)
        #expect(row.known[.init(1)]?.isShut(at: row.now.adding(seconds: 60)) == false)
        row.end(.silent, 1, attempt: 101)
        #expect(row.known[.init(1)]?.probe == nil && row.known[.init(1)]?.until == row.now.adding(seconds: 6))
        row.end(.up, 1, attempt: 102)
        #expect(row.known.isEmpty)
    }

    /// Where nobody can tell which of the two it was, only what goes between them is shut.
    @Test func aRoute() {
        var row = Row()
        for _ in 0..<3 { row.end(.down(.connect), 1, 2) }
        #expect(row.open == ["1-2"])
        row.end(.up, 1)
        #expect(row.open == ["1-2"], "that the one is there says nothing of the other")
        row.end(.up, 1, 2)
        #expect(row.known.isEmpty)
    }

    /// The one at which something went well meanwhile is not to blame, whether it is the source or the destination.
    @Test(arguments: [1, 2]) func theOther(alive: Int) {
        var row = Row()
        for _ in 0..<3 {
            row.end(.down(.connect), 1, 2)
            row.end(.up, alive)
        }
        #expect(row.open == ["\(3 - alive)"])
    }

    /// Both are well with others: it lies between them.
    @Test func theWay() {
        var row = Row()
        for _ in 0..<3 {
            row.end(.down(.connect), 1, 2)
            row.end(.up, 1, 3)
            row.end(.up, 4, 2)
        }
        #expect(row.open == ["1-2"])
    }

    /// One that fails with two others, and never went well, is down; they are not.
    @Test func twoPartners() {
        var row = Row()
        for _ in 0..<3 { row.end(.down(.connect), 1, 9) }
        for _ in 0..<3 { row.end(.down(.connect), 2, 9) }
        #expect(
            row.open == ["1-9", "2-9", "9"].sorted { $0.count < $1.count || $0.count == $1.count && $0 < $1 }
                || Set(row.open) == ["9", "1-9", "2-9"])
        // One that is well in between is never blamed, with however many dead ones it has to do.
        var well = Row()
        for partner in 11...15 {
            for _ in 0..<3 {
                well.end(.down(.connect), 1, partner)
                well.end(.up, 1)
            }
        }
        #expect(Set(well.open) == ["11", "12", "13", "14", "15"])
    }

    /// What a report says counts.
    @Test func blamed() {
        var row = Row()
        for _ in 0..<3 { row.end(.down(.connect), 1, 2, blamed: 2) }
        #expect(row.open == ["2"] && row.known.count == 1)
        // One that it has nothing to do with is not blamed.
        for _ in 0..<3 { row.end(.down(.connect), 3, 4, blamed: 9) }
        #expect(Set(row.open) == ["2", "3-4"])
    }

    @Test func whatClassesSay() {
        func outcome(_ errorClass: ErrorClass, _ isSure: Bool) -> BreakerMachine.Outcome {
            .init(failed: errorClass, isSure: isSure)
        }
        for errorClass: ErrorClass in [.connect, .timeout, .busy] {
            #expect(outcome(errorClass, true) == .down(errorClass) && outcome(errorClass, false) == .down(errorClass))
        }
        // A site that says no is there; of two it is not known which said it.
        for errorClass: ErrorClass in [.notFound, .exists, .permission, .auth, .credentialExpired, .noSpace, .notEmpty]
        {
            #expect(outcome(errorClass, true) == .up && outcome(errorClass, false) == .silent)
        }
        for errorClass: ErrorClass in [.interrupted, .lost, .backend, .unknown, .checksum, .invalid, .deadline] {
            #expect(outcome(errorClass, true) == .silent)
        }
    }

    /// Failures of last week say nothing of today.
    @Test func forgets() {
        var row = Row()
        for _ in 0..<2 { row.end(.down(.connect), 1) }
        row.now = row.now.adding(seconds: 3601)
        row.end(.down(.connect), 1)
        #expect(row.open == [] && row.known[.init(1)]?.failures == 1)
    }
}
