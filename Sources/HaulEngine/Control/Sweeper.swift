import HaulModel
import HaulStore

/// Does what is wanted of whole jobs, a piece of each in turn: cancels, deadlines, retries; and what their times want:
/// deadlines, how long they may take, when they are to be gone.
struct Sweeper: Duty {
    let engine: Engine
    let name = "sweep"
    let period = 1.0
    var bell: Bell { engine.sweepBell }

    func run() async throws -> Bool {
        var didSome = false
        var failure: (any Error)?
        for part in [expireAll, stopOvertime, destroyAll, sweepAll] {
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
        // It may have ended, been cancelled or got another deadline.
        try await begin(.expire, ofJob: job) { state, now in
            guard !state.isEnded, state.intent?.shuts != true, let deadline = state.job.deadline else { return false }
            return deadline <= now
        }
    }

    /// Cancels the jobs that took longer than they may.
    private func stopOvertime() async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        let now = engine.world.now()
        return try await round(from: (time: Int.min, id: 0)) { after in
            try await engine.store.read { try $0.overtimeJobs(now: now, after: after, limit: limit) }
        } place: {
            $0
        } work: { job in
            try await begin(.cancel, ofJob: job.id) { state, now in
                guard !state.isEnded, state.intent?.shuts != true else { return false }
                return JobMachine.mustEnd(state.job).map { $0 <= now } ?? false
            }
        }
    }

    /// Removes the jobs whose time of destruction has come: hidden at once, gone when nothing of them runs.
    private func destroyAll() async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        let now = engine.world.now()
        return try await round(from: (time: Int.min, id: 0)) { after in
            try await engine.store.read { try $0.jobsToDestroy(now: now, after: after, limit: limit) }
        } place: {
            $0
        } work: { job in
            try await begin(.destroy, ofJob: job.id) { state, now in
                state.intent != .destroy && state.job.destruction.map { $0 <= now } ?? false
            }
        }
    }

    /// Notes what is wanted of a job, with the first piece of it, if that still holds.
    private func begin(
        _ intent: JobIntent, ofJob job: Int, if holds: @escaping @Sendable (JobState, Timestamp) -> Bool
    ) async throws {
        try await engine.transact(elements: engine.configuration.dutyPiece) { [engine] writer, ledger in
            guard let state = try writer.reader.jobState(job), holds(state, ledger.now) else { return }
            try ledger.intend(intent, ofJob: job)
            try engine.sweep(job, writer, ledger)
        }
    }
}
