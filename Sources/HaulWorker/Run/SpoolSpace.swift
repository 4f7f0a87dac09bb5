/// How much file data may be in transit on this worker, over all batches: who would go past it waits for its turn.
actor SpoolSpace {
    let capacity: Int
    private var used = 0
    private var queue: [(bytes: Int, id: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    private var nextID = 0

    /// Bytes that nobody holds, and how many wait for some.
    var free: Int { capacity - used }
    var waitingCount: Int { queue.count }

    init(capacity: Int) { self.capacity = capacity }

    /// Takes `bytes`, at most ``capacity``; false when the task was cancelled before there was room.
    func take(_ bytes: Int) async -> Bool {
        if queue.isEmpty, used + bytes <= capacity {
            used += bytes
            return true
        }
        nextID += 1
        let id = nextID
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { return continuation.resume(returning: false) }
                queue.append((bytes, id, continuation))
            }
        } onCancel: {
            Task { await self.leave(id) }
        }
    }

    func give(_ bytes: Int) {
        used -= bytes
        serve()
    }

    private func leave(_ id: Int) {
        guard let index = queue.firstIndex(where: { $0.id == id }) else { return }
        queue.remove(at: index).continuation.resume(returning: false)
        serve()
    }

    private func serve() {
        while let first = queue.first, used + first.bytes <= capacity {
            queue.removeFirst()
            used += first.bytes
            first.continuation.resume(returning: true)
        }
    }
}
