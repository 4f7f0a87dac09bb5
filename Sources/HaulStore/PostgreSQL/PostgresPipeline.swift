import CPostgreSQL

/// Statements that go over a connection one behind the other, and their answers, which come in that order: a journey costs
/// the same whatever is on it. Each text is prepared once under a name.
final class PostgresPipeline {
    /// A statement on its way.
    struct Step {
        var sql: String
        var values: PostgresValues
        /// Prepared by name; what opens and closes transactions is not.
        var isPrepared = true
        /// Rows that it has to change; nil is any number.
        var expected: Int?
    }

    /// Statements between two syncs: bounds what is held of answers.
    static let length = 400

    private let link: PostgresLink
    /// Names of prepared statements by their text. Bounded: haul's verbs are a fixed set of texts.
    private var names: [String: String] = [:]
    /// What was sent ahead: its answers come before those of what follows.
    private var ahead: [Sent] = []
    /// Statements that were ever prepared: no name is used twice.
    private var prepared = 0
    /// What becomes of each statement when it is prepared; nil is nothing.
    var rewriting: (@Sendable (String) throws -> String)?

    init(_ link: PostgresLink) { self.link = link }

    /// What a statement was prepared as.
    func name(of sql: String) -> String? { names[sql] }

    func text(named name: String) -> String? { names.first { $0.value == name }?.key }

    /// The connection is another: nothing is prepared on it.
    func forget() {
        names = [:]
        ahead = []
    }

    /// Statements that were sent ahead.
    var aheadCount: Int { ahead.count }
    /// One of them has to change rows.
    var expectsRows: Bool { ahead.contains { $0.expected != nil } }

    /// Sends statements of which nothing is wanted but that they are done before whatever follows: the server is at them
    /// while what follows is put together.
    ///
    /// A sync goes with them: without one a server has no time after which it gives up who stands still in a transaction.
    func sendAhead(_ steps: [Step]) throws {
        guard let handle = link.handle else { throw StoreError.unavailable("no connection") }
        ahead += try put(steps, handle).map { sent in
            var sent = sent
            sent.step = nil
            return sent
        }
        guard PQpipelineSync(handle) == 1 else { throw link.lost("a sync can't be sent") }
        ahead.append(Sent(step: nil, isText: false, sql: "", isSync: true))
    }

    /// Sends statements, each prepared where it was not yet, and takes their answers.
    ///
    /// - Parameters:
    ///   - answer: told the number of a step and what came of it, in order, up to the first that failed.
    ///   - onFailure: told the number of the step that failed; nil for one that was sent ahead.
    func exchange(
        _ steps: [Step], _ answer: (Int, OpaquePointer) throws -> Void, onFailure: (Int?) -> Void
    ) throws {
        guard let handle = link.handle else { throw StoreError.unavailable("no connection") }
        let sent = ahead + (try put(steps, handle))
        ahead = []
        guard PQpipelineSync(handle) == 1 else { throw link.lost("a sync can't be sent") }
        try receive(sent, answer, onFailure)
    }

    private func put(_ steps: [Step], _ handle: OpaquePointer) throws -> [Sent] {
        var sent: [Sent] = []
        sent.reserveCapacity(steps.count + 1)
        for (number, step) in steps.enumerated() {
            if step.isPrepared, names[step.sql] == nil {
                try prepare(step.sql, handle)
                sent.append(Sent(step: number, isText: true, sql: step.sql))
            }
            let isSent = step.values.withPointers { count, values, lengths, formats in
                step.isPrepared
                    ? PQsendQueryPrepared(handle, names[step.sql] ?? "", count, values, lengths, formats, 0)
                    : PQsendQueryParams(handle, step.sql, count, nil, values, lengths, formats, 0)
            }
            guard isSent == 1 else { throw link.lost("a statement can't be sent: \(step.sql)") }
            sent.append(Sent(step: number, isText: false, sql: step.sql, expected: step.expected))
        }
        return sent
    }

    /// What is on its way: the text of a statement that is to have a name, or the statement with its values.
    private struct Sent {
        /// Nil for what was sent ahead.
        var step: Int?
        var isText: Bool
        var sql: String
        var expected: Int?
        var isSync = false
    }

    private func prepare(_ sql: String, _ handle: OpaquePointer) throws {
        prepared += 1
        let name = "h\(prepared)"
        // What it throws was thrown before anything was sent.
        let text = (try? rewriting?(sql)) ?? sql
        guard PQsendPrepare(handle, name, PostgresSchema.statement(text), 0, nil) == 1 else {
            throw link.lost("a statement can't be sent: \(sql)")
        }
        names[sql] = name
    }

    /// Takes the answers of what was sent, all of them: the first error is thrown once none is left.
    private func receive(
        _ sent: [Sent], _ answer: (Int, OpaquePointer) throws -> Void, _ onFailure: (Int?) -> Void
    ) throws {
        var failure: (any Error)?
        for item in sent {
            guard let result = try link.next() else { throw link.lost("an answer is missing") }
            defer { PQclear(result) }
            if item.isSync { continue }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                guard !item.isText, failure == nil else { break }
                if let expected = item.expected, Int(String(cString: PQcmdTuples(result))) != expected {
                    failure = StoreError.stale
                } else if let step = item.step {
                    do { try answer(step, result) } catch { failure = error }
                }
            case PGRES_PIPELINE_ABORTED:
                if item.isText { names[item.sql] = nil }
            default:
                if item.isText { names[item.sql] = nil }
                onFailure(item.step)
                failure = failure ?? PostgresLink.error(result, item.sql)
            }
            if let handle = link.handle, PQstatus(handle) == CONNECTION_BAD {
                throw link.lost(failure.map { "\($0)" } ?? "it was closed")
            }
            guard try link.next() == nil else { throw link.lost("an answer too many") }
        }
        guard let sync = try link.next() else { throw link.lost("a sync is missing") }
        PQclear(sync)
        if let failure { throw failure }
    }
}
