import HaulAuth
import HaulHTTP
import HaulModel
import HaulWire

extension Problem {
    static let unauthorized = noToken(
        "The request has no token that is known here.",
        hint:
            "Send it as \"Authorization: Bearer TOKEN\" or in X-Token; haul login asks for one, operators make one with "
            + "hauld token add.")

    static let noElementToken = noToken(
        "The request has no token of the element that its path names.",
        hint: "Send the `token` that came with the element, as \"Authorization: Bearer TOKEN\" or in X-Token.")

    private static func noToken(_ detail: String, hint: String) -> Problem {
        Problem(
            ProblemDocument(status: 401, title: "Unauthorized", code: "no_token", detail: detail, hint: hint),
            headers: ["WWW-Authenticate": "Bearer realm=\"haul\""])
    }

    /// 403, by what is missing: a role, or a scope that the token was not given.
    static func notAllowed(_ principal: Principal, _ scopes: [Scope]) -> Problem {
        let roles = Role.allCases.filter { !$0.scopes.isDisjoint(with: scopes) }
        guard roles.contains(principal.role) else {
            let names = roles.map(\.rawValue).joined(separator: " or ")
            return forbidden(
                "role", "A token of role \(principal.role.rawValue) may not do this.",
                hint: "Use a token of role \(names).")
        }
        let names = scopes.filter(principal.role.scopes.contains).map(\.rawValue).joined(separator: " or ")
        return forbidden(
            "scope", "The token was made without the scope \(names).",
            hint: "Use one that has it: haul token lists yours.")
    }

    static let tokenNeeded = forbidden(
        "token_needed", "A worker is known by a token, not by a name and a password.",
        hint: "Operators make one: hauld token add --role worker.")

    static func forbidden(_ code: String, _ detail: String, hint: String) -> Problem {
        Problem(ProblemDocument(status: 403, title: "Forbidden", code: code, detail: detail, hint: hint))
    }

    /// - Parameters:
    ///   - left: seconds.
    ///   - guesses: what was wrong, in the plural.
    static func locked(_ left: Double, _ guesses: String, hint: String) -> Problem {
        let seconds = max(1, Int(left.rounded(.up)))
        return Problem(
            ProblemDocument(
                status: 429, title: "Too many requests", code: "locked",
                detail: "Too many \(guesses) were wrong: none is tried for \(seconds) s.", hint: hint),
            headers: ["Retry-After": "\(seconds)"])
    }

    init(_ refusal: LoginRefusal) {
        switch refusal {
        case .wrong:
            self.init(
                ProblemDocument(
                    status: 401, title: "Unauthorized", code: "bad_login",
                    detail: "The name and the password are not those of a user.",
                    hint: "Check both; operators give a new password with PATCH /users/NAME."),
                headers: ["WWW-Authenticate": "Bearer realm=\"haul\""])
        case .locked(let left):
            self = .locked(left, "passwords", hint: "Wait as long as Retry-After says; a token works meanwhile.")
        case .busy:
            self.init(
                ProblemDocument(
                    status: 503, title: "Unavailable", code: "busy",
                    detail: "More passwords are being checked than this server can.",
                    hint: "Try again in a second; a token works meanwhile."),
                headers: ["Retry-After": "1"])
        }
    }
}

extension Problem {
    static func noUser(_ name: String) -> Problem {
        Problem(
            ProblemDocument(
                status: 404, title: "Not found", code: "no_such_user", detail: "There is no user \"\(name)\".",
                hint: "GET /users (haul users) lists them."))
    }
}
