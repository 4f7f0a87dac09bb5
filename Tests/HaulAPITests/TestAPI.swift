import Foundation
import HaulAuth
import HaulCrypto
import HaulEngine
import HaulHTTP
import HaulLogs
import HaulModel
import HaulStore
import Testing

@testable import HaulAPI

/// The routes of a server over a database of its own, without a socket.
final class TestAPI: Sendable {
    let router: Router
    let engine: Engine
    let door: Door
    private let folder: String

    init() async throws {
        #expect(Sodium.start())
        folder = NSTemporaryDirectory() + "haul-api-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let sites = SiteDirectory([Site(id: 1, name: "a", protocolName: .ssh, endpoints: [])])
        engine = try await Engine(
            store: Store(at: StoreLocation(folder + "/haul.sqlite")) { Issue.record("fsync failed: \($0)") },
            logs: LogStore(root: folder + "/logs", server: 1),
            rules: RegistrationRules(sites: sites) { _ in CommonOptions.specs },
            configuration: EngineConfiguration(), world: .real, onDiskFailure: { Issue.record("disk failed: \($0)") })
        var router = Router()
        door = Door(
            engine: engine, authenticator: Authenticator(store: engine.store, now: engine.world.now),
            onFault: { Issue.record("fault: \($0)") })
        NativeAPI(door).mount(on: &router)
        UWSAPI(door).mount(on: &router)
        QdoAPI(door).mount(on: &router)
        ClockworkAPI(door).mount(on: &router)
        OverviewAPI(door).mount(on: &router)
        self.router = router
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// What stands at `/openapi.json`.
    func document() async throws -> JSONValue {
        let answer = await router.respond(to: HTTPRequest(method: "GET", target: "/openapi.json"))
        #expect(answer.status == 200)
        #expect(answer.headers["Content-Type"] == "application/json")
        return try JSONReader.value(try #require(answer.bytes))
    }
}

extension JSONValue {
    subscript(key: String) -> JSONValue? { object?[key] }
}
