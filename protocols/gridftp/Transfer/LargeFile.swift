import HaulModel
import HaulProtocol
import Synchronization

/// Moves a large file between two servers, a piece after the other, two on their way at a time.
struct LargeFile: Sendable {
    let move: CopyMove<RemoteEnd, RemoteEnd>
    let lane: Lane
    /// Is told of bytes that have arrived since it was told last.
    let count: @Sendable (Int) -> Void

    /// Pieces that are on their way at a time.
    static let atOnce = 2

    /// Whether it goes in pieces, where it is longer than one.
    static func hasParts(_ move: CopyMove<RemoteEnd, RemoteEnd>) -> Bool {
        move.source.features.movesParts && move.target.features.movesParts
    }

    func run() async throws {
        let size = move.facts.size
        guard Self.hasParts(move), size > ThirdParty.piece else { return try await whole() }
        let start = Self.start(move.offset)
        if start > 0 { move.report.log("the bytes from \(start) on are moved again or for the first time") }
        move.report.progress(transferred: start, total: size)
        // What is no beginning must not look like one to the next attempt.
        if start == 0, try await move.target.facts(follow: false) != nil { try await move.target.discard() }
        let moved = Mutex([Int: Int]())
        try await withThrowingTaskGroup(of: Void.self) { group in
            var offset = start
            var running = 0
            while offset < size || running > 0 {
                while offset < size, running < Self.atOnce {
                    let (from, length) = (offset, min(ThirdParty.piece, size - offset))
                    let job = job(from, length) { bytes in
                        let (total, new) = moved.withLock { moved in
                            let new = min(length, bytes) - (moved[from] ?? 0)
                            moved[from] = min(length, bytes)
                            return (moved.values.reduce(start, +), new)
                        }
                        count(new)
                        move.report.progress(transferred: total, total: size)
                    }
                    // In this order at the servers, too: a later attempt relies on it.
                    let id = try lane.begin(job)
                    group.addTask { try await lane.wait(for: id) }
                    offset += length
                    running += 1
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
        var job = LaneJob(whole: move)
        let seen = Mutex(0)
        job.onBytes = { [move, count] bytes in
            let new = seen.withLock { seen in
                defer { seen = bytes }
                return bytes - seen
            }
            count(new)
            move.report.progress(transferred: min(bytes, move.facts.size), total: move.facts.size)
        }
        try await lane.run(job)
    }

    private func job(_ offset: Int, _ count: Int, _ told: @escaping @Sendable (Int) -> Void) -> LaneJob {
        LaneJob(
            retrieve: "ERET P \(offset) \(count) \(move.source.path.absolute)",
            store: "ESTO A \(offset) \(move.target.path.absolute)", bytes: count, source: move.source.shown,
            target: move.target.shown, onBytes: told)
    }
}

extension LaneJob {
    /// A file as a whole.
    /// - Parameter settles: What arrived gets its source's time in the same journey.
    init(whole move: CopyMove<RemoteEnd, RemoteEnd>, settles: Bool = false) {
        self.init(
            retrieve: "RETR \(move.source.path.absolute)", store: "STOR \(move.target.path.absolute)",
            after: settles ? move.target.settling(move.facts) : [], bytes: move.facts.size,
            source: move.source.shown, target: move.target.shown)
    }
}
