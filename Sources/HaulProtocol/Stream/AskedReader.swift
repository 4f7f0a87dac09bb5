import Foundation
import HaulModel
import Synchronization

/// Reads a range of a source that another backend has, out of the element's pipe.
final class AskedReader: CopyReader {
    private enum Ending {
        case sent(Int, FileFacts?)
        case failed(any Error)
    }

    private struct State {
        var pipe: PipeReader?
        var read = 0
        var ending: Ending?
        var asking: Task<Void, Never>?
        /// Waits until the pipe is open, or will not be.
        var opening: CheckedContinuation<Void, Never>?
        var isOpened = false
        var isAbandoned = false
    }

    /// What a pipe holds on Linux at most, without privileges.
    private static let roomInPipe: Int32 = 1 << 20
    /// `F_SETPIPE_SZ` of fcntl(2).
    private static let setPipeSize: Int32 = 1031

    private let link: SourceLink
    private let order: ReadOrder
    private let state = Mutex(State())

    init(_ link: SourceLink, _ order: ReadOrder) {
        self.link = link
        self.order = order
    }

    deinit { abandon() }

    func next() async throws -> Data? {
        if !state.withLock({ $0.asking != nil }) { await begin() }
        while true {
            try Task.checkCancellation()
            let (pipe, left) = state.withLock { ($0.pipe, order.to - order.from - $0.read) }
            if left > 0, let data = await pipe?.read(upTo: min(left, 1 << 18)) {
                state.withLock { $0.read += data.count }
                return data
            }
            if state.withLock({ $0.isAbandoned }) { throw CancellationError() }
            // All of it, or the source said how it ended.
            if left <= 0, let pipe { leave(pipe) }
            await state.withLock({ $0.asking })?.value
            let (ending, read) = state.withLock { ($0.ending, $0.read) }
            switch ending {
            case .sent(let bytes, _) where bytes == read: return try ended(read)
            // What was in the pipe when it was closed is lost.
            case .sent(let bytes, _):
                throw BackendFailure(.interrupted, "\(read) of \(bytes) bytes came through the pipe")
            case .failed(let error): throw error
            case nil: throw CancellationError()
            }
        }
    }

    /// Waits for bytes in the pipe, and leaves them there: ``took(_:)`` tells what was moved out of it.
    /// - Returns: How many of the wanted ones are there; nil: ``next()`` goes on.
    func there() async throws -> (pipe: PipeReader, count: Int)? {
        if !state.withLock({ $0.asking != nil }) { await begin() }
        try Task.checkCancellation()
        let (pipe, left) = state.withLock { ($0.pipe, order.to - order.from - $0.read) }
        guard left > 0, let pipe else { return nil }
        let count = await pipe.there()
        return count > 0 ? (pipe, min(count, left)) : nil
    }

    func took(_ count: Int) { state.withLock { $0.read += count } }

    func finish() async throws -> FileFacts? {
        defer { abandon() }
        guard case .sent(_, let facts) = state.withLock({ $0.ending }) else { return nil }
        return facts
    }

    func abandon() {
        let pipe = state.withLock { state in
            state.isAbandoned = true
            defer { state.pipe = nil }
            return state.pipe
        }
        // Whoever writes into it gets EPIPE, answers, and the next question has its turn.
        pipe?.close()
    }

    /// Has whoever goes on to write get EPIPE instead of waiting for ever. The pipe stays open until they have opened it, too:
    /// without a reader they could not.
    private func leave(_ pipe: PipeReader) {
        if order.to > order.from { return pipe.close() }
        Task { if await pipe.read(upTo: 1) != nil { pipe.close() } }
    }

    private func ended(_ read: Int) throws -> Data? {
        if read < order.to - order.from {
            throw BackendFailure(.interrupted, "the source ended after \(order.from + read) of \(order.to) bytes")
        }
        return nil
    }

    /// Asks, and returns once the pipe is open: its turn may be a while off.
    private func begin() async {
        let task = Task {
            do {
                let answer = try await link.ask(.read(from: order.from, to: order.to)) { try open() }
                switch answer {
                case .sent(let bytes, let facts): come(.sent(bytes, facts), to: bytes)
                case .notResumable: come(.failed(CopyNotResumable()), to: 0)
                default: come(.failed(AskedEnd.odd("how many bytes went")), to: 0)
                }
            } catch {
                come(.failed(error), to: 0)
            }
        }
        state.withLock { $0.asking = task }
        await withCheckedContinuation { continuation in
            let isOpened = state.withLock { state in
                if !state.isOpened { state.opening = continuation }
                return state.isOpened
            }
            if isOpened { continuation.resume() }
        }
    }

    /// Opened for both, so that it neither waits for who writes nor takes their coming late for the end.
    private func open() throws {
        let descriptor = Foundation.open(link.pipe, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw BackendFailure(
                .backend, "the pipe to the source cannot be opened: \(String(cString: strerror(errno)))")
        }
        _ = fcntl(descriptor, Self.setPipeSize, Self.roomInPipe)
        // What an earlier question was answered with, and nobody took, is no part of this one.
        var waste = [UInt8](repeating: 0, count: 1 << 16)
        while read(descriptor, &waste, waste.count) > 0 {}
        let pipe = PipeReader(descriptor: descriptor)
        let isAbandoned = state.withLock { state in
            if !state.isAbandoned { state.pipe = pipe }
            return state.isAbandoned
        }
        if isAbandoned { pipe.close() }
        opened()
    }

    private func opened() {
        state.withLock { state in
            state.isOpened = true
            defer { state.opening = nil }
            return state.opening
        }?.resume()
    }

    /// The source is done with the question. Where fewer bytes went than were wanted, nobody waits for the rest.
    private func come(_ ending: Ending, to bytes: Int) {
        let pipe: PipeReader? = state.withLock { state in
            state.ending = ending
            return bytes < order.to - order.from ? state.pipe : nil
        }
        pipe?.close()
        opened()
    }
}
