import HaulHTTP
import Support
import Testing

@testable import HaulAPI

@Suite struct UWSRouteTests {
    /// What ``UWSRoutes`` lists is what there is: no route goes without its table of roles.
    @Test func allAreKnown() async throws {
        let routes = try await TestAPI().router.routes.filter { $0.pattern.hasPrefix("/uws") }
        let known = UWSRoutes.all.map { "\($0.method) /uws\($0.path)" }
        #expect(routes.map { "\($0.method) \($0.pattern)" }.sorted() == known.sorted())
    }
}
