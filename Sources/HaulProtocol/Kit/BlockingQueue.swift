import Foundation

/// Runs blocking calls (disk, pipes, waits) on threads of its own, never on those that Swift's tasks share.
public struct BlockingQueue: Sendable {
    private let queue: DispatchQueue

    /// - Parameter serial: One call at a time, in order; otherwise as many as are asked for.
    public init(label: String, serial: Bool = false) {
        queue = DispatchQueue(label: label, attributes: serial ? [] : .concurrent)
    }

    /// Runs `work` and returns what it returns or throws. Cancelling the task does not end `work`: long ones ask
    /// ``ElementReport/isCancelled``.
    public func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: work)) }
        }
    }
}
