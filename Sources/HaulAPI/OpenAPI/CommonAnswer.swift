import HaulModel
import HaulWire

/// An error that many routes answer with: a component of the document.
struct CommonAnswer {
    let status: Int
    let name: String
    let text: String
    var headers: [String] = []

    static let place = "#/components/responses/"

    private static let invalid = CommonAnswer(status: 400, name: "Invalid", text: "Something of the request is wrong.")
    private static let unauthorized = CommonAnswer(
        status: 401, name: "Unauthorized", text: "No good token was shown.", headers: ["WWW-Authenticate"])
    private static let forbidden = CommonAnswer(
        status: 403, name: "Forbidden",
        text: "The token is of another role, or without the scope, or of another element."
    )
    private static let notFound = CommonAnswer(status: 404, name: "NotFound", text: "It is not there, or not yours.")
    private static let tooLarge = CommonAnswer(
        status: 413, name: "TooLarge", text: "The body is longer than it may be, or holds too much.")
    private static let tooMany = CommonAnswer(
        status: 429, name: "TooMany",
        text: "Too many requests, or too much that waits: a limit of the user is reached.",
        headers: ["Retry-After"])
    private static let fault = CommonAnswer(status: 500, name: "Fault", text: "The server failed.")
    private static let unavailable = CommonAnswer(
        status: 503, name: "Unavailable", text: "It may work later.", headers: ["Retry-After"])

    private static let everything = [
        invalid, unauthorized, forbidden, notFound, tooLarge, tooMany, fault, unavailable,
    ]

    /// Those that a route may answer with besides its own.
    static func all(of entry: Routes.Entry) -> [CommonAnswer] {
        var answers = [fault, unavailable]
        if entry.pattern.contains(":") { answers.append(notFound) }
        if entry.route.body != nil { answers += [invalid, tooLarge] }
        switch entry.route.access {
        case .everyone: break
        case .holder: answers += [invalid, unauthorized, forbidden]
        case .scopes(let scopes):
            answers += [invalid, unauthorized, forbidden]
            // Workers have no limit of requests.
            if scopes != [.work] { answers.append(tooMany) }
        }
        return answers
    }

    /// All of them, as the document's components.
    static var components: [String: JSONValue] {
        Dictionary(everything.map { ($0.name, $0.value) }) { first, _ in first }
    }

    private var value: JSONValue {
        var value: [String: JSONValue] = [
            "description": .string(text),
            "content": [ProblemDocument.contentType: ["schema": ProblemDocument.schema.use]],
        ]
        let seconds = Schema.integer(1...Int.max).about("Seconds")
        let fields = headers.map { name -> (String, JSONValue) in
            (name, ["required": true, "schema": (name == "Retry-After" ? seconds : .text).use])
        }
        if !fields.isEmpty { value["headers"] = .object(Dictionary(fields) { first, _ in first }) }
        return .object(value)
    }
}
