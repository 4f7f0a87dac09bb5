import Foundation
import HaulProcess
import Testing

/// With signals that end no test run; each test has its own.
@Suite(.timeLimit(.minutes(5))) struct EndSignalsTests {
    @Test func countsTheSignals() async {
        let signals = await EndSignals([SIGUSR1])
        async let second = signals.next(2)
        kill(getpid(), SIGUSR1)
        let name = await signals.next()
        #expect(name == "signal \(SIGUSR1)")
        // One that came before is no second one, however often it is asked for.
        #expect(await signals.next(1) == name)
        kill(getpid(), SIGUSR1)
        #expect(await second == name)
        #expect(await signals.next(2) == name)
    }

    @Test func cancelsTheWorkThatRuns() async {
        let signals = await EndSignals([SIGUSR2])
        let (result, name) = await signals.cancelling {
            kill(getpid(), SIGUSR2)
            try await Task.sleep(for: .seconds(600))
        }
        #expect(throws: CancellationError.self) { try result.get() }
        #expect(name == "signal \(SIGUSR2)")
    }

    @Test func isNotWaitedForLongerThanTheWorkTakes() async throws {
        let (result, name) = await EndSignals([SIGWINCH]).cancelling { 7 }
        #expect(try result.get() == 7)
        #expect(name == nil)
    }
}
