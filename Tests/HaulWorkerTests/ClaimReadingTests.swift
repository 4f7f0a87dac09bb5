import HaulProtocol
import Testing

@testable import HaulWorker

/// Numbers that no server counts and no backend moves: they may be refused, and may not end the worker.
struct ClaimReadingTests {
    @Test(arguments: [Int.min, -1, Int.max])
    func attempts(_ count: Int) throws {
        let job = Claims.job(1, ["/a"])
        #expect(try Claims.assignments(job).count == 1)
        let odd = [#""attempts":0"#, #""forgiven":0"#].map {
            job.replacing($0, with: $0.dropLast() + "\(count)")
        }
        for job in odd { #expect(try Claims.assignments(job).isEmpty) }
    }

    @Test(arguments: [(0, 0, 0), (5, 0, 2), (5, 5, 5), (Int.max, Int.max, Int.max), (Int.max, 1, Int.max / 2 + 1)])
    func halves(_ transferred: Int, _ done: Int, _ shown: Int) {
        let progress = TransferProgress(transferred: transferred, elapsed: 1, instant: 1, average: 1)
        #expect(Bridge.leg(progress, done: done).transferred == shown)
    }
}
