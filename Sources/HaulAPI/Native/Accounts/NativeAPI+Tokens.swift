import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// Tokens of one's own; operators make and see those of others.
    func addTokenRoutes(to router: inout Routes) {
        let list = Route(
            "Tokens", .tokens, query: ["user?": .text.about("For operators: a name, or * for everybody's")],
            answers: .ok(listOf: TokenDocument.schema), .notFound("There is no such user."))
        router.on("GET", "/tokens", list) { request, _ in try await listTokens(request) }
        let make = Route(
            "Make a token", .tokens, body: .json(Self.tokenSchema), answers: .created(TokenDocument.schema),
            .notFound("There is no such user."), .conflict("The user is disabled, or has as many as may be."))
        router.on("POST", "/tokens", make, bodyLimit: 64 << 10) { request, _ in try await addToken(request) }
        let revoke = Route("Revoke a token", .tokens, answers: .ok(TokenDocument.schema))
        router.on("DELETE", "/tokens/:token", revoke) { request, path in
            let who = try await principal(of: request, .tokens)
            let id = try path.number("token")
            let revoked = try await accounts.revoke(
                token: id, of: who.isOperator ? nil : who.user.id, by: who.actor(request))
            return JSONText.response(TokenDocument(revoked))
        }
    }

    /// `GET /tokens`, with `?user=NAME` or `?user=*` for operators.
    private func listTokens(_ request: HTTPRequest) async throws -> HTTPResponse {
        let who = try await principal(of: request, .tokens)
        var owner: Int? = who.user.id
        if let name = request.query("user"), !name.isEmpty, name != who.user.name {
            guard who.isOperator else { throw Problem.notAllowed(who, [.operate]) }
            owner = name == "*" ? nil : try await accounts.account(named: name).user.id
        }
        let user = owner
        let first = try await accounts.tokens(ofUser: user, after: 0, limit: Self.page)
        let response = JSONStream(for: request).response { [accounts] sink in
            var tokens = first
            while true {
                for token in tokens {
                    sink.begin()
                    try await sink.write(JSONText.bytes(TokenDocument(token)))
                }
                guard tokens.count == Self.page, let last = tokens.last else { return }
                tokens = try await accounts.tokens(ofUser: user, after: last.record.id, limit: Self.page)
            }
        }
        return watched(response, request.head)
    }

    private static let tokenSchema = Schema.object(
        [
            "role?": .role.orNull, "user?": .text(0...64).orNull, "name?": .text(0...128).orNull,
            "scopes?": .list(of: .scope, 1...Int.max).orNull,
            "duration?": Schema.seconds(atMost: longestToken).orNull.about("Seconds; without it, for ever"),
            "sites?": Schema.list(of: .siteReference).orNull.about("What a worker's token is restricted to"),
            "queues?": .list(of: .text).orNull, "users?": .list(of: .text).orNull,
        ], isOpen: true)

    /// `POST /tokens`.
    private func addToken(_ request: HTTPRequest) async throws -> HTTPResponse {
        let who = try await principal(of: request, .tokens)
        var fields = Fields(try JSONText.object(request.body))
        let role = fields.role()
        let owner = fields.text("user", limit: 512)
        // What one shows is the most that one gives.
        var spec = TokenSpec(role: role ?? (owner == nil || owner == who.user.name ? who.role : .user))
        spec.name = fields.text("name", limit: 128) ?? ""
        spec.scopes = fields.scopes()
        spec.expires = fields.seconds("duration", atMost: Self.longestToken).map {
            engine.world.now().adding(seconds: $0)
        }
        spec.sites = fields.list("sites", "ids or names of sites", siteID)
        spec.queues = fields.list("queues", "names of queues") { $0.string }
        spec.users = fields.list("users", "names of users") { $0.string }
        let isRestricted = spec.sites != nil || spec.queues != nil || spec.users != nil
        if isRestricted, spec.role != .worker {
            fields.note("role", "must be worker: sites, queues and users restrict what a worker gets")
        }
        if let scopes = spec.scopes, !scopes.isSubset(of: spec.role.scopes) {
            fields.note("scopes", "has what a token of role \(spec.role.rawValue) cannot have")
        }
        try fields.check()
        let user = try await self.owner(owner, of: spec, for: who)
        if !who.isOperator {
            // A token never makes one that can do more, or lasts longer, than itself.
            let excess = (spec.scopes ?? []).subtracting(who.scopes)
            guard excess.isEmpty else { throw Problem.notAllowed(who, Array(excess)) }
            spec.scopes = spec.scopes ?? who.token?.spec.scopes
            if let end = who.token?.spec.expires { spec.expires = min(spec.expires ?? end, end) }
        }
        if who.token?.spec.identity != nil {
            // Somebody else's word, which may be taken back: what rests on it ends like a login.
            let end = who.token?.spec.expires ?? engine.world.now().adding(seconds: loginLimits.longest)
            spec.expires = min(spec.expires ?? end, end)
        }
        let new = try await accounts.addToken(spec, to: user, by: who.actor(request))
        var response = JSONText.response(TokenDocument(new.known, token: new.token), status: 201)
        response.headers.set("Cache-Control", "no-store")
        return response
    }

    /// Ten years, in seconds.
    private static let longestToken = 315_360_000.0

    /// Whose token it is to be.
    private func owner(_ name: String?, of spec: TokenSpec, for who: Principal) async throws -> User {
        let isOwn = name == nil || name == who.user.name
        guard who.isOperator || (isOwn && spec.role == who.role) else { throw Problem.notAllowed(who, [.operate]) }
        if isOwn { return who.user }
        let account = try await accounts.account(named: name ?? "")
        guard account.disabled == nil else {
            throw Problem.conflict(
                "disabled", "Nobody gets in as \(account.user.name).", hint: "Enable the user first: PATCH /users/NAME."
            )
        }
        return account.user
    }
}
