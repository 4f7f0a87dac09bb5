import Foundation
import HaulLogs
import HaulModel
import HaulStore

/// Turns the listings of COPY, REMOVE and RENAME jobs into elements, a piece of each job in turn, so that a large one
/// holds up no other. A piece and the place where the next begins are one transaction: a crash repeats nothing.
struct Expander: Duty {
    let engine: Engine
    let name = "expand"
    let period = 5.0
    var bell: Bell { engine.expansionBell }

    func run() async throws -> Bool {
        let jobs = try await engine.store.read { try $0.expandingJobs() }
        for job in jobs {
            do { try await expand(job) } catch let error as LogError where error.isLoss {
                // What is lost stays lost: the job must not wait for it, nor the others for the job.
                try await abandon(job, because: "its listing can't be read any more: \(error)")
            }
        }
        return !jobs.isEmpty
    }

    /// Ends an expansion that can't go on with an element that says why: the job fails.
    private func abandon(_ id: Int, because reason: String) async throws {
        try await engine.transact { writer, ledger in
            let state = try ledger.state(id)
            guard let text = state.expansion else { return }
            let element = Element(
                jobID: id, id: try ExpansionState(text: text).nextElement, type: state.job.type, phase: .failed,
                sourcePath: state.job.source.path, destinationPath: state.job.destination?.path,
                maxTries: state.job.maxTries, errorClass: .backend, reason: reason, changed: ledger.now)
            try writer.insertElement(element)
            try ledger.endExpansion(with: element)
        }
    }

    private func expand(_ id: Int) async throws {
        guard let stored = try await engine.store.read({ try $0.jobState(id) }), let text = stored.expansion else {
            return
        }
        let state = try ExpansionState(text: text)
        let piece =
            stored.job.type == .remove
            ? try await sortedPiece(of: stored.job, state) : try await listedPiece(of: stored.job, state)
        try await engine.transact { writer, ledger in
            // Another server, or this one before a restart, may have done this piece.
            guard try ledger.state(id).expansion == text else { return }
            var next = piece.next
            var ready = 0
            var depths: [Int: Int] = [:]
            let first = state.nextElement
            for (number, seed) in piece.seeds.enumerated() {
                guard let type = seed.jobType else { continue }
                try writer.insertElement(
                    Element(
                        jobID: id, id: first + number, type: type, phase: seed.isHeld ? .held : .ready,
                        sourcePath: seed.source, destinationPath: seed.destination, size: seed.size, depth: seed.depth,
                        maxTries: stored.job.maxTries, changed: ledger.now))
                if !seed.isHeld { ready += 1 }
                if stored.job.type == .remove { depths[seed.depth, default: 0] += 1 }
            }
            for (depth, count) in depths { try writer.addOpen(count, ofJob: id, depth: depth) }
            next?.nextElement = first + piece.seeds.count
            try ledger.add(new: piece.seeds.count, ready: ready, toJob: id, expansion: next?.text)
        }
        if piece.next == nil, stored.job.type == .remove {
            try await engine.logs.spill(stored.job.logUID).remove()
        }
    }

    /// Elements, and the state after them: nil when they are the last.
    private struct Piece {
        var seeds: [ElementSeed]
        var next: ExpansionState?
    }

    private func key(_ job: Job, _ state: ExpansionState) -> AttemptKey {
        AttemptKey(logUID: job.logUID, element: 0, attempt: state.attempt)
    }

    private func listedPiece(of job: Job, _ state: ExpansionState) async throws -> Piece {
        var next = state
        let read = try await engine.logs.listing(key(job, state))
            .next(from: state.offset, limit: engine.configuration.expansionPiece)
        var seeds = read.lines.flatMap { next.expansion.elements(for: $0, of: job) }
        next.offset = read.offset
        if read.isEnd { seeds += next.expansion.finish(job) }
        return Piece(seeds: seeds, next: read.isEnd ? nil : next)
    }

    /// A REMOVE's elements are numbered deepest first: they are sorted by depth on disk before the first is inserted.
    private func sortedPiece(of job: Job, _ state: ExpansionState) async throws -> Piece {
        let spill = engine.logs.spill(job.logUID)
        if try await !spill.isSealed() { try await sort(job, state, into: spill) }
        let depths = try await spill.depths().sorted(by: >)
        guard let depth = state.depth ?? depths.first else { return Piece(seeds: [], next: nil) }
        let read = try await spill.read(depth, from: state.offset, limit: engine.configuration.expansionPiece)
        let decoder = JSONDecoder()
        let seeds = try read.lines.map { try decoder.decode(ElementSeed.self, from: Data($0)) }
        var next = state
        next.depth = depth
        next.offset = read.offset
        if read.isEnd {
            guard let deeper = depths.first(where: { $0 < depth }) else { return Piece(seeds: seeds, next: nil) }
            next.depth = deeper
            next.offset = 0
        }
        return Piece(seeds: seeds, next: next)
    }

    private func sort(_ job: Job, _ state: ExpansionState, into spill: DepthSpill) async throws {
        let reader = engine.logs.listing(key(job, state))
        let encoder = JSONEncoder()
        var expansion = Expansion()
        var offset = 0
        var isEnd = false
        while !isEnd {
            let read = try await reader.next(from: offset, limit: engine.configuration.expansionPiece)
            var seeds = read.lines.flatMap { expansion.elements(for: $0, of: job) }
            if read.isEnd { seeds += expansion.finish(job) }
            for seed in seeds { try await spill.append(depth: seed.depth, line: Array(encoder.encode(seed))) }
            offset = read.offset
            isEnd = read.isEnd
        }
        try await spill.seal()
    }
}
