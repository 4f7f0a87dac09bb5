import Foundation
import HaulLogs
import HaulModel
import Synchronization

/// Gives the elements of REMOVE jobs deepest first. A listing that fits in one piece is sorted in memory; the elements of
/// a longer one are first spilled to disk by depth, a stretch in each of the job's turns.
///
/// What was spilled when the process ends is spilled anew, and so it is on each server that takes a turn.
final class RemovalSorts: Sendable {
    /// Where the spilling of a listing stands.
    private struct Progress {
        var spill: DepthSpill
        var expansion = Expansion()
        var offset = 0
    }

    private let engine: Engine
    private let unfinished = Mutex<[Int: Progress]>([:])
    /// Jobs whose place is remembered; those of jobs that were cancelled meanwhile are among them. When there are more,
    /// all is forgotten: who still needs it spills anew.
    private static let most = 1000
    /// Pieces of a listing that are spilled in one turn.
    private static let stretch = 10

    init(engine: Engine) { self.engine = engine }

    /// The next elements of a job; nil while its listing is still being sorted.
    func piece(of job: Job, _ state: ExpansionState) async throws -> ExpansionPiece? {
        let limit = engine.configuration.expansionPiece
        if let progress = unfinished.withLock({ $0[job.id] }) { return try await goOn(progress, of: job, state) }
        let spill = engine.logs.spill(job.logUID)
        if try await spill.isSealed() { return try await spilled(spill, state) }
        // Another server may have begun: what it sorted is its own, and the same, line by line.
        guard state.depth == nil else { return try await goOn(Progress(spill: spill), of: job, state) }
        var expansion = Expansion()
        let first = try await engine.expandedListing(of: job, state).next(from: 0, limit: limit)
        guard first.isEnd else { return try await goOn(Progress(spill: spill), of: job, state) }
        let seeds = first.lines.flatMap { expansion.elements(for: $0, of: job) } + expansion.finish(job)
        let order = seeds.indices.sorted { (-seeds[$0].depth, $0) < (-seeds[$1].depth, $1) }
        return ExpansionPiece(seeds: order.map { seeds[$0] }, next: nil)
    }

    /// Drops what a job was sorted by, once all its elements are there.
    func finish(_ job: Job) async throws {
        guard job.type == .remove else { return }
        forget(job.id)
        try await engine.logs.spill(job.logUID).remove()
    }

    func forget(_ job: Int) { unfinished.withLock { $0[job] = nil } }

    private func goOn(_ from: Progress, of job: Job, _ state: ExpansionState) async throws -> ExpansionPiece? {
        forget(job.id)
        var progress = from
        let reader = try await engine.expandedListing(of: job, state)
        let encoder = JSONEncoder()
        // The same on every server: another may go on at an offset of this one.
        encoder.outputFormatting = .sortedKeys
        for _ in 0..<Self.stretch {
            let read = try await reader.next(from: progress.offset, limit: engine.configuration.expansionPiece)
            var seeds = read.lines.flatMap { progress.expansion.elements(for: $0, of: job) }
            if read.isEnd { seeds += progress.expansion.finish(job) }
            for seed in seeds {
                try await progress.spill.append(depth: seed.depth, line: Array(encoder.encode(seed)))
            }
            progress.offset = read.offset
            if read.isEnd {
                try await progress.spill.seal()
                return nil
            }
        }
        // Between two turns nothing is kept but where it stands.
        try await progress.spill.flush()
        unfinished.withLock { unfinished in
            if unfinished.count >= Self.most { unfinished.removeAll() }
            unfinished[job.id] = progress
        }
        return nil
    }

    private func spilled(_ spill: DepthSpill, _ state: ExpansionState) async throws -> ExpansionPiece {
        let depths = try await spill.depths().sorted(by: >)
        guard let depth = state.depth ?? depths.first else { return ExpansionPiece(seeds: [], next: nil) }
        let read = try await spill.read(depth, from: state.offset, limit: engine.configuration.expansionPiece)
        let decoder = JSONDecoder()
        let seeds = try read.lines.map { try decoder.decode(ElementSeed.self, from: Data($0)) }
        var next = state
        next.depth = depth
        next.offset = read.offset
        if read.isEnd {
            guard let deeper = depths.first(where: { $0 < depth }) else {
                return ExpansionPiece(seeds: seeds, next: nil)
            }
            next.depth = deeper
            next.offset = 0
        }
        return ExpansionPiece(seeds: seeds, next: next)
    }
}
