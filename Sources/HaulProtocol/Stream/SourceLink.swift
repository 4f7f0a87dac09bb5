import Foundation
import HaulModel
import Synchronization

/// The way from a putting backend to the source of its element, which another backend has: questions leave as lines,
/// one at a time, and the worker brings the answers.
final class SourceLink: Sendable {
    private struct State {
        var isAsking = false
        var turns: [CheckedContinuation<Void, Never>] = []
        var answer: CheckedContinuation<SourceAnswer, any Error>?
        var isOver = false
    }

    let id: String
    /// The pipe through which the bytes come.
    let pipe: String
    private let writer: LineWriter
    private let state = Mutex(State())

    init(id: String, pipe: String, writer: LineWriter) {
        self.id = id
        self.pipe = pipe
        self.writer = writer
    }

    /// Asks, once what was asked before is answered.
    /// - Parameter prepare: Called when it is this question's turn, before it leaves.
    /// - Throws: What the source failed with, or `CancellationError`.
    func ask(_ question: SourceQuestion, prepare: () throws -> Void = {}) async throws -> SourceAnswer {
        await turn()
        defer { pass() }
        try Task.checkCancellation()
        try prepare()
        let line = BackendLine.ask(id: id, question).line()
        let answer = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOver = state.withLock { state in
                    if !state.isOver { state.answer = continuation }
                    return state.isOver
                }
                if isOver { return continuation.resume(throwing: CancellationError()) }
                Task { await writer.write(line) }
            }
        } onCancel: {
            end()
        }
        if case .failed(let failure) = answer { throw failure }
        return answer
    }

    func answered(_ answer: SourceAnswer) {
        state.withLock { state in
            defer { state.answer = nil }
            return state.answer
        }?.resume(returning: answer)
    }

    /// The element is over, or cancelled: nobody waits for an answer any more.
    func end() {
        state.withLock { state in
            state.isOver = true
            defer { state.answer = nil }
            return state.answer
        }?.resume(throwing: CancellationError())
    }

    private func turn() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isAsking {
                    state.turns.append(continuation)
                    return false
                }
                state.isAsking = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    private func pass() {
        state.withLock { state in
            if state.turns.isEmpty { state.isAsking = false }
            return state.turns.isEmpty ? nil : state.turns.removeFirst()
        }?.resume()
    }
}
