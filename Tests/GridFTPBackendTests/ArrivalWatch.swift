import Foundation
import Synchronization

/// Does something as soon as a file of so many bytes stands where a copy goes: events of progress come when a piece is
/// through, which may be too late.
final class ArrivalWatch: Sendable {
    private let bench: Bench
    private let bytes: Int
    private let isBegun = Mutex(false)

    init(_ bench: Bench, bytes: Int) {
        self.bench = bench
        self.bytes = bytes
    }

    /// Begins to look, on a thread of its own; once. It ends when there is a file under no part's name.
    func once(_ deed: @escaping @Sendable () -> Void) {
        let isFirst = isBegun.withLock { isBegun in
            defer { isBegun = true }
            return !isBegun
        }
        guard isFirst else { return }
        Thread.detachNewThread { [bench, bytes] in
            while true {
                let names = bench.names(bench.b)
                guard names.allSatisfy({ $0.hasPrefix(".") }) else { return }
                let hasArrived = names.contains { name in
                    var status = stat()
                    return stat("\(bench.b)/\(name)", &status) == 0 && Int(status.st_size) >= bytes
                }
                if hasArrived { return deed() }
                usleep(1000)
            }
        }
    }
}
