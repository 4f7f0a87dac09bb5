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
    try await together(bodies.map { body in { try await store.write(body) } }, at: store) {
        store.writes.waitingCount == bodies.count
    }
}

/// Does all at once, behind a transaction that does not end before they wait.
///
/// - Parameter areWaiting: true once they do.
/// - Returns: what each ended with; nil is an acknowledgement.
func together(
    _ all: [@Sendable () async throws -> Void], at store: Store, areWaiting: @escaping @Sendable () -> Bool
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
    let results = all.map { one in
        Task { () -> (any Error)? in
            do { try await one() } catch { return error }
            return nil
        }
    }
    // Who came late would make a group of its own.
    try await eventually("all wait behind the holder") { areWaiting() }
    gate.signal()
    // How it ended is not what was asked for.
    _ = await holder.result
    var errors: [(any Error)?] = []
    for result in results { errors.append(await result.value) }
    return errors
}
