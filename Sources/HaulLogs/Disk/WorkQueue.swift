import Dispatch

/// A serial queue for blocking calls, which must not run on Swift's cooperative pool.
struct WorkQueue: Sendable {
    private let queue: DispatchQueue

    init(_ name: String) { queue = DispatchQueue(label: "haul.logs." + name) }

    func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(LogError) -> Value
    ) async throws(LogError) -> Value {
        let result: Result<Value, LogError> = await withCheckedContinuation { waiting in
            queue.async {
                do throws(LogError) {
                    waiting.resume(returning: .success(try work()))
                } catch {
                    waiting.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    func start(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }
}

/// A few serial queues: work of one job stays in order, work of others need not wait for it.
struct WorkQueues: Sendable {
    private let queues: [WorkQueue]

    init(_ name: String, count: Int) { queues = (0..<count).map { WorkQueue("\(name)-\($0)") } }

    subscript(logUID: String) -> WorkQueue { queues[number(of: logUID)] }

    /// Items by the queues of their jobs.
    func grouped<Item>(_ items: [Item], by logUID: (Item) -> String) -> [(queue: WorkQueue, items: [Item])] {
        Dictionary(grouping: items) { number(of: logUID($0)) }.map { (queues[$0.key], $0.value) }
    }

    private func number(of logUID: String) -> Int {
        var hasher = Hasher()
        hasher.combine(logUID)
        return Int(UInt(bitPattern: hasher.finalize()) % UInt(queues.count))
    }
}
