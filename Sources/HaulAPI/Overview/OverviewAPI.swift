import HaulAuth
import HaulEngine
public import HaulHTTP
import HaulModel
import HaulWire

/// A plugin of Overview, as its work queue makes one, over the engine: the "database" that is generated is the listing of a
/// path. It keeps nothing and decides nothing: who asks for the same joins the same job.
public struct OverviewAPI: Sendable {
    let door: Door
    var engine: Engine { door.engine }

    static let root = "/overview"
    /// Bytes of a form.
    private static let bodyLimit = 64 << 10

    public init(_ door: Door) { self.door = door }

    /// Adds the routes to a server's router.
    public func mount(on outer: inout Router) {
        var router = Router(
            defaultBodyLimit: Self.bodyLimit,
            notFound: { Problem.notFound($0).response },
            methodNotAllowed: { Problem.methodNotAllowed($0, $1).response },
            failure: { door.problem($0, $1.head).response })
        addGenerationRoutes(to: &router)
        addSearchRoutes(to: &router)
        addPageRoutes(to: &router)
        outer.mount(Self.root, router)
    }

    /// Who asks: by what the head shows, else by the token that is among the parameters.
    func principal(
        of request: HTTPRequest, _ parameters: OverviewParameters?, _ scope: Scope
    ) async throws -> Principal {
        var request = request
        if let token = parameters?.token, request.headers["Authorization"] == nil, request.headers["X-Token"] == nil {
            request.headers.set("X-Token", token)
        }
        return try await door.principal(of: request, [scope])
    }

    /// Lets in the bodies of those whom a route lets in; who shows nothing may have a token in a form.
    func gate(_ scope: Scope) -> Router.Gate {
        let known = door.gate([scope]) { door.problem($0, $1).response }
        return { head, path in
            head.headers["Authorization"] == nil && head.headers["X-Token"] == nil ? .open : known(head, path)
        }
    }

    /// The listing that is asked for.
    ///
    /// - Throws: 400 where a parameter is missing, names no site, or no path.
    func request(_ parameters: OverviewParameters, _ who: Principal) async throws -> JobRequest {
        let document: [String: JSONValue] = [
            "src_siteid": parameters.server.map(JSONValue.string) ?? .null,
            "src_filepath": parameters.documentSet.map(JSONValue.string) ?? .null,
        ]
        let rules = engine.rules
        do { return try Self.request(document, rules.applied(to: who.siteUser)) } catch {
            // Another server may have made the site a moment ago.
            let latest = try await engine.latestRules()
            guard latest.sites != rules.sites else { throw error }
            return try Self.request(document, latest.applied(to: who.siteUser))
        }
    }

    private static func request(_ document: [String: JSONValue], _ rules: RegistrationRules) throws -> JobRequest {
        do { return try JobRequest(document, type: .list, rules: rules) } catch {
            let names = ["src_siteid": "server", "src_filepath": "documentSetId"]
            throw Problem.fields(
                Dictionary(error.fields.map { (names[$0.key] ?? $0.key, $0.value) }) { first, _ in first })
        }
    }
}

/// What is asked for: parameters of the query and of a form, which counts more.
struct OverviewParameters {
    /// The name or id of a site.
    var server: String?
    /// A path there.
    var documentSet: String?
    var token: String?
    /// What is looked for.
    var words: String?
    /// Entries that are found at most.
    var limit: Int?

    /// - Throws: 400 for a body that is no form, too much to look for, and a limit that is none.
    init(_ request: HTTPRequest) throws {
        if request.hasInvalidEncoding { throw Problem.badEncoding }
        let form: FormFields
        do throws(FormProblem) { form = try FormFields(request) } catch {
            let what =
                switch error {
                case .malformed(let what): what
                case .unknownType(let type): "its type is \(type)"
                }
            throw Problem.invalid("bad_form", "The body is no form: \(what).", hint: "Send a form.")
        }
        for (name, value) in request.query {
            // A token in a URL stands in the logs of proxies: it counts for nothing.
            try take(name, value, isForm: false)
        }
        for (name, value) in form.fields { try take(name, value, isForm: true) }
    }

    private mutating func take(_ name: String, _ value: String, isForm: Bool) throws {
        switch name {
        case "server": server = value
        case "documentSetId", "document_set_id": documentSet = value
        case "api_token", "apiToken": if isForm { token = value }
        case "q":
            guard value.utf8.count <= SoughtWords.most else {
                throw Problem.fields(["q": "is longer than \(SoughtWords.most) bytes"])
            }
            words = value
        case "limit":
            guard let number = Int(value), number > 0 else {
                throw Problem.fields(["limit": "must be a number from 1"])
            }
            limit = number
        default: break
        }
    }
}
