import HaulLogs
import Synchronization

@testable import HaulEngine
@testable import HaulStore

/// The disk of a simulated server, which may be full for a while, and over which the server may die: then what is done in
/// a step meets one fate.
///
/// Several pieces of one step may be under way at once, in no certain order. A fate that all of them meet is the same in
/// every run; one that only the n-th statement meets is for steps of one transaction after the other.
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
        /// The server dies after so many statements that change something, or commit it.
        case dies(after: Int)
        /// It dies after so many commits and one more: that is on disk, and nobody hears of it.
        case diesUnheard(after: Int)
    }

    fileprivate struct State {
        var fate = Fate.room
        var statements = 0
        var commits = 0
        var isDead = false
        /// It was full at any time of this step.
        var wasFull = false
        /// The transaction has a statement that the mutation is about, and its commit was refused.
        var isConcerned = false
        var isCommitRefused = false
    }

    private let state = Mutex(State())
    private let mutation: Mutation?

    init(_ mutation: Mutation?) { self.mutation = mutation }

    /// What the step that begins meets.
    func begin(_ fate: Fate) {
        state.withLock { state in
            if !state.isDead { state = State() }
        }
        meet(fate)
    }

    /// What the rest of the step meets. Whoever is dead meets nothing any more.
    func meet(_ fate: Fate) {
        state.withLock { state in
            guard !state.isDead else { return }
            (state.fate, state.statements, state.commits) = (fate, 0, 0)
            if state.isFull { state.wasFull = true }
        }
    }

    /// The server is started again.
    func revive() { state.withLock { $0 = State() } }

    /// The server died: nothing of it reaches the disk any more, and nobody hears of it.
    var isDead: Bool { state.withLock { $0.isDead } }

    /// A statement as it is run, with the mutation's fault in it.
    func statement(_ sql: String) throws -> String {
        let text = mutated(sql)
        // A fault in the store itself: it hears nothing of the disk.
        if text != sql, mutation?.whileFull == true { return text }
        let isRefused = state.withLock { state in
            let isRefused = state.refuses(sql)
            if isRefused, sql == "COMMIT" { state.isCommitRefused = true }
            return isRefused
        }
        if isRefused { throw StoreError.unavailable("the simulated disk is full, or its server dead") }
        return text
    }

    private func mutated(_ sql: String) -> String {
        guard let mutation else { return sql }
        return state.withLock { state in
            if sql == "BEGIN IMMEDIATE" { (state.isConcerned, state.isCommitRefused) = (false, false) }
            if let part = mutation.transaction, sql.contains(part) { state.isConcerned = true }
            if mutation.transaction != nil, !(state.isConcerned && state.isCommitRefused) { return sql }
            return mutation.rewrite(sql, isFull: state.isFull)
        }
    }

    /// Called once a transaction is on disk, before anybody hears of it.
    func committed() throws {
        let isDead = state.withLock { state in
            state.commits += 1
            if case .diesUnheard(let count) = state.fate, state.commits > count { state.isDead = true }
            return state.isDead
        }
        if isDead { throw StoreError.unavailable("the simulated server died") }
    }

    /// How many of so many bytes of a log it takes.
    func room(_ wanted: Int) -> Int {
        state.withLock { state in
            if state.isDead { return 0 }
            switch state.fate {
            case .room, .noCommit, .noStatement, .dies, .diesUnheard: return wanted
            case .noLog(let permille): return wanted * permille / 1000
            case .nothing: return 0
            }
        }
    }

    /// True for what a full disk is answered with, where it was full in this step.
    func explains(_ error: any Error) -> Bool {
        guard state.withLock({ $0.wasFull }) else { return false }
        switch error {
        case StoreError.unavailable: return true
        case let error as EngineError: return error.kind == .unavailable
        // What duties meet; others hear it from the engine.
        case LogError.full: return true
        default: return false
        }
    }
}

extension SimulatedDisk.State {
    fileprivate var isFull: Bool {
        switch fate {
        case .noCommit, .noStatement, .noLog, .nothing: true
        case .room, .dies, .diesUnheard: false
        }
    }

    /// Whether a statement comes to nothing.
    fileprivate mutating func refuses(_ sql: String) -> Bool {
        // The end of its connection takes back what a dead server has begun.
        if isDead { return !sql.hasPrefix("ROLLBACK") }
        let changes = ["INSERT", "UPDATE", "DELETE"].contains(where: sql.hasPrefix)
        switch fate {
        case .room, .noLog, .diesUnheard: return false
        case .noCommit, .nothing: return sql == "COMMIT"
        case .noStatement(let count):
            guard changes else { return false }
            statements += 1
            return statements > count
        case .dies(let count):
            guard changes || sql == "COMMIT" else { return false }
            statements += 1
            isDead = statements > count
            return isDead
        }
    }
}
