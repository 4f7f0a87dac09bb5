import Foundation
import Synchronization

/// The body of an answer on its way from libcurl's thread to its one reader.
final class CurlInflow: Sendable {
    private struct State {
        var bytes = Data()
        /// Bytes that came, of all.
        var count = 0
        var reader: CheckedContinuation<Data?, Never>?
        /// Bytes of the last piece that was handed on: about as many come next.
        var usual = 0
        /// libcurl was told to wait, because there is no room.
        var isPaused = false
        var isOver = false
        var goOn: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func connect(_ goOn: @escaping @Sendable () -> Void) { state.withLock { $0.goOn = goOn } }

    // MARK: On libcurl's thread

    /// - Returns: False where there is no room: the same bytes are to be given once more later.
    func take(_ piece: UnsafeRawBufferPointer) -> Bool {
        state.withLock { state in
            guard state.bytes.count < CurlFlow.room else {
                state.isPaused = true
                return false
            }
            state.isPaused = false
            if state.bytes.isEmpty { state.bytes.reserveCapacity(max(state.usual, piece.count)) }
            state.bytes.append(contentsOf: piece)
            state.count += piece.count
            return true
        }
    }

    var isPaused: Bool { state.withLock { $0.isPaused } }
    var count: Int { state.withLock { $0.count } }

    /// Gives a reader that waits what came: once for all that came together.
    /// - Returns: That there is room again for what libcurl keeps.
    func flush() -> Bool {
        let (reader, bytes, goesOn) = state.withLock { state -> (CheckedContinuation<Data?, Never>?, Data, Bool) in
            guard let reader = state.reader, !state.bytes.isEmpty else { return (nil, Data(), false) }
            state.reader = nil
            return (reader, Self.takeAll(&state), state.isPaused)
        }
        reader?.resume(returning: bytes)
        return goesOn
    }

    // MARK: Of the reader

    /// What came; nil once all was read and no more comes.
    func read() async -> Data? {
        await withCheckedContinuation { continuation in
            let (answer, goOn) = state.withLock { state -> (Data??, (@Sendable () -> Void)?) in
                let goOn = state.isPaused ? state.goOn : nil
                if !state.bytes.isEmpty { return (Self.takeAll(&state), goOn) }
                if state.isOver { return (.some(nil), nil) }
                state.reader = continuation
                return (.none, goOn)
            }
            goOn?()
            if let answer { continuation.resume(returning: answer) }
        }
    }

    func end() {
        let reader = state.withLock { state in
            state.isOver = true
            state.goOn = nil
            defer { if state.bytes.isEmpty { state.reader = nil } }
            return state.bytes.isEmpty ? state.reader : nil
        }
        reader?.resume(returning: nil)
        _ = flush()
    }

    private static func takeAll(_ state: inout State) -> Data {
        defer { state.bytes = Data() }
        state.usual = state.bytes.count
        return state.bytes
    }
}
