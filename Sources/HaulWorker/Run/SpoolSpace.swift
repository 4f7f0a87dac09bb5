/// How much file data may be in transit on this worker, over all batches: who would go past it waits for its turn.
///
/// It also knows the folders in which that data stands, one an element, the same for each attempt at it: what an attempt
/// that failed has got so far is kept for the next one, until somebody needs the room.
actor SpoolSpace {
    /// Removes a folder with all in it.
    typealias Discard = @Sendable (String) async -> Void

    let capacity: Int
    private let discard: Discard
    private var used = 0
    private var queue: [(bytes: Int, id: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    private var nextID = 0
    /// Folders that somebody works in.
    private var busy: Set<String> = []
    /// Folders that wait for a next attempt, the oldest first.
    private var kept: [(folder: String, bytes: Int)] = []
    private var isEvicting = false

    /// Bytes that nobody holds, and how many wait for some.
    var free: Int { capacity - used }
    var waitingCount: Int { queue.count }
    /// Folders that wait for a next attempt.
    var keptFolders: [String] { kept.map(\.folder) }

    init(capacity: Int, discard: @escaping Discard = { _ in }) {
        self.capacity = capacity
        self.discard = discard
    }

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
                serve()
            }
        } onCancel: {
            Task { await self.leave(id) }
        }
    }

    /// Takes more for what turned out larger than it was said to be, without waiting for others; false where there is none.
    func grow(by bytes: Int) async -> Bool {
        while used + bytes > capacity, !kept.isEmpty { await evictOldest() }
        guard used + bytes <= capacity else { return false }
        used += bytes
        return true
    }

    func give(_ bytes: Int) {
        used -= bytes
        serve()
    }

    /// Takes a folder, with what an earlier attempt left in it; false where somebody works in it.
    func enter(_ folder: String) -> Bool {
        guard busy.insert(folder).inserted else { return false }
        if let index = kept.firstIndex(where: { $0.folder == folder }) {
            used -= kept.remove(at: index).bytes
            serve()
        }
        return true
    }

    /// Gives a folder back: with `bytes` in it for a next attempt it is kept while there is room, else it goes.
    func leave(_ folder: String, keeping bytes: Int) async {
        if bytes > 0, used + bytes <= capacity {
            used += bytes
            kept.append((folder, bytes))
        } else {
            await discard(folder)
        }
        busy.remove(folder)
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
        guard !queue.isEmpty, !kept.isEmpty, !isEvicting else { return }
        isEvicting = true
        Task {
            await evictOldest()
            isEvicting = false
            serve()
        }
    }

    private func evictOldest() async {
        guard !kept.isEmpty else { return }
        let oldest = kept.removeFirst()
        busy.insert(oldest.folder)
        await discard(oldest.folder)
        busy.remove(oldest.folder)
        used -= oldest.bytes
    }
}
