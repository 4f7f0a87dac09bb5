import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    private static let siteKeys: Set<String> = [
        "name", "protocol", "endpoints", "options", "root", "limits", "users", "groups",
    ]

    /// Sites: everybody sees those that they may use, operators change them, users those that they made.
    func addSiteRoutes(to router: inout Routes) {
        let sites = Route("Sites", .readJobs, answers: .ok(.list(of: SiteDocument.schema)))
        router.on("GET", "/sites", sites) { request, _ in
            let who = try await principal(of: request, .readJobs)
            let bans = Dictionary(try await engine.bans().map { ($0.siteID, $0.reason) }) { $1 }
            let sites = try await engine.latestRules().sites.sites.sorted { $0.id < $1.id }
            return JSONText.response(
                sites.filter { $0.access.admits(who.siteUser) }.map { Self.document($0, bans[$0.id], for: who) })
        }
        let make = Route(
            "Make a site", .manage, body: .json(.newSite), answers: .created(SiteDocument.schema),
            .conflict("The id or the name is that of another site, or this user has as many as may be."))
        router.on("POST", "/sites", make, bodyLimit: 256 << 10) { request, _ in try await addSite(request) }
        let show = Route("A site", .readJobs, answers: .ok(SiteDocument.schema))
        router.on("GET", "/sites/:site", show) { request, path in
            let who = try await principal(of: request, .readJobs)
            return try await answer(try await site(path["site"], for: who), who)
        }
        let change = Route(
            "Change a site, close or open it", .manage, body: .json(.siteChange), answers: .ok(SiteDocument.schema),
            .conflict("The name is that of another site."))
        router.on("PATCH", "/sites/:site", change, bodyLimit: 256 << 10) { request, path in
            try await changeSite(request, path["site"])
        }
        let remove = Route("Remove a site", .manage, answers: Route.Answer(204, "Removed"))
        router.on("DELETE", "/sites/:site", remove) { request, path in
            let who = try await principal(of: request, .operate, .changeJobs)
            let site = try await ownSite(path["site"], of: who)
            try await engine.remove(site: site.id, by: who.actor(request))
            return HTTPResponse(status: 204)
        }
    }

    private func addSite(_ request: HTTPRequest) async throws -> HTTPResponse {
        let who = try await principal(of: request, .operate, .changeJobs)
        guard who.isOperator || userSites.most > 0 else { throw Problem.notAllowed(who, [.operate]) }
        let document = try JSONText.object(request.body)
        var fields = Fields(document)
        _ = fields.required("name") { $0.value($1) }
        _ = fields.required("protocol") { $0.value($1) }
        let id = fields.int("id", in: 1...1_000_000_000)
        if id != nil, !who.isOperator { fields.note("id", "is the operators' to choose") }
        note(unknown: document, &fields, besides: ["id"])
        try fields.check()
        var site = Site(id: id ?? 0, name: "", protocolName: .gridftp, endpoints: [])
        try update(&site, document, by: who)
        if !who.isOperator { site.access.owner = who.user.name }
        let added = try await engine.add(site, most: who.isOperator ? nil : userSites.most, by: who.actor(request))
        return JSONText.response(Self.document(added, nil, for: who), status: 201)
    }

    private func changeSite(_ request: HTTPRequest, _ name: String) async throws -> HTTPResponse {
        let who = try await principal(of: request, .operate, .changeJobs)
        let site = try await ownSite(name, of: who)
        let document = try JSONText.object(request.body)
        var fields = Fields(document)
        let reason = fields.text("banned", limit: 1000)
        if reason?.isEmpty == true { fields.note("banned", "is empty: say why, or null to open the site") }
        if document["banned"] != nil, !who.isOperator { fields.note("banned", "is the operators' to say") }
        if document["protocol"] != nil { fields.note("protocol", "stays: jobs were registered for it") }
        if document.isEmpty {
            fields.note(
                "banned", "is missing: a reason, or null; or one of \(Self.siteKeys.sorted().joined(separator: ", "))")
        }
        note(unknown: document, &fields, besides: ["banned"])
        try fields.check()
        var wanted = document
        wanted["banned"] = nil
        if !wanted.isEmpty {
            let (change, actor) = (wanted, who.actor(request))
            _ = try await engine.change(site: site.id, by: actor) { known in
                var site = known
                try update(&site, change, by: who)
                return (site, change.keys.sorted().joined(separator: " "))
            }
        }
        if document["banned"] != nil {
            try await engine.setBan(reason, site: site.id, by: who.actor(request))
        }
        return try await answer(try await self.site("\(site.id)", for: who), who)
    }

    private func note(unknown document: [String: JSONValue], _ fields: inout Fields, besides: Set<String>) {
        for key in document.keys where !Self.siteKeys.contains(key) && !besides.contains(key) {
            fields.note(key, "is not known: one of \(Self.siteKeys.union(besides).sorted().joined(separator: ", "))")
        }
    }

    private func update(_ site: inout Site, _ document: [String: JSONValue], by who: Principal) throws {
        do { try site.update(document) { userSites.options($0) } } catch {
            throw Problem.fields(error.fields)
        }
        guard !who.isOperator else {
            // What jobs may name is described once, at the start.
            guard engine.rules.protocols.contains(site.protocolName) else {
                let names = engine.rules.protocols.map(\.name).sorted().joined(separator: ", ")
                throw Problem.fields(["protocol": "has no manifest here: \(names)"])
            }
            return
        }
        // Who leads a site elsewhere has what is shown there.
        guard who.scopes.contains(.credentials) else { throw Problem.notAllowed(who, [.credentials]) }
        for spec in userSites.options(site.protocolName) ?? [] where spec.isOperators && site.options[spec.name] != nil
        {
            throw Problem.fields(["options.\(spec.name)": "is the operators' to say"])
        }
        guard userSites.protocols.contains(site.protocolName) else {
            let names = userSites.protocols.map(\.name).sorted().joined(separator: ", ")
            throw Problem.fields(["protocol": "must be one of \(names) for a user's own site"])
        }
    }

    /// A site that this user may use, by id or name.
    private func site(_ name: String, for who: Principal) async throws -> Site {
        guard let site = try await engine.latestRules().sites.site(name), site.access.admits(who.siteUser) else {
            throw Problem.noSite(name)
        }
        return site
    }

    /// A site that this user may change.
    private func ownSite(_ name: String, of who: Principal) async throws -> Site {
        let site = try await site(name, for: who)
        guard who.isOperator || site.access.owner == who.user.name else { throw Problem.notAllowed(who, [.operate]) }
        return site
    }

    private func answer(_ site: Site, _ who: Principal) async throws -> HTTPResponse {
        let ban = try await engine.bans().first { $0.siteID == site.id }
        return JSONText.response(Self.document(site, ban?.reason, for: who))
    }

    private static func document(_ site: Site, _ banned: String?, for who: Principal) -> SiteDocument {
        SiteDocument(site, banned: banned, isWhole: who.isOperator || site.access.owner == who.user.name)
    }
}

