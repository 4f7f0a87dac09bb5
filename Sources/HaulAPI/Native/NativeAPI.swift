public import HaulAuth
public import HaulEngine
public import HaulHTTP
import HaulModel
import HaulWire

/// The native dialect: users' and workers' routes below ``WirePath/root``, as README.md lists them.
public struct NativeAPI: Sendable {
    let engine: Engine
    let authenticator: Authenticator
    let loginLimits: LoginLimits
    let userSites: UserSites
    /// Where users' credentials are; nil: nowhere.
    let vault: Vault?
    /// Gets users proxies; nil where no MyProxy server is known.
    let myProxy: (any MyProxy)?
    /// Told what went wrong on our side: a line for the server's log.
    let onFault: @Sendable (String) -> Void

    public init(
        engine: Engine, authenticator: Authenticator, loginLimits: LoginLimits = LoginLimits(),
        userSites: UserSites = UserSites(), vault: Vault? = nil,
        myProxy: (any MyProxy)? = nil,
        onFault: @escaping @Sendable (String) -> Void
    ) {
        self.engine = engine
        self.authenticator = authenticator
        self.loginLimits = loginLimits
        self.userSites = userSites
        self.vault = vault
        self.myProxy = myProxy
        self.onFault = onFault
    }

    /// Adds the routes to a server's router.
    public func mount(on outer: inout Router) {
        var router = Router(
            defaultBodyLimit: 2 << 20, defaultGate: gate(.readJobs, .changeJobs),
            notFound: { Problem.notFound($0).response },
            methodNotAllowed: { Problem.methodNotAllowed($0, $1).response },
            failure: { answer($0, $1.head) })
        addUserRoutes(to: &router)
        addWorkerRoutes(to: &router)
        addOperatorRoutes(to: &router)
        addSiteRoutes(to: &router)
        addAccountRoutes(to: &router)
        addCredentialRoutes(to: &router)
        addRecordRoutes(to: &router)
        outer.mount(WirePath.root, router)
    }
}
