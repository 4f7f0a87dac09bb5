import Foundation
import HaulCurl
import Synchronization

/// The bytes of one part, from their reading until the server has them: whoever sends them can begin anew, and what comes
/// after them is read meanwhile. For one reader and one sender.
final class KeptPart: Sendable {
    private struct State {
        var pieces: [Data] = []
        var isWhole = false
        var isCut = false
        var sender: CheckedContinuation<Void, Never>?
        var room: Room.Share?
    }

    private let state: Mutex<State>

    /// - Parameter room: For all of its bytes.
    init(_ room: Room.Share) { state = Mutex(State(room: room)) }

    func add(_ data: Data) { change { $0.pieces.append(data) } }

    /// All was read.
    func end() { change { $0.isWhole = true } }

    /// There is no more of it: what of it went is not to be had whole.
    func cut() { change { $0.isCut = true } }

    /// Nobody wants its bytes any more.
    func free() { change { $0 = State(isCut: true) } }

    /// Hands all bytes to `body`, as they come.
    /// - Throws: `CancellationError` after ``cut()``.
    func each(_ body: (Data) async throws -> Void) async throws {
        var place = 0
        while let piece = try await piece(place) {
            place += 1
            try await body(piece)
        }
    }

    private func piece(_ place: Int) async throws -> Data? {
        while true {
            let (piece, isOver) = try state.withLock { state -> (Data?, Bool) in
                if state.isCut { throw CancellationError() }
                return place < state.pieces.count ? (state.pieces[place], false) : (nil, state.isWhole)
            }
            if piece != nil || isOver { return piece }
            await withTaskCancellationHandler {
                await withCheckedContinuation { sender in
                    let isNew = state.withLock { state in
                        let isNew = state.isCut || state.isWhole || place < state.pieces.count
                        if !isNew { state.sender = sender }
                        return isNew
                    }
                    if isNew { sender.resume() }
                }
            } onCancel: {
                cut()
            }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let sender = state.withLock { state in
            let sender = state.sender
            state.sender = nil
            body(&state)
            return sender
        }
        sender?.resume()
    }
}
