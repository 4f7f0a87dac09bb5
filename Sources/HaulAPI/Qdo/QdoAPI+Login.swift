import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

/// Getting in: a login gives a token of haul's as two cookies, which are good below this face's root alone.
extension QdoAPI {
    func addSiteRoutes(to router: inout Router) {
        router.on("POST", "/site/login", bodyLimit: 8192) { request, _ in try await login(request) }
        router.on("GET", "/site/login", bodyLimit: 0) { request, _ in try await showLogin(request) }
        router.on("GET", "/site/info", bodyLimit: 0, gate: door.gate([.readJobs]) { answer($0, $1) }) { request, _ in
            let who = try await door.principal(of: request, [.readJobs])
            let host = request.head.outside.host
            let queues = try await engine.queues(ofUser: who.user.id).map { JSONValue.string($0.name) }
            return Self.json([
                "sitename": .string(host), "hosts": .object([host: ["queues": .array(queues)]]),
            ])
        }
    }

    /// `POST /site/login`: a form with `username` and `password`.
    private func login(_ request: HTTPRequest) async throws -> HTTPResponse {
        // A page of somebody else's must not log its visitors in as its own user.
        if Shown.isForeign(request.head) { throw Problem.foreignLogin }
        let fields = try QdoFields(request)
        guard let name = try fields.text("username"), let password = try fields.text("password") else {
            throw Problem.fields(["username": "is needed, and so is password"])
        }
        return try await login(name, password, request)
    }

    private func login(_ name: String, _ password: String, _ request: HTTPRequest) async throws -> HTTPResponse {
        let new = try await door.authenticator.accounts.login(
            name, password, from: request.remoteAddress, seconds: loginLimits.usual)
        return Self.welcome(
            new.token, new.known.record.user.name, new.known.record.spec.expires, seconds: loginLimits.usual, request)
    }

    /// `GET /site/login`: the same for who is known already, a form for who is not.
    private func showLogin(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let shown = Shown(request.head) else { return Self.form }
        let known: Principal
        do { known = try await door.principal(of: request, Scope.allCases) } catch {
            let hasHeader = request.headers["Authorization"] != nil || request.headers["X-Token"] != nil
            if !hasHeader, (error as? Problem)?.document.status == 401 { return Self.form }
            throw error
        }
        let secret: String
        switch shown {
        case .login(let user, let password):
            guard known.token != nil else {
                // Who only looks gets no token.
                if request.method == "HEAD" { return Self.form }
                return try await login(user, password, request)
            }
            secret = password
        case .token(let token): secret = token
        case .certificate: throw Problem.noKey
        }
        guard let token = known.token, token.spec.identity == nil else { throw Problem.noKey }
        let left = token.spec.expires?.seconds(since: engine.world.now())
        return Self.welcome(secret, known.user.name, token.spec.expires, seconds: left, request)
    }

    private static let form = HTTPResponse(
        headers: [
            "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
            "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
        ], body: .bytes(Array(QdoDocuments.form.utf8)))

    /// The key and the name, as JSON and as cookies: no script sees them, no other site's page makes a browser send them.
    private static func welcome(
        _ key: String, _ user: String, _ expires: Timestamp?, seconds: Double?, _ request: HTTPRequest
    ) -> HTTPResponse {
        var response = json(QdoDocuments.login(key: key, user: user, seconds: seconds, expires: expires))
        response.headers.set("Cache-Control", "no-store")
        let outside = request.head.outside
        var attributes = "; Path=\(outside.prefix)\(root); HttpOnly; SameSite=Strict"
        if outside.scheme == "https" { attributes += "; Secure" }
        if let seconds { attributes += "; Max-Age=\(max(0, Int(seconds)))" }
        response.headers.append("Set-Cookie", "qdo_authkey=\(key)\(attributes)")
        response.headers.append("Set-Cookie", "qdo_username=\(user)\(attributes)")
        return response
    }
}

extension Problem {
    fileprivate static let foreignLogin = Problem(
        ProblemDocument(
            status: 403, title: "Forbidden", code: "foreign_login",
            detail: "A page of another site asked for this login.", hint: "Log in on a page of this server's own."))

    fileprivate static let noKey = Problem(
        ProblemDocument(
            status: 403, title: "Forbidden", code: "no_key",
            detail: "What was shown is neither a password nor a token of haul's: it can't become a key.",
            hint: "Show it with each request, or make a token: POST /tokens (haul token add)."))
}
