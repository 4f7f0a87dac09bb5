import HaulModel
import HaulStore

/// Does what is wanted of whole jobs, a piece of each in turn: cancels, deadlines, retries.
struct Sweeper: Duty {
    let engine: Engine
    let name = "sweep"
    let period = 1.0
    var bell: Bell { engine.sweepBell }

    func run() async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        let now = engine.world.now()
        let overdue = try await engine.store.read { try $0.overdueJobs(now: now, limit: limit) }
        if !overdue.isEmpty { try await expire(overdue) }
        var after = 0
        var didSome = !overdue.isEmpty
        while true {
            let jobs = try await engine.store.read { [after] in try $0.jobsToSweep(after: after, limit: limit) }
            guard let last = jobs.last else { return didSome }
            for job in jobs {
                try await engine.transact(elements: limit) { [engine] writer, ledger in
                    try engine.sweep(job, writer, ledger)
                }
            }
            didSome = true
            after = last
        }
    }

    private func expire(_ jobs: [Int]) async throws {
        try await engine.transact(elements: jobs.count) { writer, ledger in
            for job in jobs {
                // It may have ended, been cancelled or got another deadline.
                let state = try ledger.state(job)
                guard !state.isEnded, state.intent?.shuts != true, let deadline = state.job.deadline,
                    deadline <= ledger.now
                else { continue }
                try ledger.intend(.expire, ofJob: job)
            }
        }
    }
}
