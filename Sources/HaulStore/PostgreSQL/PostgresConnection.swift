import CPostgreSQL

/// A connection to a PostgreSQL database. Used from one queue at a time.
///
/// What needs no answer of its own - the begin of a transaction, a savepoint - goes with the next statement, so that it
/// costs no journey.
final class PostgresConnection: StoreConnection {
    private typealias Step = PostgresPipeline.Step

    private let link: PostgresLink
    let pipeline: PostgresPipeline
    /// What does a statement for many sets of values at once; nil for what can't be done so.
    private var sets: [String: PostgresSet?] = [:]
    /// What goes before the next statement.
    private var pending: [Step] = []
    /// What was begun has an end to be said.
    private var needsEnd = false
    /// A transaction is begun, and nothing of it was answered yet: it can be begun anew on a new connection.
    private var isFresh = false
    /// What was to be done later failed: whose it was can't be told any more.
    private var isSpoiled = false
    /// What becomes of each statement before it is run, as it is when it is prepared; nil is nothing. What it throws is the
    /// statement's end.
    var rewriting: (@Sendable (String) throws -> String)? {
        get { pipeline.rewriting }
        set { pipeline.rewriting = newValue }
    }
    private let remembered = WriterMemory()

    /// Says who told the others something: what comes back to its own server is known there.
    private let sender: String

    /// - Parameters:
    ///   - isReadOnly: nothing is written on it, in whatever transaction.
    ///   - opens: at once; it is opened with its first use otherwise.
    init(
        url: String, name: String, sender: String = "", isReadOnly: Bool = false, opens: Bool = true,
        outage: PostgresOutage = PostgresOutage()
    ) throws(StoreError) {
        self.sender = sender
        link = PostgresLink(
            url: url, name: name, setup: Self.setup + (isReadOnly ? "; SET default_transaction_read_only = on" : ""),
            outage: outage)
        pipeline = PostgresPipeline(link)
        if opens { try link.open() }
    }

    /// A session of haul: commits are on disk; each statement walks an index, whatever the planner has not seen yet of a
    /// table that grows fast; who stops in the middle of a transaction does not keep all others from theirs.
    private static let setup = """
        SELECT set_config('synchronous_commit', 'on', false)
            WHERE current_setting('synchronous_commit') IN ('off', 'local');
        SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
        SET plan_cache_mode = force_generic_plan; SET jit = off; SET bytea_output = 'hex';
        SET idle_in_transaction_session_timeout = '15s'; SET lock_timeout = '20s'; SET client_min_messages = error
        """

    // MARK: Transactions

    /// One lock for all that write, of whichever server: haul's transactions are short and decide on what they read, so
    /// that they come one after the other as on SQLite. It ends with the transaction. Each statement sees what was
    /// committed before it, so that none sees what stood there before the lock was its.
    func beginWriting() throws {
        begin(["BEGIN ISOLATION LEVEL READ COMMITTED", "SELECT pg_advisory_xact_lock(7521962890172031340)"])
    }

    var isNear: Bool { false }

