import Foundation
import Synchronization

/// The body of a request on its way from its one writer to libcurl's thread.
final class CurlOutflow: Sendable {
    private struct State {
        var pieces: [Data] = []
        /// Of the first piece, what libcurl has.
        var taken = 0
        var waiting = 0
        /// Bytes that libcurl has had, of all.
        var sent = 0
        var writer: CheckedContinuation<Bool, Never>?
        /// libcurl was told to wait, because there is nothing.
        var isPaused = false
        /// All that is to be sent was written.
        var isWhole = false
        var isOver = false
        var failure: String?
        var goOn: (@Sendable () -> Void)?
    }

    /// What ``CurlOutflow/fill(_:)`` brings.
    enum Filled: Equatable {
        case bytes(Int)
        /// Nothing now.
        case pause
        /// It does not have what was announced.
        case abort
    }

    /// Bytes up to which pieces are put together.
    private static let small = 64 << 10

    /// Bytes that were announced; nil where nobody knows.
    let length: Int?
    private let state = Mutex(State())

    init(length: Int?) { self.length = length }

    func connect(_ goOn: @escaping @Sendable () -> Void) { state.withLock { $0.goOn = goOn } }

    // MARK: On libcurl's thread

    func fill(_ room: UnsafeMutableRawBufferPointer) -> Filled {
        let (filled, writer) = state.withLock { state -> (Filled, CheckedContinuation<Bool, Never>?) in
            // What was given up must not look like the end of a whole one.
            if state.isOver { return (.abort, nil) }
            var count = 0
            while count < room.count, let first = state.pieces.first {
                let part = min(room.count - count, first.count - state.taken)
                first.withUnsafeBytes { bytes in
                    UnsafeMutableRawBufferPointer(rebasing: room[count...])
                        .copyMemory(from: .init(rebasing: bytes[state.taken..<(state.taken + part)]))
                }
                count += part
                state.taken += part
                if state.taken == first.count {
                    state.pieces.removeFirst()
                    state.taken = 0
                }
            }
            state.waiting -= count
            state.sent += count
            if let length, count == 0, state.isWhole, state.sent < length {
                state.failure = "\(length) bytes were announced, \(state.sent) came"
            }
            if state.failure != nil { return (.abort, nil) }
            state.isPaused = count == 0 && !state.isWhole
            guard state.waiting < CurlFlow.room, let writer = state.writer else {
                return (state.isPaused ? .pause : .bytes(count), nil)
            }
            state.writer = nil
            return (state.isPaused ? .pause : .bytes(count), writer)
        }
        writer?.resume(returning: true)
        return filled
    }

    var isPaused: Bool { state.withLock { $0.isPaused } }
    /// Why the body cannot be sent.
    var failure: String? { state.withLock { $0.failure } }

    /// Bytes that libcurl has had: while there are none, the body can begin anew.
    var count: Int { state.withLock { $0.sent } }

    // MARK: Of the writer

    /// Hands the next bytes over, and waits while too many are on their way.
    /// - Returns: False once no more is taken.
    func write(_ data: Data) async -> Bool {
        if data.isEmpty { return state.withLock { !$0.isOver } }
        return await withCheckedContinuation { continuation in
            let (answer, goOn) = state.withLock { state -> (Bool?, (@Sendable () -> Void)?) in
                guard !state.isOver else { return (false, nil) }
                let all = state.sent + state.waiting + data.count
                if let length, all > length { state.failure = "\(length) bytes were announced, \(all) came" }
                // Many small ones would make many pieces.
                if let last = state.pieces.indices.last, state.pieces[last].count + data.count <= Self.small {
                    state.pieces[last].append(data)
                } else {
                    state.pieces.append(data)
                }
                state.waiting += data.count
                let isFull = state.waiting >= CurlFlow.room
                if isFull { state.writer = continuation }
                defer { state.isPaused = false }
                return (isFull ? nil : true, state.isPaused ? state.goOn : nil)
            }
            goOn?()
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// All was written.
    func finish() {
        let goOn = state.withLock { state in
            state.isWhole = true
            defer { state.isPaused = false }
            return state.isPaused ? state.goOn : nil
        }
        goOn?()
    }

    func end() {
        let writer = state.withLock { state in
            state.isOver = true
            (state.pieces, state.taken, state.waiting, state.goOn) = ([], 0, 0, nil)
            defer { state.writer = nil }
            return state.writer
        }
        writer?.resume(returning: false)
    }
}
