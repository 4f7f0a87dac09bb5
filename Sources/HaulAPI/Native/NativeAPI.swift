public import HaulAuth
import HaulEngine
public import HaulHTTP
import HaulModel
import HaulWire

/// The native dialect: users' and workers' routes below ``WirePath/root``, as README.md lists them.
public struct NativeAPI: Sendable {
    let door: Door
    let loginLimits: LoginLimits
    let userSites: UserSites
    /// Where users' credentials are; nil: nowhere.
    let vault: Vault?
    /// Gets users proxies; nil where no MyProxy server is known.
    let myProxy: (any MyProxy)?

    var engine: Engine { door.engine }
    var authenticator: Authenticator { door.authenticator }

    public init(
        _ door: Door, loginLimits: LoginLimits = LoginLimits(), userSites: UserSites = UserSites(),
        vault: Vault? = nil, myProxy: (any MyProxy)? = nil
    ) {
        self.door = door
        self.loginLimits = loginLimits
        self.userSites = userSites
        self.vault = vault
        self.myProxy = myProxy
    }

    /// Adds the routes to a server's router, and what describes them at ``OpenAPIDocument/path``.
    public func mount(on outer: inout Router) {
        var routes = Routes(
            Router(
                notFound: { Problem.notFound($0).response },
                methodNotAllowed: { Problem.methodNotAllowed($0, $1).response },
                failure: { answer($0, $1.head) }),
            bodyLimit: 2 << 20, gate: gate)
        addUserRoutes(to: &routes)
        addWorkerRoutes(to: &routes)
        addQueueRoutes(to: &routes)
        addOperatorRoutes(to: &routes)
        addSiteRoutes(to: &routes)
        addAccountRoutes(to: &routes)
        addCredentialRoutes(to: &routes)
        addRecordRoutes(to: &routes)
        outer.mount(WirePath.root, routes.router)
        let document = JSONText.bytes(OpenAPIDocument(routes.entries, below: WirePath.root).value)
        outer.on("GET", OpenAPIDocument.path, bodyLimit: 0) { _, _ in
            HTTPResponse(headers: ["Content-Type": "application/json"], body: .bytes(document))
        }
    }
}
