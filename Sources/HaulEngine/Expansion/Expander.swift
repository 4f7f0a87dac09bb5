import HaulLogs
import HaulModel
import HaulStore
import Synchronization

/// Turns the listings of COPY, REMOVE and RENAME jobs into elements, a piece of each job in turn, so that a large one
/// holds up no other. A piece and the place where the next begins are one transaction: a crash repeats nothing.
final class Expander: Duty {
    let engine: Engine
    let name = "expand"
    let period = 5.0
    var bell: Bell { engine.expansionBell }
    /// Jobs whose pieces are done at the same time.
    private let width: Int
    /// Jobs that are looked at to find so many: the others had a setback a moment ago.
    private static let look = 256
    private let sorts: RemovalSorts
    private let setbacks = Setbacks()
    private let rounds = Mutex(Rounds())

    init(engine: Engine, width: Int = 8) {
        self.engine = engine
        self.width = width
        sorts = RemovalSorts(engine: engine)
    }

    func run() async throws -> Bool {
        let heard = bell.rings
        let after = rounds.withLock { rounds in
            rounds.begin(rings: heard)
            return rounds.last
        }
        let jobs = try await engine.store.read { try $0.expandingJobs(after: after, limit: Self.look) }
        let due = Array(setbacks.due(jobs, now: engine.world.now()).prefix(width))
        let failures = try await pieces(of: due)
        // After the last job it is the first one's turn again.
        let last = due.count == width ? due.last : jobs.count == Self.look ? jobs.last : nil
        let hasMore = rounds.withLock { rounds in
            rounds.end(last: last, didSome: failures.count < due.count, rings: bell.rings)
        }
        guard failures.isEmpty else {
            // Told of, and no reason to wait with what else there is.
            if hasMore { bell.ring() }
            throw FailedTurns(failures: failures)
        }
        return hasMore
    }

    /// A piece of each job, at the same time; what fails of one is none of the others' business.
    private func pieces(of jobs: [Int]) async throws -> [(job: Int, cause: any Error)] {
        let outcomes = await withTaskGroup(of: (job: Int, cause: (any Error)?).self) { group in
            for job in jobs {
                group.addTask {
                    do { try await self.piece(of: job) } catch { return (job, error) }
                    return (job, nil)
                }
            }
            return await group.reduce(into: [(job: Int, cause: (any Error)?)]()) { $0.append($1) }
        }
        var failures: [(job: Int, cause: any Error)] = []
        for (job, cause) in outcomes.sorted(by: { $0.job < $1.job }) {
            guard let cause else {
                setbacks.forget(job)
                continue
            }
            if Setbacks.concernsAll(cause) { throw cause }
            setbacks.note(job, now: engine.world.now())
            failures.append((job, cause))
        }
        return failures
    }

    private func piece(of job: Int) async throws {
        do { try await expand(job) } catch let error as LogError where error.isLoss {
            // What is lost stays lost: the job must not wait for it, nor the others for the job.
            try await abandon(job, because: "its listing can't be read any more: \(error)")
        }
    }

    /// Ends an expansion that can't go on with an element that says why: the job fails.
    private func abandon(_ id: Int, because reason: String) async throws {
        try await engine.transact { writer, ledger in
            guard let state = try ledger.known(id), let text = state.expansion else { return }
            let element = ElementMachine.lostExpansion(
                of: state.job, number: try ExpansionState(text: text).nextElement, reason: reason, now: ledger.now)
            try writer.insertElement(element)
            try ledger.endExpansion(with: element)
        }
        sorts.forget(id)
    }

    private func expand(_ id: Int) async throws {
        guard let stored = try await engine.store.read({ try $0.jobState(id) }), let text = stored.expansion else {
            return
        }
        let state = try ExpansionState(text: text)
        let found =
            stored.job.type == .remove
            ? try await sorts.piece(of: stored.job, state) : try await listedPiece(of: stored.job, state)
        guard let piece = found else { return }
        try await engine.transact(elements: piece.seeds.count) { writer, ledger in
            // Another server, or this one before a restart, may have done this piece.
            guard try ledger.known(id)?.expansion == text else { return }
            var next = piece.next
            var ready = 0
            var depths: [Int: Int] = [:]
            let first = state.nextElement
            var elements: [Element] = []
            elements.reserveCapacity(piece.seeds.count)
            for (number, seed) in piece.seeds.enumerated() {
                guard let type = seed.jobType else { continue }
                elements.append(
                    Element(
                        jobID: id, id: first + number, type: type, phase: seed.isHeld ? .held : .ready,
                        sourcePath: seed.source, destinationPath: seed.destination, size: seed.size, depth: seed.depth,
                        maxTries: stored.job.maxTries, changed: ledger.now))
                if !seed.isHeld { ready += 1 }
                if stored.job.type == .remove { depths[seed.depth, default: 0] += 1 }
            }
            try writer.insertElements(elements)
            for (depth, count) in depths { try writer.addOpen(count, ofJob: id, depth: depth) }
            next?.nextElement = first + piece.seeds.count
            try ledger.add(new: piece.seeds.count, ready: ready, toJob: id, expansion: next?.text)
        }
        if piece.next == nil { try await sorts.finish(stored.job) }
    }

    private func listedPiece(of job: Job, _ state: ExpansionState) async throws -> ExpansionPiece {
        var next = state
        let read = try await engine.expandedListing(of: job, state)
            .next(from: state.offset, limit: engine.configuration.expansionPiece)
        var seeds = read.lines.flatMap { next.expansion.elements(for: $0, of: job) }
        next.offset = read.offset
        if read.isEnd { seeds += next.expansion.finish(job) }
        return ExpansionPiece(seeds: seeds, next: read.isEnd ? nil : next)
    }
}
