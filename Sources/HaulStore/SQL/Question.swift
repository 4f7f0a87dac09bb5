/// A question to the database: a statement with its sets of values, and how the rows of its answer come together.
public struct Question<Answer> {
    let sql: String
    let batch: [[SQLValue]]
    /// The answer of no rows.
    let nothing: Answer
    /// Adds a row of a set, told by its number.
    let add: (inout Answer, Int, any SQLRow) throws -> Void

    init(
        _ sql: String, batch: [[SQLValue]], nothing: Answer,
        add: @escaping (inout Answer, Int, any SQLRow) throws -> Void
    ) {
        self.sql = sql
        self.batch = batch
        self.nothing = nothing
        self.add = add
    }

    /// One of a single set.
    init(
        _ sql: String, _ values: [SQLValue] = [], nothing: Answer,
        add: @escaping (inout Answer, any SQLRow) throws -> Void
    ) {
        self.init(sql, batch: [values], nothing: nothing) { answer, _, row in try add(&answer, row) }
    }
}

/// What can be asked together with other things: its extensions stand beside the verbs.
public enum Ask {}

/// A question on its way.
private final class Asking<Answer> {
    private let question: Question<Answer>
    private(set) var answer: Answer

    init(_ question: Question<Answer>) {
        self.question = question
        answer = question.nothing
    }

    var batch: SQLBatch {
        SQLBatch(sql: question.sql, sets: question.batch) { try self.question.add(&self.answer, $0, $1) }
    }
}

extension StoreReader {
    /// Asks several things on one journey to the database.
    public func answers<each Answer>(to question: repeat Question<each Answer>) throws -> (repeat each Answer) {
        let askings = (repeat Asking(each question))
        var batches: [SQLBatch] = []
        for asking in repeat each askings { batches.append(asking.batch) }
        try db.run(together: batches)
        return (repeat (each askings).answer)
    }

    public func answer<Answer>(to question: Question<Answer>) throws -> Answer { try answers(to: question) }
}
