public import HaulAuth
public import HaulEngine
import HaulHTTP
import HaulModel

/// Who gets in, for every face: finds out who asks, what they may, and who has sent too many requests, of all faces
/// together.
public struct Door: Sendable {
    let engine: Engine
    let authenticator: Authenticator
    /// Told what went wrong on our side: a line for the server's log.
    let onFault: @Sendable (String) -> Void
    private let meter = RequestMeter()

    /// - Parameter onFault: told what went wrong on our side: a line for the server's log.
    public init(engine: Engine, authenticator: Authenticator, onFault: @escaping @Sendable (String) -> Void) {
        self.engine = engine
        self.authenticator = authenticator
        self.onFault = onFault
    }

    /// Who asks, if they may do one of these.
    ///
    /// - Throws: 401 where nobody is known by what the request shows, 403 where they may not, 429 where they
    ///   have sent too many, or too many passwords were wrong.
    func principal(of request: HTTPRequest, _ scopes: [Scope]) async throws -> Principal {
        try metered(try await principal(of: request.head, scopes))
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

    /// Lets in the bodies of those who may do one of these. Who was known a moment ago opens at once, about any other the
    /// database is asked; the handler asks it in any case, when the body is there.
    ///
    /// - Parameter answer: shapes an error as the face does.
    func gate(
        _ scopes: [Scope], _ answer: @escaping @Sendable (any Error, HTTPRequestHead) -> HTTPResponse
    ) -> Router.Gate {
        { head, _ in
            guard !head.hasInvalidEncoding, Shown(head) != nil else {
                return .shut(answer(head.hasInvalidEncoding ? Problem.badEncoding : .unauthorized, head))
            }
            if let known = authenticator.recentPrincipal(of: head), !known.scopes.isDisjoint(with: scopes) {
                // A body that will be refused is not read.
                let wait = known.role == .worker ? nil : meter.wait(known.user.id, limits(of: known))
                return wait.map { .shut(answer(Problem.tooFast($0), head)) } ?? .open
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

    /// An error in words for a client; what is our own fault goes to the log too.
    func problem(_ error: any Error, _ head: HTTPRequestHead) -> Problem {
        let problem = Problem(answering: error)
        if let cause = problem.cause { onFault("\(head.method) \(head.path): \(cause)") }
        return problem
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
    func mayRead(_ job: Job) -> Bool { isOperator || job.userID == user.id }

    /// Who this is, for the record of changes.
    func actor(_ request: HTTPRequest) -> Requester {
        Requester(name: user.name, token: token?.id, address: request.remoteAddress)
    }
}
