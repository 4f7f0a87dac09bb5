import Foundation
import Synchronization

/// Standard input of a backend, line by line; the blocking read has a queue of its own.
final class LineReader: Sendable {
    private struct State {
        // A worker sends no longer line; one that grows for ever must not take the memory with it.
        var splitter = LineSplitter(limit: 4 << 20)
        var ended = false
    }

    private let queue = DispatchQueue(label: "haul.backend.stdin")
    private let descriptor: Int32
    private let state = Mutex(State())

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// The next line without its newline; nil at the end. A last line that was cut off is none.
    func next() async -> Data? {
        // What one read brought is many lines.
        if case .line(let line)? = state.withLock({ $0.splitter.next() }) { return line }
        return await withCheckedContinuation { continuation in
            queue.async { [self] in continuation.resume(returning: state.withLock { read(&$0) }) }
        }
    }

    private func read(_ state: inout State) -> Data? {
        while true {
            switch state.splitter.next() {
            case .line(let line): return line
            case .tooLong: state.ended = true
            case nil: break
            }
            if state.ended { return nil }
            var chunk = Data(count: 1 << 16)
            let count = chunk.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                state.splitter.add(chunk.prefix(count))
            } else if count == 0 || errno != EINTR {
                state.ended = true
            }
        }
    }
}
