import HaulModel
import HaulWire

/// What `/openapi.json` says of a route. It stands beside the route, and no route goes without (``Routes``); who may do it
/// is said here alone.
///
///     router.on("GET", "/jobs/:job", Route("A job", .readJobs, answers: .ok(JobDocument.counted))) { ... }
///
/// What holds everywhere need not be said: parameters of the path, and the answers 400, 401, 403, 404, 413, 429, 500, 503.
struct Route: Sendable {
    /// In a few words, as a heading.
    var summary: String
    var access: Access
    /// Parameters of the query by name; one whose name ends in `?` may be missing.
    var query: [Field]
    var headers: [Field]
    var body: Content?
    /// What it answers besides what holds everywhere.
    var answers: [Answer]

    init(
        _ summary: String, _ access: Access, query: KeyValuePairs<String, Schema> = [:],
        headers: KeyValuePairs<String, Schema> = [:], body: Content? = nil, answers: Answer...
    ) {
        self.summary = summary
        self.access = access
        self.query = query.map(Field.init)
        self.headers = headers.map(Field.init)
        self.body = body
        self.answers = answers
    }

    /// Who gets in.
    enum Access: Sendable {
        case everyone
        /// Who may do one of these.
        case scopes([Scope])
        /// Who holds a lease on the element that the path names.
        case holder

        static let readJobs = scopes([.readJobs])
        static let changeJobs = scopes([.changeJobs])
        static let tokens = scopes([.tokens])
        static let work = scopes([.work])
        static let operate = scopes([.operate])
        /// Operators, and users for what they may know.
        static let look = scopes([.operate, .readJobs])
        static let credentials = scopes([.credentials])
        /// Operators, and users for what is theirs.
        static let manage = scopes([.operate, .changeJobs])
        /// Whoever is known.
        static let known = scopes(Scope.allCases)
    }

    /// A parameter.
    struct Field: Sendable {
        var name: String
        var schema: Schema
        var isRequired: Bool

        init(_ key: String, _ schema: Schema) {
            isRequired = !key.hasSuffix("?")
            name = isRequired ? key : String(key.dropLast())
            self.schema = schema
        }
    }

    /// A body, by its media types.
    struct Content: Sendable {
        var types: [(type: String, schema: Schema)]

        static func json(_ schema: Schema) -> Content { Content(types: [("application/json", schema)]) }

        static func bytes(_ type: String) -> Content { Content(types: [(type, Schema.text)]) }

        /// The same as documents, one a line.
        func orLines(_ lines: Schema = .text) -> Content { Content(types: types + Self.lines(lines).types) }

        /// Documents, one a line: as a list of them.
        static func lines(_ lines: Schema) -> Content { Content(types: [("application/x-ndjson", lines)]) }
    }

    /// An answer that is none of an error that may be anywhere.
    struct Answer: Sendable {
        var status: Int
        var text: String
        var content: Content?

        init(_ status: Int, _ text: String, _ content: Content? = nil) {
            self.status = status
            self.text = text
            self.content = content
        }

        static func ok(_ schema: Schema) -> Answer { Answer(200, "Done", .json(schema)) }
        static func created(_ schema: Schema) -> Answer { Answer(201, "Made", .json(schema)) }
        /// Documents: an array, or one a line where `Accept` names NDJSON.
        static func ok(listOf item: Schema) -> Answer {
            Answer(200, "Done", .json(.list(of: item)).orLines())
        }
        /// The same, or the one document of an answer that is no list.
        static func ok(listOf item: Schema, or other: Schema) -> Answer {
            Answer(200, "Done", .json(.any(of: [.list(of: item), other])).orLines())
        }
        static func conflict(_ text: String) -> Answer { .problem(409, text) }
        static func notFound(_ text: String) -> Answer { .problem(404, text) }
        static func problem(_ status: Int, _ text: String) -> Answer {
            Answer(status, text, Content(types: [(ProblemDocument.contentType, ProblemDocument.schema)]))
        }
    }
}
