import HaulModel
import HaulProtocol
import Synchronization

/// Moves a large file between two servers, a piece after the other, two on their way at a time.
struct LargeFile: Sendable {
    let move: CopyMove<RemoteEnd, RemoteEnd>
    let lane: Lane

    func run() async throws {
        let size = move.facts.size
        let hasParts = move.source.features.movesParts && move.target.features.movesParts
        guard hasParts, size > ThirdParty.piece else { return try await whole() }
        let start = Self.start(move.offset)
        if start > 0 { move.report.log("the bytes from \(start) on are moved again or for the first time") }
        move.report.progress(transferred: start, total: size)
        let moved = Mutex([Int: Int]())
        try await withThrowingTaskGroup(of: Void.self) { group in
            var offset = start
            var running = 0
            while offset < size || running > 0 {
                while offset < size, running < 2 {
                    let (from, count) = (offset, min(ThirdParty.piece, size - offset))
                    let job = job(from, count) { bytes in
                        let total = moved.withLock { moved in
                            moved[from] = min(count, bytes)
                            return moved.values.reduce(start, +)
                        }
                        move.report.progress(transferred: total, total: size)
                    }
                    group.addTask { try await lane.run(job) }
                    offset += count
                    running += 1
                    // The next one is sent behind this one.
                    await Task.yield()
                }
                try await group.next()
                running -= 1
            }
        }
    }

    /// The first byte of the piece that was on its way when a part of that size broke off. Pieces come one after the
    /// other, so all before it is there.
    static func start(_ existing: Int) -> Int {
        existing <= 0 ? 0 : (existing - 1) / ThirdParty.piece * ThirdParty.piece
    }

    private func whole() async throws {
        var job = LaneJob(
            retrieve: "RETR \(move.source.path.absolute)", store: "STOR \(move.target.path.absolute)",
            bytes: move.facts.size, source: move.source.shown, target: move.target.shown)
        job.onBytes = { [move] in move.report.progress(transferred: min($0, move.facts.size), total: move.facts.size) }
        try await lane.run(job)
    }

    private func job(_ offset: Int, _ count: Int, _ told: @escaping @Sendable (Int) -> Void) -> LaneJob {
        LaneJob(
            retrieve: "ERET P \(offset) \(count) \(move.source.path.absolute)",
            store: "ESTO A \(offset) \(move.target.path.absolute)", bytes: count, source: move.source.shown,
            target: move.target.shown, onBytes: told)
    }
}
