import HaulModel
import HaulStore

/// Does what is wanted of whole jobs, a piece of each in turn: cancels, deadlines, retries.
struct Sweeper: Duty {
    let engine: Engine
    let name = "sweep"
    let period = 1.0
    var bell: Bell { engine.sweepBell }

    func run() async throws -> Bool {
        var didSome = false
        var failure: (any Error)?
        for part in [expireAll, sweepAll] {
            do { if try await part() { didSome = true } } catch { failure = error }
        }
        if !didSome, let failure { throw failure }
        return didSome
    }

    /// A piece of each job of which something is wanted.
    private func sweepAll() async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        return try await round(from: 0) { after in
            try await engine.store.read { try $0.jobsToSweep(after: after, limit: limit) }
        } place: {
            $0
        } work: { job in
            try await engine.transact(elements: limit) { [engine] writer, ledger in
                try engine.sweep(job, writer, ledger)
            }
        }
    }

    /// The jobs whose deadline has come, the first piece of each at once.
    private func expireAll() async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        let now = engine.world.now()
        return try await round(from: (deadline: Int.min, id: 0)) { after in
            try await engine.store.read { try $0.overdueJobs(now: now, after: after, limit: limit) }
        } place: {
            $0
        } work: { job in
            try await expire(job.id)
        }
    }

    private func expire(_ job: Int) async throws {
        try await engine.transact(elements: engine.configuration.dutyPiece) { [engine] writer, ledger in
            // It may have ended, been cancelled or got another deadline.
            let state = try ledger.state(job)
            guard !state.isEnded, state.intent?.shuts != true, let deadline = state.job.deadline,
                deadline <= ledger.now
            else { return }
            try ledger.intend(.expire, ofJob: job)
            try engine.sweep(job, writer, ledger)
        }
    }
}