extension Schema {
    private static let names = list(of: text(1...256), 0...1000).orNull
    private static let siteLimit = integer(1...1_000_000).orNull
    private static let siteFields: KeyValuePairs<String, Schema> = [
        "endpoints?": list(of: text(1...300), 0...64).orNull.about("HOST:PORT"), "options?": values.orNull,
        "root?": text(1...4096).orNull.about("The topmost path, which a REMOVE spares unless confirmed"),
        "limits?": object(["in?": siteLimit, "out?": siteLimit]).orNull.about("Elements with workers at once"),
        "users?": names.about("Who may use it; null, and no groups: everybody"), "groups?": names,
    ]
    private static let siteName = text(1...64, pattern: "^[A-Za-z0-9._-]*[A-Za-z._-][A-Za-z0-9._-]*$")
    fileprivate static let newSite = object([
        "id?": integer(1...1_000_000_000).orNull.about("For operators; else it gets one"), "name": siteName,
        "protocol": text(1...32),
    ]).adding(nil, object(siteFields))
    fileprivate static let siteChange = object([
        "banned?": text(1...1000).orNull.about("For operators: why; null opens it"), "name?": siteName,
    ]).adding(nil, object(siteFields)).with("minProperties", 1)
}

extension Problem {
    static func noSite(_ name: String) -> Problem {
        Problem(
            ProblemDocument(
                status: 404, title: "Not found", code: "no_such_site", detail: "There is no site \"\(name)\".",
                hint: "GET /sites (haul sites) lists them."))
    }
}
