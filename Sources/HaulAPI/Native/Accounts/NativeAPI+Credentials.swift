import Foundation
import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// What a user shows at sites: kept, listed and removed by them, read by workers that hold a lease of theirs.
    func addCredentialRoutes(to router: inout Routes) {
        let noVault = Route.Answer.notFound("The server keeps no credentials.")
        let list = Route(
            "What one shows at sites", .credentials, query: ["user?": .text.about("For operators: whose")],
            answers: .ok(.list(of: CredentialDocument.schema)),
            .notFound("There is no such user, or the server keeps no credentials."))
        router.on("GET", "/credentials", list) { request, _ in
            let who = try await principal(of: request, .credentials)
            var owner = who.user
            if let name = request.query("user"), !name.isEmpty, name != who.user.name {
                guard who.isOperator else { throw Problem.notAllowed(who, [.operate]) }
                guard let user = try await engine.user(named: name) else { throw Problem.noUser(name) }
                owner = user
            }
            let found = try await usable(vault).list(ofUser: owner.id)
            return JSONText.response(found.map(document))
        }
        let put = Route(
            "Keep a credential", .credentials, body: .json(.newCredential), answers: .ok(CredentialDocument.schema),
            .conflict("As many are kept as may be."), noVault)
        router.on("PUT", "/credentials", put, bodyLimit: 256 << 10) { request, _ in
            let who = try await principal(of: request, .credentials)
            let vault = try usable(vault)
            var fields = Fields(try JSONText.object(request.body))
            let kind = fields.required("kind") { $0.text($1, limit: 64) }
            let secret = fields.required("secret") { $0.text($1, limit: 128 << 10) }
            let site = try await credentialSite(&fields, who)
            try fields.check()
            let kept = try await refusing {
                try await vault.put(
                    Array((secret ?? "").utf8), kind: kind ?? "", site: site, user: who.user, by: who.actor(request))
            }
            return JSONText.response(document(kept))
        }
        let fetch = Route(
            "Keep a proxy of a MyProxy server's", .credentials, body: .json(.myProxy),
            answers: .ok(CredentialDocument.schema), .conflict("The server gave none, or as many are kept as may be."),
            .notFound("The server keeps no credentials, or asks no MyProxy server."))
        router.on("POST", "/myproxy", fetch, bodyLimit: 64 << 10) { request, _ in
            try await logon(request)
        }
        let remove = Route("Remove a credential", .credentials, answers: Route.Answer(204, "Removed"))
        router.on("DELETE", "/credentials/:credential", remove) { request, path in
            let who = try await principal(of: request, .credentials)
            let vault = try usable(vault)
            guard let id = Int(id: path["credential"]) else { throw Problem.notFound(request) }
            try await refusing { try await vault.remove(id, of: who.user.id, by: who.actor(request)) }
            return HTTPResponse(status: 204)
        }
        addLeasedCredentialRoutes(to: &router)
    }

    /// Keeps a proxy that a MyProxy server gives for a name and a passphrase, which is not kept.
    private func logon(_ request: HTTPRequest) async throws -> HTTPResponse {
        let who = try await principal(of: request, .credentials)
        let vault = try usable(vault)
        guard let myProxy, let usual = myProxy.servers.first else {
            throw Problem(
                ProblemDocument(
                    status: 404, title: "Not found", code: "no_myproxy",
                    detail: "This server asks no MyProxy server.",
                    hint: "Its operators name some: myproxy in hauld.json5."))
        }
        var fields = Fields(try JSONText.object(request.body))
        let server = fields.text("server", limit: 300) ?? usual
        if !myProxy.servers.contains(server) {
            fields.note("server", "must be one of \(myProxy.servers.joined(separator: ", "))")
        }
        let username = fields.text("username", limit: 256) ?? who.user.name
        let passphrase = fields.required("passphrase") { $0.text($1, limit: 1024) }
        let hours = fields.int("hours", in: 1...8760) ?? 12
        let site = try await credentialSite(&fields, who)
        try fields.check()
        guard
            let wish = MyProxyRequest(server: server, username: username, passphrase: passphrase ?? "", hours: hours)
        else {
            throw Problem.fields(["username": "or the passphrase is empty, begins with a dash, or is no line of text"])
        }
        let kept = try await refusing {
            let proxy: [UInt8]
            do {
                proxy = try await authenticator.logins.guarding(
                    "myproxy\0\(server)\0\(username)", from: request.remoteAddress, isGuess: { $0.mayBeGuess }
                ) { try await myProxy.logon(wish) }
            } catch LoginRefusal.locked(let left) {
                throw Problem.locked(left, "passphrases", hint: "Wait as long as Retry-After says.")
            }
            return try await vault.put(
                proxy, kind: "x509-proxy", site: site, user: who.user, by: who.actor(request))
        }
        return JSONText.response(document(kept))
    }

    /// The site that a document names; nil for every site.
    func credentialSite(_ fields: inout Fields, _ who: Principal) async throws -> Site? {
        let name: String
        switch fields.value("site") {
        case nil: return nil
        case .int(let id): name = "\(id)"
        case .string(let text): name = text
        default:
            fields.note("site", "must be the id or name of a site, or null")
            return nil
        }
        let site = try await engine.latestRules().sites.site(name)
        guard let site, site.access.admits(who.siteUser) else {
            fields.note("site", "is \"\(name.prefix(64))\", and no site that you may use has this name or id")
            return nil
        }
        return site
    }

    func usable(_ vault: Vault?) throws -> Vault {
        if let vault { return vault }
        throw Problem(
            ProblemDocument(
                status: 404, title: "Not found", code: "no_vault", detail: "This server keeps no credentials.",
                hint: "Its operators name a key file: vault in hauld.json5."))
    }

    func document(_ credential: Credential) -> CredentialDocument {
        CredentialDocument(
            credential, site: credential.siteID.map { engine.rules.sites[$0]?.name ?? "\($0)" }, now: engine.world.now()
        )
    }

    func refusing<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let refusal as CredentialRefusal {
            throw Problem(refusal) { engine.rules.sites[$0]?.name ?? "\($0)" }
        } catch let problem as VaultProblem {
            throw Problem.fault(cause: problem.description)
        } catch let refusal as MyProxyRefusal {
            throw Problem(refusal)
        }
    }
}

