import HaulModel
import Testing

/// What becomes of a worker that was asked for.
@Suite struct LaunchMachineTests {
    private static let policy = LaunchMachine.Policy(tries: 3, retry: RetryPolicy(base: 4, maximum: 60))
    private static let taken = LaunchMachine.Event.taken(server: 1, run: "r", token: 7, kind: .cluster)

    /// A launch to which things happen, second by second.
    private struct Row {
        var launch = Launch(id: 1, queueID: 2, number: 3, asked: Timestamp(milliseconds: 0))
        var now = Timestamp(milliseconds: 1000)

        /// - Returns: whether it fitted.
        @discardableResult
        mutating func on(_ event: LaunchMachine.Event, after seconds: Double = 1) -> Bool {
            now = now.adding(seconds: seconds)
            let next = LaunchMachine.decide(launch, event, policy: policy, now: now, chance: 0)
            if let next { launch = next }
            return next != nil
        }
    }

    @Test func startsAndEnds() {
        var row = Row()
        #expect(row.launch.worker == "launched-2-3" && row.launch.key.text == "1.0")
        row.on(Self.taken)
        #expect(row.launch.phase == .starting && row.launch.token == 7 && row.launch.key.text == "1.1")
        row.on(.started(place: "job 5"))
        #expect(row.launch.phase == .running && row.launch.place == "job 5")
        row.on(.finished(nil))
        #expect(
            row.launch.phase == .ended && row.launch.token == nil && row.launch.server == nil && row.launch.kind == nil)
        for event in [
            Self.taken, .started(place: nil), .failed("x", ran: 0), .finished(nil), .lost, .refused("x"), .unwanted,
        ] {
            let fits = row.on(event)
            #expect(!fits)
        }
        row.on(.asked)
        #expect(row.launch.phase == .waiting && row.launch.asked == row.now && row.launch.starts == 1)
    }

    /// It waits twice as long each time, and is given up after so many tries in a row.
    @Test func fails() {
        var row = Row()
        for (wait, event) in [(2.0, nil), (4.0, LaunchMachine.Event.started(place: nil))] {
            row.on(Self.taken)
            if let event { row.on(event) }
            row.on(.failed("no", ran: 59))
            #expect(row.launch.phase == .waiting && row.launch.reason == "no" && row.launch.token == nil)
            #expect(row.launch.notBefore == row.now.adding(seconds: wait))
        }
        row.on(Self.taken)
        #expect(row.launch.notBefore == nil)
        row.on(.failed("no more", ran: 1))
        #expect(row.launch.phase == .ended && row.launch.reason == "no more" && row.launch.failures == 3)
        row.on(.asked)
        #expect(row.launch.failures == 0 && row.launch.reason == nil)
    }

    /// To wait in a cluster's queue is not to run.
    @Test func waitsLongAndFails() {
        var row = Row()
        for turn in 1...3 {
            row.on(Self.taken)
            row.on(.started(place: "job"))
            row.on(.failed("no such node", ran: 0.5), after: 3600)
            #expect(row.launch.failures == turn && (row.launch.phase == .ended) == (turn == 3))
        }
    }

    /// One that ran for a while begins anew to be counted; one that went with its server is not counted.
    @Test func countsInARow() {
        var row = Row()
        for turn in 0..<10 {
            row.on(Self.taken)
            row.on(.started(place: nil))
            if turn % 2 == 0 { row.on(.failed("a crash", ran: 60), after: 61) } else { row.on(.lost) }
            #expect(row.launch.phase == .waiting && row.launch.failures == 1)
        }
        #expect(row.launch.starts == 10)
    }

    /// Nobody wants it: at once where it only waits, else once it is gone, however it goes.
    @Test(arguments: [LaunchMachine.Event.lost, .failed("x", ran: 0), .finished(nil)])
    func unwanted(_ last: LaunchMachine.Event) {
        var row = Row()
        row.on(.unwanted)
        #expect(row.launch.phase == .ended)
        row.on(.asked)
        row.on(Self.taken)
        row.on(.unwanted)
        #expect(row.launch.phase == .starting && row.launch.isUnwanted)
        let fits = row.on(.unwanted)
        #expect(!fits)
        row.on(.started(place: nil))
        #expect(row.launch.phase == .running && row.launch.isUnwanted)
        row.on(last)
        #expect(row.launch.phase == .ended && !row.launch.isUnwanted && row.launch.reason == nil)
    }

    @Test func names() {
        #expect(Launch.Key(text: "12.3") == Launch.Key(launch: 12, start: 3))
        for text in ["", "1", "1.", "a.1", "1.2.3", "01.2", "+1.2", " 1.2"] { #expect(Launch.Key(text: text) == nil) }
    }
}
