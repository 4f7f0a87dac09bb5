import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel

extension NativeAPI {
    /// Who asks, if they may do one of these.
    ///
    /// - Throws: 401 where nobody is known by what the request shows, 403 where they may not, 429 where they
    ///   have sent too many, or too many passwords were wrong.
    func principal(of request: HTTPRequest, _ scopes: Scope...) async throws -> Principal {
        try metered(try await principal(of: request.head, scopes))
    }

    /// Who asks, whatever they may do.
    func anyone(_ request: HTTPRequest) async throws -> Principal {
        try metered(try await principal(of: request.head, Scope.allCases))
    }

    /// Counts a request of somebody; those of workers bring work forward, and none is too many.
    ///
    /// - Throws: 429 where it is one too many.
    private func metered(_ principal: Principal) throws -> Principal {
        if principal.role != .worker, let wait = meter.take(principal.user.id, limits(of: principal)) {
            throw Problem.tooFast(wait)
        }
        return principal
    }

    private func limits(of principal: Principal) -> UserLimits {
        engine.configuration.limits.of(principal.user.name)
    }

    private func principal(of head: HTTPRequestHead, _ scopes: [Scope]) async throws -> Principal {
        if head.hasInvalidEncoding { throw Problem.badEncoding }
        guard let principal = try await authenticator.principal(of: head) else { throw Problem.unauthorized }
        guard !principal.scopes.isDisjoint(with: scopes) else { throw Problem.notAllowed(principal, scopes) }
        return principal
    }

    /// Lets in the bodies of those whom a route lets in.
    func gate(_ access: Route.Access) -> Router.Gate {
        switch access {
        case .everyone: { _, _ in .open }
        case .scopes(let scopes): gate(scopes)
        case .holder: elementGate()
        }
    }

    /// Lets in the bodies of those who may do one of these. Who was known a moment ago opens at once, about any other the
    /// database is asked; the handler asks it in any case, when the body is there.
    private func gate(_ scopes: [Scope]) -> Router.Gate {
        { head, _ in
            guard !head.hasInvalidEncoding, Shown(head) != nil else {
                return .shut((head.hasInvalidEncoding ? Problem.badEncoding : .unauthorized).response)
            }
            if let known = authenticator.recentPrincipal(of: head), !known.scopes.isDisjoint(with: scopes) {
                // A body that will be refused is not read.
                let wait = known.role == .worker ? nil : meter.wait(known.user.id, limits(of: known))
                return wait.map { .shut(Problem.tooFast($0).response) } ?? .open
            }
            return .ask {
                do {
                    _ = try await principal(of: head, scopes)
                    return nil
                } catch {
                    return answer(error, head)
                }
            }
        }
    }

    /// Lets in the bodies of those who hold a lease on the element that the path names.
    private func elementGate() -> Router.Gate {
        { head, path in
            do {
                let token = try Self.elementToken(head)
                // What is no number names nothing: the handler's 404.
                guard let job = Int(path["job"]), let element = Int(path["element"]) else { return .open }
                try engine.checkToken(token, job: job, element: element)
                return .open
            } catch {
                return .shut(answer(error, head))
            }
        }
    }

    /// The token by which a worker proves its lease.
    static func elementToken(_ head: HTTPRequestHead) throws -> String {
        if head.hasInvalidEncoding { throw Problem.badEncoding }
        guard let token = Authenticator.token(of: head) else { throw Problem.noElementToken }
        return token
    }

    /// An error as its answer; what is our own fault goes to the log too.
    func answer(_ error: any Error, _ head: HTTPRequestHead) -> HTTPResponse {
        let problem = Problem(answering: error)
        if let cause = problem.cause { onFault("\(head.method) \(head.path): \(cause)") }
        return problem.response
    }

    /// An answer whose stream says in the log why it broke off; a client sees no more than that it did.
    func watched(_ response: HTTPResponse, _ head: HTTPRequestHead) -> HTTPResponse {
        guard case .stream(let produce) = response.body else { return response }
        var watched = response
        watched.body = .stream { [onFault] writer in
            do { try await produce(writer) } catch {
                // Who leaves, or is sent away when the server ends, is no fault of ours.
                if !(error is HTTPClientGone), !(error is CancellationError) {
                    onFault("\(head.method) \(head.path): cut off: \(Problem(answering: error).cause ?? "\(error)")")
                }
                throw error
            }
        }
        return watched
    }
}

extension Principal {
    /// Who this is, for the record of changes.
    func actor(_ request: HTTPRequest) -> Requester {
        Requester(name: user.name, token: token?.id, address: request.remoteAddress)
    }

    /// The token of a worker: its sessions end with it.
    ///
    /// - Throws: 403 where a name and a password were shown.
    var bearer: TokenRecord {
        get throws {
            guard let token else { throw Problem.tokenNeeded }
            return token
        }
    }
}
