import HaulModel
import HaulStore

/// Takes back what was popped from a queue whose leases end, and removes what is left in queues that were removed.
struct PopRescuer: Duty {
    let engine: Engine
    let name = "pops"
    let period = 1.0
    let bell = Bell()

    func run() async throws -> Bool {
        var didSome = false
        var failure: (any Error)?
        for part in [takeBackEnded, emptyRemoved] {
            do { if try await part() { didSome = true } } catch { failure = error }
        }
        if !didSome, let failure { throw failure }
        return didSome
    }

    private func takeBackEnded() async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        let now = engine.world.now()
        return try await round(from: nil as EndedPop?) { after in
            try await engine.store.read { try $0.endedPops(now: now, after: after, limit: limit) }
        } place: {
            $0
        } work: { pop in
            try await engine.transact { writer, ledger in
                // It may have been reported, popped again, or kept for longer.
                guard let attempt = try writer.reader.attempt(pop.id), attempt.ended == nil,
                    try writer.reader.popEnds(pop.id).map({ $0 <= ledger.now }) ?? false,
                    let element = try writer.reader.element(pop.id.elementID, ofJob: pop.id.jobID),
                    let decision = try ledger.apply(.lost, to: element)
                else { return }
                try Engine.end(decision, .lost, reason: "who popped it said nothing for too long", writer, ledger.now)
            }
        }
    }

    private func emptyRemoved() async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        return try await round(from: DoomedQueue.Place.start) { after in
            try await engine.store.read { try $0.doomedQueues(ofUser: nil, after: after, limit: limit) }
        } place: {
            $0.place
        } work: {
            try await engine.empty($0)
        }
    }
}
