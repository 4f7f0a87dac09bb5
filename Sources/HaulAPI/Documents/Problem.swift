import Foundation
import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

/// An error on its way to a client, and what of it is for the server's log alone.
struct Problem: Error, Sendable {
    var document: ProblemDocument
    var headers: HTTPHeaders = [:]
    var cause: String?

    init(_ document: ProblemDocument, headers: HTTPHeaders = [:], cause: String? = nil) {
        self.document = document
        self.headers = headers
        self.cause = cause
    }

    /// Any error, in words for a client: what is not meant for one becomes a 500 that tells nothing.
    init(answering error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as EngineError: self.init(error)
        case let refusal as LoginRefusal: self.init(refusal)
        case let refusal as AccountRefusal: self.init(refusal)
        default: self.init(EngineError(unexpected: error))
        }
    }

    private init(_ error: EngineError) {
        let (status, title) =
            switch error.kind {
            case .invalid: (400, "Bad request")
            case .unauthorized: (401, "Unauthorized")
            case .forbidden: (403, "Forbidden")
            case .notFound: (404, "Not found")
            case .conflict: (409, "Conflict")
            case .tooLarge: (413, "Too large")
            case .overLimit: (429, "Too many requests")
            case .unavailable: (503, "Unavailable")
            case .fault: (500, "Server error")
            }
        self.init(
            ProblemDocument(
                status: status, title: title, code: error.code, detail: error.detail, hint: error.hint,
                fields: error.fields, index: error.index, offset: error.offset),
            cause: error.cause)
        if status == 401 { headers = ["WWW-Authenticate": "Bearer realm=\"haul\""] }
        // More of what is not committed is only taken once there is less of it.
        if status == 429, error.code != EngineError.tooManyDraftsCode { headers = ["Retry-After": "10"] }
        if status == 503 { headers = ["Retry-After": "5"] }
    }

    var response: HTTPResponse {
        var fields = headers
        fields.set("Content-Type", ProblemDocument.contentType)
        return HTTPResponse(status: document.status, headers: fields, body: .bytes(JSONText.bytes(document)))
    }
}

extension Problem {
    /// 400 with a detail of its own.
    static func invalid(_ code: String, _ detail: String, hint: String) -> Problem {
        Problem(ProblemDocument(status: 400, title: "Bad request", code: code, detail: detail, hint: hint))
    }

    /// 400 that names every field that is wrong.
    static func fields(_ fields: [String: String], index: Int? = nil) -> Problem {
        let list = fields.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: "; ")
        let which = index.map { "Job \($0) of the request (counted from 0): " } ?? ""
        return Problem(
            ProblemDocument(
                status: 400, title: "Bad request", code: "invalid_field", detail: which + list + ".",
                hint: "Correct the fields and send the request again; nothing was done.", fields: fields, index: index))
    }

    /// - Parameter more: what else to say of what to do.
    static func syntax(_ error: JSONSyntaxError, more: String = "") -> Problem {
        .invalid(
            "invalid_json", "The body is no JSON: line \(error.line), column \(error.column): \(error.message).",
            hint: "Correct it there and send it again; nothing was done." + more)
    }

    static func noObject(_ detail: String, index: Int? = nil) -> Problem {
        Problem(
            ProblemDocument(
                status: 400, title: "Bad request", code: "no_object", detail: detail,
                hint: "Send a JSON object: {\"name\": value, ...}.", index: index))
    }

    static func tooMany(_ limit: Int, _ what: String) -> Problem {
        Problem(
            ProblemDocument(
                status: 413, title: "Too large", code: "too_many", detail: "A request takes up to \(limit) \(what).",
                hint: "Send them in several requests."))
    }

    static let badEncoding = invalid(
        "bad_encoding", "The URL holds a percent escape that is none, or bytes that are no UTF-8.",
        hint: "Write each byte of the name's UTF-8 that is no plain letter as %XX.")

    static func notFound(_ request: HTTPRequest) -> Problem {
        Problem(
            ProblemDocument(
                status: 404, title: "Not found", code: "no_such_route", detail: "There is nothing at this path.",
                hint: [WirePath.root, OverviewAPI.root].contains { request.path.hasPrefix($0 + "/") }
                    ? "README.md lists the paths that there are." : "The API stands below \(WirePath.root)."))
    }

    /// 404 for what should be a number in a path, and is none.
    static func noNumber(_ text: String) -> Problem {
        Problem(
            ProblemDocument(
                status: 404, title: "Not found", code: "no_such_route",
                detail: "\"\(text.prefix(64))\" is no number of a job, an element or an attempt.",
                hint: "GET /jobs (haul jobs) lists the jobs that are yours."))
    }

    static func methodNotAllowed(_ request: HTTPRequest, _ allowed: [String]) -> Problem {
        Problem(
            ProblemDocument(
                status: 405, title: "Method not allowed", code: "method",
                detail: "This path does not take \(request.method.prefix(32)).",
                hint: "It takes \(allowed.joined(separator: ", "))."),
            headers: ["Allow": allowed.joined(separator: ", ")])
    }

    static func fault(cause: String) -> Problem {
        Problem(
            ProblemDocument(
                status: 500, title: "Server error", code: "fault", detail: "The server failed.",
                hint: "Tell the operators when it happened: their log says why."), cause: cause)
    }
}
