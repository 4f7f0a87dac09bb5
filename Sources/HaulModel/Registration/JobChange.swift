/// What a user wants otherwise of a job that is registered (`PATCH /jobs/J`), checked. Nil leaves as it is.
public struct JobChange: Sendable, Hashable {
    public var priority: Int?
    public var queue: String?
    /// The inner nil takes it away.
    public var label: String??
    /// The inner nil takes it away.
    public var deadline: Timestamp??

    /// It stays, with its logs, past the time for which ended jobs are kept.
    public var keep: Bool?

    /// Fields that it does not know are ignored.
    ///
    /// - Throws: `FieldProblems` that names every field that is wrong.
    public init(_ document: [String: JSONValue]) throws(FieldProblems) {
        var reader = FieldReader(document)
        priority = reader.integer("priority", in: 0...9)
        queue = reader.text("queue", limit: 64)
        if let label = reader.text("label", limit: 256) { self.label = label }
        if reader.isNull("label") { label = .some(nil) }
        if let deadline = reader.time("deadline") { self.deadline = deadline }
        if reader.isNull("deadline") { deadline = .some(nil) }
        keep = reader.flag("keep")
        guard reader.problems.isEmpty else { throw FieldProblems(reader.problems) }
    }
}
