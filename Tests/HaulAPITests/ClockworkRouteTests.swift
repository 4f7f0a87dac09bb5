import HaulHTTP
import HaulModel
import HaulStore
import Support
import Testing

@testable import HaulAPI
@testable import HaulEngine

@Suite struct ClockworkRouteTests {
    /// What ``ClockworkRoutes`` lists is what there is: no route goes without its table of roles.
    @Test func allAreKnown() async throws {
        let routes = try await TestAPI().router.routes.filter { $0.pattern.hasPrefix("/api/") }
        let known = ClockworkRoutes.roots.flatMap { root in
            ClockworkRoutes.all.map { "\($0.method) \(root)\($0.path)" }
        }
        #expect(routes.map { "\($0.method) \($0.pattern)" }.sorted() == known.sorted())
    }

    /// Only what takes a dict takes a long body.
    @Test func bodies() async throws {
        let router = try await TestAPI().router
        for root in ClockworkRoutes.roots {
            for route in ClockworkRoutes.all {
                let head = HTTPRequestHead(method: route.method, target: root + route.path)
                let limit = route.method == "PUT" ? 8 << 20 : 64 << 10
                #expect(router.admission(of: head).bodyLimit == limit, "\(route)")
            }
        }
    }

    /// A site that another server made a moment ago is looked for once where a job names it, or who asks does.
    @Test(arguments: [true, false]) func latestSites(isNamed: Bool) async throws {
        let api = try await TestAPI()
        let (engine, clockwork) = (api.engine, ClockworkAPI(api.door))
        func keep(_ site: Site) async throws {
            let kept = KeptSite(id: site.id, name: site.name, body: site.document)
            try await engine.store.write { try $0.keep(kept, now: engine.world.now()) }
        }
        try await keep(Site(id: 1, name: "a", protocolName: .ssh, endpoints: []))
        try await engine.readSites()
        let new = Site(id: 1000, name: "new", protocolName: .ssh, endpoints: [])
        try await keep(new)
        let user = try await engine.store.write { try $0.user(named: "alice", now: engine.world.now()) }
        let rules = RegistrationRules(sites: SiteDirectory([new])) { _ in CommonOptions.specs }
        let request = try JobRequest(["src_siteid": 1000, "src_filepath": "/d"], type: .list, rules: rules)
        let job = try #require(try await engine.register([request], user: user).first)
        #expect(engine.rules.sites.site("new") == nil)
        if isNamed {
            for (cluster, isThere) in [("new", true), ("a", false), ("nowhere", false)] {
                let target = "/jobs/one?job_id=\(job.id)&cluster_name=\(cluster)"
                let named = try await clockwork.named(
                    try ClockworkParameters(HTTPRequest(method: "GET", target: target)))
                #expect((named?.id == job.id) == isThere, "\(cluster)")
            }
        } else {
            #expect(try await clockwork.sites(of: [job])[1000]?.name == "new")
        }
    }
}
