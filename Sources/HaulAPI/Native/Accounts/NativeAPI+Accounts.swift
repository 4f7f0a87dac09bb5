import HaulAuth
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    var accounts: Accounts { authenticator.accounts }

    /// Users, for operators.
    func addUserAccountRoutes(to router: inout Routes) {
        let users = Route("Users", .operate, answers: .ok(listOf: AccountDocument.schema))
        router.on("GET", "/users", users) { request, _ in try await listUsers(request) }
        let make = Route(
            "Make a user", .operate, body: .json(.newUser), answers: .created(AccountDocument.schema),
            .conflict("There is one of that name."))
        router.on("POST", "/users", make, bodyLimit: 64 << 10) { request, _ in
            let who = try await principal(of: request, .operate)
            var fields = Fields(try JSONText.object(request.body))
            let name = fields.required("name") { $0.text($1, limit: 4096) }
            if let name, let problem = AccessToken.problem(withUser: name) {
                fields.note("name", "is none: " + problem)
            }
            let role = fields.role() ?? .user
            let password = fields.text("password", limit: 4096)
            fields.check(password: password, "password", of: name ?? "")
            try fields.check()
            let account = try await accounts.add(
                name ?? "", role: role, password: password, by: who.actor(request))
            return JSONText.response(AccountDocument(account), status: 201)
        }
        let show = Route("A user", .operate, answers: .ok(AccountDocument.schema))
        router.on("GET", "/users/:user", show) { request, path in
            _ = try await principal(of: request, .operate)
            return JSONText.response(AccountDocument(try await accounts.account(named: path["user"])))
        }
        let change = Route(
            "Change a user", .operate, body: .json(.userChange), answers: .ok(AccountDocument.schema),
            .conflict("Who asks would not be an operator any more."))
        router.on("PATCH", "/users/:user", change, bodyLimit: 64 << 10) { request, path in
            let who = try await principal(of: request, .operate)
            let name = path["user"]
            let document = try JSONText.object(request.body)
            var fields = Fields(document)
            let role = fields.role()
            let isDisabled = fields.flag("disabled")
            let password = fields.text("password", limit: 4096)
            fields.check(password: password, "password", of: name)
            let groups = fields.list("groups", "names of groups, up to 100, each of 1 to 256 bytes") { value in
                value.string.flatMap { (1...256).contains($0.utf8.count) ? $0 : nil }
            }
            if let groups, groups.count > 100 { fields.note("groups", "has more than 100 names") }
            if role == nil, isDisabled == nil, groups == nil, document["password"] == nil, fields.problems.isEmpty {
                fields.note("role", "is missing: give at least one of role, password, disabled and groups")
            }
            try fields.check()
            // The last operator would be out for good.
            guard name != who.user.name || (isDisabled != true && (role ?? .operator) == .operator) else {
                throw Problem.conflict(
                    "yourself", "You would not be an operator any more.", hint: "Have another operator do it.")
            }
            let account = try await accounts.change(
                name, role: role, password: document["password"] == nil ? nil : .some(password), isDisabled: isDisabled,
                groups: groups, by: who.actor(request))
            return JSONText.response(AccountDocument(account))
        }
    }

    /// `GET /users`.
    private func listUsers(_ request: HTTPRequest) async throws -> HTTPResponse {
        _ = try await principal(of: request, .operate)
        let first = try await accounts.list(after: "", limit: Self.page)
        let response = JSONStream(for: request).response { [accounts] sink in
            var users = first
            while true {
                for user in users {
                    sink.begin()
                    try await sink.write(JSONText.bytes(AccountDocument(user)))
                }
                guard users.count == Self.page, let last = users.last else { return }
                users = try await accounts.list(after: last.user.name, limit: Self.page)
            }
        }
        return watched(response, request.head)
    }
}

extension Schema {
    /// The user's name is none, either.
    fileprivate static let password = Schema.text(10...1024).orNull.about("Null: no logins")
    fileprivate static let newUser = object(
        ["name": .userName, "role?": .role.orNull, "password?": .password], isOpen: true)
    fileprivate static let userChange = any(of: [
        change(["role": .role, "disabled?": .flag.orNull, "password?": .password, "groups?": groups.orNull]),
        change(["role?": .role.orNull, "disabled": .flag, "password?": .password, "groups?": groups.orNull]),
        change(["role?": .role.orNull, "disabled?": .flag.orNull, "password": .password, "groups?": groups.orNull]),
        change(["role?": .role.orNull, "disabled?": .flag.orNull, "password?": .password, "groups": groups]),
    ])
    private static let groups = list(of: text(1...256), 0...100)

    private static func change(_ fields: KeyValuePairs<String, Schema>) -> Schema { object(fields, isOpen: true) }

    /// Letters, digits, dots, dashes, underscores and @.
    static let userName = text(1...64, pattern: "^[A-Za-z0-9._@-]+$")
}

extension Fields {
    mutating func role() -> Role? {
        guard let text = text("role") else { return nil }
        if let role = Role(rawValue: text) { return role }
        note("role", "must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
        return nil
    }
}

extension Problem {
    static func conflict(_ code: String, _ detail: String, hint: String) -> Problem {
        Problem(ProblemDocument(status: 409, title: "Conflict", code: code, detail: detail, hint: hint))
    }

    init(_ refusal: AccountRefusal) {
        switch refusal {
        case .exists(let name):
            self = .conflict("exists", "There is a user \(name) already.", hint: "PATCH /users/\(name) changes them.")
        case .noUser(let name): self = .noUser(name)
        case .noToken(let id):
            self.init(
                ProblemDocument(
                    status: 404, title: "Not found", code: "no_such_token", detail: "You have no token \(id).",
                    hint: "GET /tokens (haul token) lists them."))
        case .standing(let id):
            self = .conflict(
                "standing", "Token \(id) stands for who you are outside of haul.",
                hint: "Have your issuer or authority end what you show; an operator can shut you out of haul.")
        case .tooManyTokens(let most):
            self = .conflict(
                "too_many_tokens", "\(most) tokens of this user are good.", hint: "Revoke some: DELETE /tokens/ID.")
        }
    }
}