extension Schema {
    private static let someSite = any(of: [text, count, Schema(["type": "null"])]).about(
        "Where it is shown, by id or name; null: everywhere")
    fileprivate static let newCredential = object(
        ["kind": text(1...64), "secret": text(1...131_072), "site?": someSite], isOpen: true)
    fileprivate static let myProxy = object(
        [
            "passphrase": text(1...1024), "username?": text(1...256).orNull, "server?": text(1...300).orNull,
            "hours?": integer(1...8760).orNull, "site?": someSite,
        ], isOpen: true)
}

extension Error {
    /// Whether a MyProxy server may have said something of a passphrase; who goes away before it did counts, too.
    fileprivate var mayBeGuess: Bool {
        switch self as? MyProxyRefusal {
        case .busy, .fault, .unanswered: false
        case .refused, nil: true
        }
    }
}

extension Problem {
    init(_ refusal: MyProxyRefusal) {
        switch refusal {
        case .refused(let said):
            self = .conflict(
                "myproxy_refused", "The MyProxy server gave no proxy: \(said)",
                hint: "Look at the name, the passphrase, and "
                    + "whether the credential there is still good (myproxy-info).")
        case .unanswered(let said):
            self.init(
                ProblemDocument(
                    status: 503, title: "Service unavailable", code: "myproxy_unanswered",
                    detail: "The MyProxy server could not be asked: \(said)",
                    hint: "Try again later, or ask who runs it."), headers: ["Retry-After": "30"])
        case .busy:
            self.init(
                ProblemDocument(
                    status: 503, title: "Service unavailable", code: "busy", detail: "Many proxies are asked for.",
                    hint: "Try again in a moment."), headers: ["Retry-After": "5"])
        case .fault(let cause): self = .fault(cause: cause)
        }
    }

    init(_ refusal: CredentialRefusal, site name: (Int) -> String) {
        switch refusal {
        case .unfit(let why): self = .fields(["secret": why])
        case .unknownKind(let kind, let known):
            let choice = known.isEmpty ? "the site's protocol takes none" : "one of \(known.joined(separator: ", "))"
            self = .fields(["kind": "is \"\(kind.prefix(64))\", and must be what the site's protocol takes: \(choice)"])
        case .siteNeeded(let kind): self = .fields(["site": "is missing: a \(kind) is shown to one site alone"])
        case .othersSite(let name):
            self = .fields([
                "site": "\(name) is another user's own: credentials are shown at the operators' sites and at yours"
            ])
        case .none(let id):
            self.init(
                ProblemDocument(
                    status: 404, title: "Not found", code: "no_such_credential",
                    detail: "You have no credential \(id).",
                    hint: "GET /credentials (haul credentials) lists them."))
        case .tooMany(let most):
            self = .conflict(
                "too_many_credentials", "A user may keep \(most) credentials.",
                hint: "Remove some: DELETE /credentials/ID.")
        case .expired(let kind, let site, let time):
            self = .conflict(
                "credential_expired", "The \(kind) for site \(name(site)) expired at \(time.text).",
                hint: "Its user gives a new one: haul credentials put.")
        case .unreadable(let cause): self = .fault(cause: cause)
        }
    }
}
