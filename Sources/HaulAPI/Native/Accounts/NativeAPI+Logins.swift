import HaulAuth
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// Logins, tokens and users.
    func addAccountRoutes(to router: inout Routes) {
        addLoginRoutes(to: &router)
        addTokenRoutes(to: &router)
        addUserAccountRoutes(to: &router)
    }

    /// Getting in and out.
    private func addLoginRoutes(to router: inout Routes) {
        let login = Route(
            "Log in", .everyone, body: .json(loginSchema), answers: .ok(TokenDocument.schema),
            .problem(401, "The name and the password are not a user's."), .tooManyWrong)
        router.on("POST", "/login", login, bodyLimit: 8192) { request, _ in try await self.login(request) }
        let logout = Route(
            "End the token that is shown", .known, answers: .ok(TokenDocument.schema),
            .conflict("A password was shown."))
        router.on("POST", "/logout", logout) { request, _ in
            let who = try await anyone(request)
            guard let token = who.token, token.spec.identity == nil else { throw Problem.noTokenToRevoke }
            return JSONText.response(
                TokenDocument(try await accounts.revoke(token: token.id, of: who.user.id, by: who.actor(request))))
        }
        let who = Route("Who is asking", .known, answers: .ok(WhoDocument.schema))
        router.on("GET", "/whoami", who) { request, _ in
            let who = try await anyone(request)
            return JSONText.response(WhoDocument(user: who.user, role: who.role, scopes: who.scopes, token: who.token))
        }
        let password = Route(
            "Change one's password", .tokens, body: .json(Self.passwordSchema), answers: .ok(AccountDocument.schema),
            .tooManyWrong)
        router.on("PUT", "/password", password, bodyLimit: 8192) { request, _ in
            let who = try await principal(of: request, .tokens)
            var fields = Fields(try JSONText.object(request.body))
            let old = fields.required("password") { $0.text($1, limit: 4096) }
            let new = fields.required("new_password") { $0.text($1, limit: 4096) }
            fields.check(password: new, "new_password", of: who.user.name)
            try fields.check()
            // Who has found a token must not be able to make it last.
            let account = try await accounts.check(who.user.name, old ?? "", from: request.remoteAddress)
            return JSONText.response(
                AccountDocument(
                    try await accounts.change(account.user.name, password: .some(new), by: who.actor(request))))
        }
    }

    private var loginSchema: Schema {
        .object(
            [
                "user": .text(0...4096), "password": .text(0...4096),
                "duration?": Schema.seconds(atMost: loginLimits.longest).orNull.about("Seconds"),
                "scopes?": .list(of: .scope, 1...Int.max).orNull,
            ], isOpen: true)
    }

    private static let passwordSchema = Schema.object(
        ["password": .text(0...4096), "new_password": .text(10...1024)], isOpen: true)

    /// `POST /login`.
    private func login(_ request: HTTPRequest) async throws -> HTTPResponse {
        if request.hasInvalidEncoding { throw Problem.badEncoding }
        let document = try JSONText.object(request.body)
        var fields = Fields(document)
        let name = fields.required("user") { $0.text($1, limit: 4096) }
        let password = fields.required("password") { $0.text($1, limit: 4096) }
        let seconds = fields.seconds("duration", atMost: loginLimits.longest) ?? loginLimits.usual
        let scopes = fields.scopes()
        try fields.check()
        let new = try await accounts.login(
            name ?? "", password ?? "", from: request.remoteAddress, seconds: seconds, scopes: scopes)
        var response = JSONText.response(TokenDocument(new.known, token: new.token))
        response.headers.set("Cache-Control", "no-store")
        return response
    }
}

extension Route.Answer {
    fileprivate static let tooManyWrong = Route.Answer.problem(
        429, "Too many passwords were wrong, or a limit of the user is reached; Retry-After says how long.")
}

extension Schema {
    /// A number of seconds, as a number or a text of one.
    static func seconds(atMost limit: Double) -> Schema {
        Schema(["type": "number", "minimum": 1, "maximum": .double(limit)])
    }
}

extension Fields {
    /// A number of seconds that is positive, and not more than a limit.
    mutating func seconds(_ name: String, atMost limit: Double) -> Double? {
        guard let seconds = number(name) else { return nil }
        if seconds < 1 || seconds > limit {
            note(name, "must be a number of seconds from 1 to \(Int(limit))")
            return nil
        }
        return seconds
    }

    /// What a token is narrowed to; nil where nothing is said.
    mutating func scopes() -> Set<Scope>? {
        let names = Scope.allCases.map(\.rawValue).joined(separator: ", ")
        guard let list = list("scopes", "scopes (\(names))", { $0.string.flatMap(Scope.init) }) else { return nil }
        if list.isEmpty { note("scopes", "is empty: leave it out for all, or name some of \(names)") }
        return Set(list)
    }

    /// Notes what is wrong with a new password.
    mutating func check(password: String?, _ name: String, of user: String) {
        guard let password, let problem = Logins.problem(with: password, of: user) else { return }
        note(name, problem)
    }
}

extension Problem {
    fileprivate static let noTokenToRevoke = Problem(
        ProblemDocument(
            status: 409, title: "Conflict", code: "no_token", detail: "There is no token of haul's to end.",
            hint: "Nothing is to be done: no login was made."))
}