    func beginReading(isOneStatement: Bool) throws {
        begin(isOneStatement ? [] : ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"])
    }

    /// - Parameter texts: none where each statement is a transaction.
    private func begin(_ texts: [String]) {
        needsEnd = !texts.isEmpty
        pending = texts.map { Step(sql: $0, values: PostgresValues([]), isPrepared: false) }
        isFresh = true
        isSpoiled = false
    }

    var canGoOn: Bool { !isSpoiled && (isFresh || link.isInTransaction) }

    func commit(telling change: StoreChange) throws {
        try check()
        _ = try rewriting?("COMMIT")
        if isFresh, change.isNothing, !pending.contains(where: \.isPrepared) { return forget() }
        if !change.isNothing {
            pending.append(
                Step(
                    sql: """
                        WITH told AS (UPDATE changes SET number = number + 1 WHERE id = 1 RETURNING number)
                        SELECT pg_notify('\(PostgresListener.channel)', number || ' ' || CAST($1 AS TEXT) || ' ' || CAST($2 AS TEXT)) FROM told
                        """, values: PostgresValues([.text(sender), .text(change.text(most: 7000))])))
        }
        var isCommitted = false
        try perform([Step(sql: "COMMIT", values: PostgresValues([]), isPrepared: false)]) { _, result in
            // That of a transaction that had failed is answered with ROLLBACK, and no error.
            isCommitted = String(cString: PQcmdStatus(result)) == "COMMIT"
        }
        guard isCommitted else { throw StoreError.failed("a transaction that had failed was to be committed") }
    }

    func rollback() throws {
        remembered.forget()
        if isFresh || !needsEnd { return forget() }
        pending = []
        // How that went does not matter any more.
        try? drain()
        guard link.isOpen else { return }
        try perform([Step(sql: "ROLLBACK", values: PostgresValues([]), isPrepared: false)]) { _, _ in }
    }

    /// Takes the answers of all that came before: behind one that failed nothing would be done.
    private func drain() throws {
        if pipeline.aheadCount > 0 || !pending.isEmpty { try perform([]) { _, _ in } }
    }

    /// Nothing was sent: there is nothing to end.
    private func forget() {
        pending = []
        isFresh = false
    }

    // MARK: Statements

    /// What another server makes of queues and lanes stays as well; what was taken back, or may have been, is forgotten.
    var memory: WriterMemory? { remembered }

    @discardableResult
    func run(_ sql: String, _ values: [SQLValue], row: (any SQLRow) throws -> Void) throws -> Int {
        if values.isEmpty, Self.needNoAnswer.contains(sql) {
            pending.append(Step(sql: sql, values: PostgresValues([]), isPrepared: false))
            return 0
        }
        if sql == Self.undo {
            remembered.forget()
            // What is stale is taken back with the rest.
            do { try drain() } catch StoreError.stale {}
            try perform([Step(sql: sql, values: PostgresValues([]), isPrepared: false)]) { _, _ in }
            return 0
        }
        return try run(sql, batch: [values]) { _, columns in try row(columns) }[0]
    }

    func later(_ sql: String, batch: [[SQLValue]]) throws { try later(sql, batch, isEach: false) }

    func laterEach(_ sql: String, batch: [[SQLValue]]) throws { try later(sql, batch, isEach: true) }

    private func later(_ sql: String, _ batch: [[SQLValue]], isEach: Bool) throws {
        if let rewriting { for _ in batch { _ = try rewriting(sql) } }
        guard batch.count >= PostgresSet.least, let set = try set(of: sql) else {
            pending += batch.map { Step(sql: sql, values: PostgresValues($0), expected: isEach ? 1 : nil) }
            return pending.count < PostgresPipeline.length ? () : try sendAhead()
        }
        for piece in Self.pieces(of: batch, PostgresSet.most) {
            pending.append(
                Step(
                    sql: set.text, values: PostgresValues(arraysOf: batch[piece]), expected: isEach ? piece.count : nil)
            )
        }
        // It has something to do with them: what is little goes with what follows.
        try sendAhead()
    }

    private func sendAhead() throws {
        guard !isFresh else {
            // What begins a transaction may have to be said anew.
            return pending.count < PostgresPipeline.length ? () : try perform([]) { _, _ in }
        }
        let steps = pending
        pending = []
        for piece in Self.pieces(of: steps, PostgresPipeline.length) {
            guard link.isOpen else { throw StoreError.unavailable("the connection to the database was lost") }
            try pipeline.sendAhead(Array(steps[piece]))
            if pipeline.aheadCount >= PostgresPipeline.length { try exchange([], []) { _, _ in } }
        }
    }

    func check() throws {
        if pipeline.expectsRows || pending.contains(where: { $0.expected != nil }) { try perform([]) { _, _ in } }
    }

    /// They can't fail where they stand, and nothing follows from their answer.
    private static let needNoAnswer: Set = ["SAVEPOINT item", "RELEASE item"]
    /// In a transaction that has failed nothing is prepared.
    private static let undo = "ROLLBACK TO item"

    @discardableResult
    func run(_ sql: String, batch: [[SQLValue]], row: (Int, any SQLRow) throws -> Void) throws -> [Int] {
        try withoutActuallyEscaping(row) { try run(together: [SQLBatch(sql: sql, sets: batch, row: $0)])[0] }
    }

    /// A step on a journey: which sets of which statement it stands for; for many at once, how.
    private struct Answered {
        var step: Step
        var statement: Int
        var sets: Range<Int>
        var together: PostgresSet?
    }

    @discardableResult
    func run(together statements: [SQLBatch]) throws -> [[Int]] {
        var changed = statements.map { [Int](repeating: 0, count: $0.sets.count) }
        var waiting: [Answered] = []
        var length = 0
        func go() throws {
            let steps = waiting
            (waiting, length) = ([], 0)
            try perform(steps.map(\.step)) { number, result in
                let step = steps[number]
                try Self.take(result, step, statements[step.statement], &changed[step.statement])
            }
        }
        for (number, statement) in statements.enumerated() {
            for step in try steps(of: statement, number) {
                // What is held of answers is bounded.
                if length + step.sets.count > PostgresPipeline.length, !waiting.isEmpty { try go() }
                length += step.sets.count
                waiting.append(step)
            }
        }
        if !waiting.isEmpty { try go() }
        return changed
    }

    private func steps(of statement: SQLBatch, _ number: Int) throws -> [Answered] {
        let sets = statement.sets
        if let rewriting { for _ in sets { _ = try rewriting(statement.sql) } }
        guard sets.count >= PostgresSet.least, let set = try set(of: statement.sql) else {
            return sets.enumerated().map { place, values in
                Answered(
                    step: Step(sql: statement.sql, values: PostgresValues(values)), statement: number,
                    sets: place..<place + 1)
            }
        }
        return Self.pieces(of: sets, PostgresSet.most).map { piece in
            Answered(
                step: Step(sql: set.text, values: PostgresValues(arraysOf: sets[piece])), statement: number,
                sets: piece, together: set)
        }
    }

    /// Hands out the rows of an answer.
    private static func take(
        _ result: OpaquePointer, _ step: Answered, _ statement: SQLBatch, _ changed: inout [Int]
    ) throws {
        guard let set = step.together else {
            changed[step.sets.lowerBound] = Int(String(cString: PQcmdTuples(result))) ?? 0
            try PostgresRow(result).forEach { try statement.row(step.sets.lowerBound, $0) }
            return
        }
        let last = Int(PQnfields(result)) - 1
        var next = step.sets.lowerBound
        try PostgresRow(result).forEach { columns in
            let number = set.isNumbered ? step.sets.lowerBound + columns.int(last) - 1 : next
            next += 1
            changed[number] += 1
            try statement.row(number, columns)
        }
    }

    private static func pieces(of batch: [some Any], _ length: Int) -> [Range<Int>] {
        stride(from: 0, to: batch.count, by: length).map { $0..<min(batch.count, $0 + length) }
    }

    /// What does a statement for many sets at once; nil where that can't be, or the statement was not run before: from
    /// then on the server knows the types of its parameters.
    private func set(of sql: String) throws -> PostgresSet? {
        if let known = sets[sql] { return known }
        guard let name = pipeline.name(of: sql) else { return nil }
        let types = try first(
            "SELECT array_to_string(CAST(parameter_types AS TEXT[]), ';') FROM pg_prepared_statements WHERE name = $1",
            [.text(name)]
        ) { $0.text(0).split(separator: ";").map(String.init) }
        guard let types else { return nil }
        let set = PostgresSet(sql, types: types)
        sets[sql] = .some(set)
        return set
    }

    func script(_ sql: String) throws {
        try open()
        if !pending.isEmpty || pipeline.aheadCount > 0 { try perform([]) { _, _ in } }
        try link.script(sql)
    }

    func schema(_ sql: String) -> String { PostgresSchema.text(sql) }

    var clock: String? { "SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)" }

    // MARK: Journeys

    private func open() throws(StoreError) {
        guard !link.isOpen else { return }
        pipeline.forget()
        try link.open()
    }

    /// Sends what is pending and these, and hands out the answer of each of these.
    private func perform(_ steps: [Step], _ answer: (Int, OpaquePointer) throws -> Void) throws {
        let before = pending
        pending = []
        if !isFresh, !link.isOpen { throw StoreError.unavailable("the connection to the database was lost") }
        try open()
        do {
            try exchange(before, steps, answer)
        } catch let error as StoreError {
            // The connection may have died long ago, and nobody noticed: nothing was done yet, but where its end was on
            // the same journey.
            guard isFresh, !link.isOpen, case .unavailable = error, !steps.contains(where: { $0.sql == "COMMIT" })
            else {
                throw error
            }
            try open()
            try exchange(before, steps, answer)
        }
    }

    private func exchange(
        _ before: [Step], _ steps: [Step], _ answer: (Int, OpaquePointer) throws -> Void
    ) throws {
        try pipeline.exchange(before + steps) { number, result in
            isFresh = false
            if number >= before.count { try answer(number - before.count, result) }
        } onFailure: { number in
            guard let number else { return isSpoiled = true }
            if number < before.count, before[number].isPrepared { isSpoiled = true }
        }
    }
}
