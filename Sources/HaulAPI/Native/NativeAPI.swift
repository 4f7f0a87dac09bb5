public import HaulAuth
public import HaulEngine
public import HaulHTTP
import HaulModel
import HaulWire

/// The native dialect: users' and workers' routes below ``WirePath/root``, as `native-api` documents them.
public struct NativeAPI: Sendable {
    let engine: Engine
    let authenticator: Authenticator
    /// Told what went wrong on our side: a line for the server's log.
    let onFault: @Sendable (String) -> Void

    public init(engine: Engine, authenticator: Authenticator, onFault: @escaping @Sendable (String) -> Void) {
        self.engine = engine
        self.authenticator = authenticator
        self.onFault = onFault
    }

    /// Adds the routes to a server's router.
    public func mount(on outer: inout Router) {
        var router = Router(
            defaultBodyLimit: 2 << 20,
            notFound: { Problem.notFound($0).response },
            methodNotAllowed: { Problem.methodNotAllowed($0, $1).response },
            failure: { [onFault] error, request in
                let problem = Problem(answering: error)
                if let cause = problem.cause { onFault("\(request.method) \(request.path): \(cause)") }
                return problem.response
            })
        addUserRoutes(to: &router)
        addWorkerRoutes(to: &router)
        outer.mount(WirePath.root, router)
    }

    /// Who asks, if the role is one of these.
    ///
    /// - Throws: 401 without a good token, 403 for another role.
    func principal(of request: HTTPRequest, _ roles: Role...) async throws -> Principal {
        if request.hasInvalidEncoding { throw Problem.badEncoding }
        guard let principal = try await authenticator.principal(of: request) else { throw Problem.unauthorized }
        guard roles.contains(principal.role) else { throw Problem.role(principal.role, needed: roles) }
        return principal
    }
}
