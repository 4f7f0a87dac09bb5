import Foundation
import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// What a user shows at sites: kept, listed and removed by them, read by workers that hold a lease of theirs.
    func addCredentialRoutes(to router: inout Router) {
        router.on("GET", "/credentials", gate: gate(.credentials)) { request, _ in
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
        router.on("PUT", "/credentials", bodyLimit: 256 << 10, gate: gate(.credentials)) { request, _ in
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
        router.on("DELETE", "/credentials/:credential", gate: gate(.credentials)) { request, path in
            let who = try await principal(of: request, .credentials)
            let vault = try usable(vault)
            guard let id = Int(path["credential"]) else { throw Problem.notFound(request) }
            try await refusing { try await vault.remove(id, of: who.user.id, by: who.actor(request)) }
            return HTTPResponse(status: 204)
        }
        router.on("GET", "/worker/jobs/:job/elements/:element/credentials", gate: elementGate()) { request, path in
            try await give(request, path)
        }
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

    /// Gives a worker what the user of a job shows at its sites.
    private func give(_ request: HTTPRequest, _ path: PathParameters) async throws -> HTTPResponse {
        let token = try Self.elementToken(request.head)
        guard let job = Int(path["job"]), let element = Int(path["element"]) else { throw Problem.notFound(request) }
        let places = try await engine.places(provenBy: token, job: job, element: element)
        var given = GivenCredentials(source: [:], destination: [:])
        if let vault {
            try await refusing {
                if let site = places.source { given.source = try await Self.secrets(vault, places.userID, site) }
                if let site = places.destination {
                    given.destination = try await Self.secrets(vault, places.userID, site)
                }
            }
        }
        var response = JSONText.response(given)
        response.headers.set("Cache-Control", "no-store")
        return response
    }

    private static func secrets(_ vault: Vault, _ user: Int, _ site: Site) async throws -> [String: Data] {
        try await vault.open(ofUser: user, at: site).mapValues { Data($0) }
    }

    /// What a claim says of credentials: kind to what it is by now.
    func tags(_ credentials: [Credential], at site: Site) -> [String: String]? {
        let shown = vault?.shown(credentials, at: site) ?? [:]
        return shown.isEmpty ? nil : shown.mapValues { "\($0.id).\($0.revision)" }
    }

    func usable(_ vault: Vault?) throws -> Vault {
        if let vault { return vault }
        throw Problem(
            ProblemDocument(
                status: 501, title: "Not Implemented", code: "no_vault", detail: "This server keeps no credentials.",
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
        } catch let problem as VaultProblem { throw Problem.fault(cause: problem.description) }
    }
}

extension Problem {
    init(_ refusal: CredentialRefusal, site name: (Int) -> String) {
        switch refusal {
        case .unfit(let why): self = .fields(["secret": why])
        case .unknownKind(let kind, let known):
            let choice = known.isEmpty ? "the site's protocol takes none" : "one of \(known.joined(separator: ", "))"
            self = .fields(["kind": "is \"\(kind.prefix(64))\", and must be what the site's protocol takes: \(choice)"])
        case .siteNeeded(let kind): self = .fields(["site": "is missing: a \(kind) is shown to one site alone"])
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
