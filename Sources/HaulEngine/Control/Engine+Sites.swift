public import HaulModel
import HaulStore

/// What operators, and users where they may, say of sites. It holds on this server at once, on the others within a
/// second.
extension Engine {
    /// Sites of the configuration about which the database says something else, and what becomes of that.
    public struct SeedNote: Sendable, Hashable {
        public var site: String
        public var text: String
    }

    /// Takes the configuration's sites over, and reads all that the database has.
    ///
    /// A site that nobody changed but the configuration follows it; what was changed or removed through the API stays as
    /// it was left.
    public func seed(sites: [Site]) async throws -> [SeedNote] {
        let now = world.now()
        let notes = try await write(waking: StoreChange(.sites)) { writer in
            var notes: [SeedNote] = []
            for site in sites {
                if let note = try Self.seed(site, try writer.reader.site(site.id), writer, now) {
                    notes.append(SeedNote(site: site.name, text: note))
                }
            }
            return notes
        }
        try await readSites()
        return notes
    }

    private static func seed(
        _ site: Site, _ known: KeptSite?, _ writer: StoreWriter, _ now: Timestamp
    ) throws -> String? {
        let body = site.document
        if let other = try writer.reader.site(named: site.name), other.id != site.id {
            return "site \(other.id) has this name; the database's stays"
        }
        let seeded = KeptSite(id: site.id, name: site.name, body: body, seed: seedText(site))
        guard let known else {
            try writer.keep(seeded, now: now)
            return nil
        }
        if known.isRemoved { return "it was removed through the API, and stays so" }
        if known.seed == seeded.seed { return nil }
        if known.name == site.name, known.body == body {
            try writer.keep(seeded, now: now)
            return nil
        }
        guard let seed = known.seed, seed["name"]?.string == known.name,
            seed.filter({ $0.key != "name" }) == known.body
        else { return "it was changed through the API, whose word counts" }
        try writer.keep(seeded, now: now)
        return nil
    }

    private static func seedText(_ site: Site) -> [String: JSONValue] {
        site.document.merging(["name": .string(site.name)]) { $1 }
    }

    /// Reads the sites anew where the database has others than are known here.
    func readSites() async throws {
        let known = sites.revision
        let found = try await store.read { reader -> ([KeptSite], [UInt8])? in
            let revision = try reader.sitesRevision()
            return revision == known ? nil : (try reader.sites(), revision)
        }
        guard let (kept, revision) = found else { return }
        sites.take(try kept.map(Site.init), revision: revision)
    }

    /// The rules as they are on the disk: another server may have made a site a moment ago.
    public func latestRules() async throws -> RegistrationRules {
        if sites.revision != nil { try await readSites() }
        return rules
    }

    /// The sites, those of these ids among them if they are anywhere: another server may have made one a moment ago.
    public func siteDirectory(with ids: [Int]) async throws -> SiteDirectory {
        let known = rules.sites
        // The first id is 1: what is below is nowhere.
        if ids.allSatisfy({ $0 < 1 || known[$0] != nil }) { return known }
        return try await latestRules().sites
    }

    /// How often a user may make each of the sites that they may have.
    private static let sitesInALife = 20

    /// Makes a site.
    ///
    /// - Parameters:
    ///   - site: with the id 0 it gets one.
    ///   - most: sites that its owner may have.
    public func add(_ site: Site, most: Int? = nil, by actor: Requester?) async throws -> Site {
        let now = world.now()
        let added = try await write(waking: StoreChange([.sites, .work])) { writer in
            var site = site
            if let owner = site.access.owner, let most {
                let made = try writer.reader.sites(ofOwner: owner)
                // Of what is removed, the name stays: it is not for ever new.
                guard made.there < most, made.ever < most * Self.sitesInALife else {
                    throw EngineError(
                        .conflict, code: "too_many_sites",
                        detail: "A user may have \(most) sites, and make \(most * Self.sitesInALife) in all.",
                        hint: "Remove one: DELETE /sites/SITE; or change one that is there.")
                }
            }
            // Ids of the configuration are small numbers: one that is added there later shall be free.
            if site.id == 0 { site.id = max(try writer.reader.highestSiteID(), 999) + 1 }
            if let other = try writer.reader.site(site.id) { throw Self.taken("id \(site.id)", other) }
            if let other = try writer.reader.site(named: site.name) { throw Self.taken("name \(site.name)", other) }
            try writer.keep(KeptSite(id: site.id, name: site.name, body: site.document), now: now)
            try writer.note(Deed(.addSite, "\(site.id)", "name=\(site.name)"), by: actor, now: now)
            return site
        }
        try await readSites()
        return added
    }

    /// Changes a site. What runs goes on with what it was told.
    ///
    /// - Parameter body: gets it as it is, answers what it shall be.
    public func change(
        site id: Int, by actor: Requester?, _ body: @escaping @Sendable (Site) throws -> (Site, what: String)
    ) async throws -> Site {
        let now = world.now()
        let changed = try await write(waking: StoreChange([.sites, .work])) { writer in
            guard let kept = try writer.reader.site(id), !kept.isRemoved else { throw Self.noSite("\(id)") }
            let (site, what) = try body(try Site(kept))
            if let other = try writer.reader.site(named: site.name), other.id != id {
                throw Self.taken("name \(site.name)", other)
            }
            try writer.keep(KeptSite(id: id, name: site.name, body: site.document, seed: kept.seed), now: now)
            try writer.note(Deed(.changeSite, "\(id)", what), by: actor, now: now)
            return site
        }
        try await readSites()
        return changed
    }

    /// Removes a site: no job can name it any more, and what waits there fails when its turn comes. Neither its id nor
    /// its name is another's after that: workers' files may still give their credentials to either.
    public func remove(site id: Int, by actor: Requester?) async throws {
        let now = world.now()
        try await write(waking: StoreChange([.sites, .work])) { writer in
            guard var kept = try writer.reader.site(id), !kept.isRemoved else { throw Self.noSite("\(id)") }
            kept.isRemoved = true
            kept.body = kept.body.filter { $0.key == "owner" }
            kept.seed = nil
            try writer.keep(kept, now: now)
            try writer.unban(site: id)
            try writer.note(Deed(.removeSite, "\(id)", "name=\(kept.name)"), by: actor, now: now)
        }
        try await readSites()
    }

    private static func taken(_ what: String, _ other: KeptSite) -> EngineError {
        EngineError(
            .conflict, code: "exists",
            detail: "The \(what) is that of a site that \(other.isRemoved ? "was removed" : "is there").",
            hint: "Choose another; one that was removed is never used again.")
    }

    static func noSite(_ name: String) -> EngineError {
        EngineError(
            .notFound, code: "no_such_site", detail: "There is no site \"\(name)\".",
            hint: "GET /sites (haul sites) lists them.")
    }
}

extension Site {
    /// A site as the database keeps it. What the protocol takes was looked at when it was kept.
    init(_ kept: KeptSite) throws {
        self.init(id: kept.id, name: kept.name, protocolName: .gridftp, endpoints: [])
        do { try update(kept.body) { _ in nil } } catch {
            throw StoreError.failed("site \(kept.id) of the database is none: \(error.fields)")
        }
    }
}
