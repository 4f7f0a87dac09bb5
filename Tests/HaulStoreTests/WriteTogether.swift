import Dispatch
import Support
import Testing

@testable import HaulStore

/// Writes that wait at the same time, so that they make one group.
///
/// - Returns: what each ended with; nil is an acknowledgement.
func writeTogether(
    _ store: Store, _ bodies: [@Sendable (StoreWriter) throws -> Void]
) async throws -> [(any Error)?] {
    let gate = DispatchSemaphore(value: 0)
    let started = DispatchSemaphore(value: 0)
    let holder = Task {
        try await store.write { _ in
            started.signal()
            gate.wait()
        }
    }
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
            started.wait()
            continuation.resume()
        }
    }
    let results = bodies.map { body in
        Task { () -> (any Error)? in
            do { try await store.write(body) } catch { return error }
            return nil
        }
    }
    // Who came late would make a group of its own.
    try await eventually("all wait behind the holder") { store.writes.waitingCount == bodies.count }
    gate.signal()
    try await holder.value
    var errors: [(any Error)?] = []
    for result in results { errors.append(await result.value) }
    return errors
}
