import Foundation

/// On what threads a backend's elements run.
public enum BackendThreads: Sendable {
    /// On those that all of Swift's tasks share.
    case shared
    /// On one: for backends whose elements wait for the same few connections, and do little else. What comes in with one
    /// read is worked off before anything is written, so that their requests leave together.
    case loop
    /// On the one thread of a loop of the backend's own, which moves its bytes there, too. What may block belongs elsewhere.
    case own(any TaskExecutor)

    /// What the element at hand runs on; nil for the shared ones.
    @TaskLocal private static var current: (any TaskExecutor)?

    /// Runs an element.
    func run(_ element: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        let executor = executor
        return Task(executorPreference: executor) {
            await Self.$current.withValue(executor) { await element() }
        }
    }

    /// A step that either happens or does not: a cancel comes before it or after it.
    static func uncancelled<Value: Sendable>(_ step: @escaping @Sendable () async throws -> Value) async throws -> Value
    {
        try Task.checkCancellation()
        return try await Task(executorPreference: current) { try await step() }.value
    }

    private var executor: (any TaskExecutor)? {
        switch self {
        case .shared: nil
        case .loop: EventLoop.shared
        case .own(let executor): executor
        }
    }
}

/// One thread on which tasks and pipes take turns.
public final class EventLoop: TaskExecutor {
    public static let shared = EventLoop()

    let queue = DispatchQueue(label: "haul.loop")
    /// What is read on the queue is read in here first: a large piece of memory for each read costs more than the read.
    /// Only the queue uses it, so one at a time does.
    nonisolated(unsafe) let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)

    private init() {}

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
