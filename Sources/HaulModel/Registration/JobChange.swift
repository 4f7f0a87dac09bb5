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
    /// Seconds from its start after which it is cancelled; 0 is any number.
    public var executionSeconds: Int?
    /// When it is cancelled and removed; the inner nil takes it away.
    public var destruction: Timestamp??

    public init() {}

    /// It can't be made of a job that ended.
    public var needsLife: Bool { isOfParameters || executionSeconds != nil }

    /// Of a job that is not committed its parameters say it.
    public var isOfParameters: Bool { priority != nil || queue != nil || deadline != nil }

    /// `priority=3 keep=true`: what is changed to what.
    public var summary: String {
        [
            priority.map { "priority=\($0)" }, queue.map { "queue=\($0)" }, label.map { "label=\($0 ?? "none")" },
            deadline.map { "deadline=\($0?.text ?? "none")" }, keep.map { "keep=\($0)" },
            executionSeconds.map { "execution_duration=\($0)" },
            destruction.map { "destruction=\($0?.text ?? "none")" },
        ].compactMap(\.self).joined(separator: " ")
    }

    private static let known = [
        "priority", "queue", "label", "deadline", "execution_duration", "destruction", "keep",
    ]
    /// What a job's document has besides, and any request may repeat.
    private static let foreign = ["id", "status", "user_id", "log_uid", "attempts"]

    /// Reads it; of fields that can't be changed only those are passed over that any request may have.
    ///
    /// - Throws: `FieldProblems` that names every field that is wrong.
    public init(_ document: [String: JSONValue]) throws(FieldProblems) {
        var reader = FieldReader(document)
        let all = Self.known.dropLast().joined(separator: ", ") + " and keep"
        for name in document.keys where !Self.known.contains(name) && !Self.foreign.contains(name) {
            reader.problems[name] = "can't be changed: \(all) can"
        }
        if !document.keys.contains(where: Self.known.contains), reader.problems.isEmpty {
            reader.problems[Self.known[0]] = "is missing: one at least of \(all)"
        }
        for name in ["priority", "queue", "keep", "execution_duration"] where reader.isNull(name) {
            reader.problems[name] = "can't be null: that takes label, deadline and destruction away"
        }
        priority = reader.integer("priority", in: 0...9)
        queue = reader.text("queue", limit: 64)
        if let label = reader.text("label", limit: 256) { self.label = label }
        if reader.isNull("label") { label = .some(nil) }
        if let deadline = reader.time("deadline") { self.deadline = deadline }
        if reader.isNull("deadline") { deadline = .some(nil) }
        keep = reader.flag("keep")
        executionSeconds = reader.integer("execution_duration", in: 0...JobRequest.longestQueueTime)
        if let destruction = reader.time("destruction") { self.destruction = destruction }
        if reader.isNull("destruction") { destruction = .some(nil) }
        guard reader.problems.isEmpty else { throw FieldProblems(reader.problems) }
    }
}
