import Foundation
import HaulWorker
import Synchronization

/// SIGTERM and SIGINT: the first drains the worker, the second ends it at once.
final class EndOrders {
    private let sources: [any DispatchSourceSignal]

    init(_ worker: Worker, log: WorkerLog) {
        let queue = DispatchQueue(label: "haul.worker.signals")
        let seen = Count()
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                let isFirst = seen.add() == 1
                log("told-to-end", ["signal": number == SIGTERM ? "SIGTERM" : "SIGINT", "at-once": !isFirst])
                Task { if isFirst { await worker.drain() } else { await worker.kill() } }
            }
            source.resume()
            return source
        }
    }

    func ignore() { for source in sources { source.cancel() } }

    private final class Count: Sendable {
        private let value = Mutex(0)

        func add() -> Int {
            value.withLock { value in
                value += 1
                return value
            }
        }
    }
}
