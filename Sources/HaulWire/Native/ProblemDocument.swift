/// An error answer: `application/problem+json` (RFC 9457), with what to do about it.
public struct ProblemDocument: Sendable, Hashable, Codable {
    public static let contentType = "application/problem+json"

    /// The HTTP status.
    public var status: Int
    /// The kind of problem in a few words.
    public var title: String
    /// A word that programs can compare: `not_found`, `invalid_field` ...
    public var code: String
    /// What failed, and why.
    public var detail: String
    /// What to do.
    public var hint: String?
    /// Every field of the request that is wrong: field -> what was expected.
    public var fields: [String: String]?
    /// The job of a bulk registration that is wrong, from 0.
    public var index: Int?
    /// The offset at which a log or listing goes on, in the answer to a wrong one.
    public var offset: Int?

    public init(
        status: Int, title: String, code: String, detail: String, hint: String, fields: [String: String]? = nil,
        index: Int? = nil, offset: Int? = nil
    ) {
        self.status = status
        self.title = title
        self.code = code
        self.detail = detail
        self.hint = hint
        self.fields = fields
        self.index = index
        self.offset = offset
    }
}

extension ProblemDocument: Documented {
    public static let schema = Schema.object(
        "Problem",
        [
            "status": .integer(400...599), "title": .text, "code": .text.about("A word that programs can compare"),
            "detail": .text, "hint": .text.about("What to do"),
            "fields?": Schema.map(of: .text).about("What is wrong with each field"),
            "index?": .count.about("The job of a bulk registration that is wrong"),
            "offset?": .count.about("Where a log or listing goes on"),
        ])
}
