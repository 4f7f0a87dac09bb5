import Synchronization

/// Room for so many bytes at once, shared by elements.
public final class Room: Sendable {
    private struct Waiter {
        var id: UInt64
        var bytes: Int
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        var waiters: [Waiter] = []
        var cancelled: Set<UInt64> = []
        var ids: UInt64 = 0
    }

    private let bytes: Int
    private let state: Mutex<State>

    public init(bytes: Int) {
        self.bytes = max(0, bytes)
        state = Mutex(State(free: max(0, bytes)))
    }

    /// Whether so many bytes can ever be there at once.
    public func takes(_ count: Int) -> Bool { count <= bytes }

    /// Room that is given back with the last reference to it.
    public final class Share: Sendable {
        private let room: Room
        private let count: Int

        fileprivate init(_ room: Room, _ count: Int) { (self.room, self.count) = (room, count) }
        deinit { room.release(count) }
    }

    /// Nil where there is none at once: those who wait come first.
    public func share(_ count: Int) -> Share? { reserveNow(count) ? Share(self, count) : nil }

    /// Waits for room, holds it while `body` runs.
    public func withRoom<Value: Sendable>(_ count: Int, _ body: () async throws -> Value) async throws -> Value {
        try await reserve(count)
        defer { release(count) }
        return try await body()
    }

    private func reserveNow(_ count: Int) -> Bool {
        state.withLock { state in
            guard state.waiters.isEmpty, state.free >= count else { return false }
            state.free -= count
            return true
        }
    }

    private func reserve(_ count: Int) async throws {
        // Mostly there is room.
        if reserveNow(count) { return }
        let id = state.withLock { state in
            state.ids += 1
            return state.ids
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    // In order: a larger file is not passed by for ever.
                    if state.waiters.isEmpty, state.free >= count {
                        state.free -= count
                        return .success(())
                    }
                    state.waiters.append(Waiter(id: id, bytes: count, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let (waiter, served) = state.withLock { state -> (Waiter?, [Waiter]) in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return (nil, [])
                }
                // It may have been what held up those behind it.
                return (state.waiters.remove(at: index), Self.serve(&state))
            }
            waiter?.continuation.resume(throwing: CancellationError())
            served.forEach { $0.continuation.resume() }
        }
        _ = state.withLock { $0.cancelled.remove(id) }
    }

    private func release(_ count: Int) {
        let served = state.withLock { state in
            state.free += count
            return Self.serve(&state)
        }
        served.forEach { $0.continuation.resume() }
    }

    private static func serve(_ state: inout State) -> [Waiter] {
        var served: [Waiter] = []
        while let first = state.waiters.first, state.free >= first.bytes {
            state.free -= first.bytes
            served.append(state.waiters.removeFirst())
        }
        return served
    }
}
