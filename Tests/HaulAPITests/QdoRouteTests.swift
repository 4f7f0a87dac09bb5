import HaulHTTP
import Support
import Testing

@testable import HaulAPI

@Suite struct QdoRouteTests {
    /// What ``QdoRoutes`` lists is what there is: no route goes without its table of roles.
    @Test func allAreKnown() async throws {
        let routes = try await TestAPI().router.routes.filter { $0.pattern.hasPrefix("/qdo") }
        let known = (QdoRoutes.all + QdoRoutes.site).map { "\($0.0) /qdo\($0.1)" }
        #expect(routes.map { "\($0.method) \($0.pattern)" }.sorted() == known.sorted())
    }
}
