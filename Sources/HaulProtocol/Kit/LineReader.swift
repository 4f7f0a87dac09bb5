import Foundation
import Synchronization

/// Standard input of a backend, line by line; the blocking read has a queue of its own.
final class LineReader: Sendable {
    private struct State {
        var buffer = Data()
        var ended = false
    }

    private let queue = DispatchQueue(label: "haul.backend.stdin")
    private let descriptor: Int32
    private let state = Mutex(State())

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// The next line without its newline; nil at the end. A last line that was cut off is none.
    func next() async -> Data? {
        await withCheckedContinuation { continuation in
            queue.async { [self] in continuation.resume(returning: read()) }
        }
    }

    private func read() -> Data? {
        while true {
            let line: Data?? = state.withLock { state in
                if let newline = state.buffer.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = Data(state.buffer[..<newline])
                    state.buffer = Data(state.buffer[(newline + 1)...])
                    return .some(line)
                }
                return state.ended ? .some(nil) : nil
            }
            if let line { return line }
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            let count = Foundation.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            state.withLock { state in
                if count > 0 {
                    state.buffer.append(contentsOf: chunk[..<count])
                    // A worker sends no such line; one that grows for ever must not take the memory with it.
                    if state.buffer.count > 16 << 20 { state.ended = true }
                } else {
                    state.ended = true
                }
            }
        }
    }
}
