import HaulLogs
import Synchronization

@testable import HaulEngine
@testable import HaulStore

/// The disk of the simulated server, which may be full for a while: then what is done in a step meets one fate.
///
/// Several pieces of one step may be under way at once, in no certain order. A fate that all of them meet is the same in
/// every run; one that only the n-th statement meets is for steps of one transaction.
final class SimulatedDisk: Sendable {
    /// What the disk does to one step.
    enum Fate: Sendable, Hashable {
        case room
        /// No transaction is committed: a whole group is lost at the last moment.
        case noCommit
        /// After so many statements that change something there is no room for the next one.
        case noStatement(after: Int)
        /// Of each write to a log or a listing only so many bytes in a thousand fit.
        case noLog(permille: Int)
        /// Neither log nor commit.
        case nothing
    }

    private struct State {
        var fate = Fate.room
        var statements = 0
    }

    private let state = Mutex(State())
    private let mutation: Mutation?

    init(_ mutation: Mutation?) { self.mutation = mutation }

    /// What the step that comes meets.
    func meet(_ fate: Fate) { state.withLock { $0 = State(fate: fate) } }

    /// True while a step may fail because of it.
    var isFull: Bool { state.withLock { $0.fate != .room } }

    /// A statement as it is run, with the mutation's fault in it.
    func statement(_ sql: String) throws -> String {
        let text = mutation?.rewrite(sql, isFull: isFull) ?? sql
        // A fault in the store itself: it hears nothing of the disk.
        if text != sql, mutation?.whileFull == true { return text }
        let isRefused = state.withLock { state in
            switch state.fate {
            case .room, .noLog: return false
            case .noCommit, .nothing: return sql == "COMMIT"
            case .noStatement(let count):
                guard ["INSERT", "UPDATE", "DELETE"].contains(where: sql.hasPrefix) else { return false }
                state.statements += 1
                return state.statements > count
            }
        }
        if isRefused { throw StoreError.unavailable("the simulated disk is full") }
        return text
    }

    /// How many of so many bytes of a log it takes.
    func room(_ wanted: Int) -> Int {
        switch state.withLock({ $0.fate }) {
        case .room, .noCommit, .noStatement: wanted
        case .noLog(let permille): wanted * permille / 1000
        case .nothing: 0
        }
    }

    /// True for what a full disk is answered with, while it is full.
    func explains(_ error: any Error) -> Bool {
        guard isFull else { return false }
        switch error {
        case StoreError.unavailable: return true
        case let error as EngineError: return error.kind == .unavailable
        // What duties meet; others hear it from the engine.
        case LogError.full: return true
        default: return false
        }
    }
}
