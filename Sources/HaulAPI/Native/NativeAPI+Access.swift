import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel

extension NativeAPI {
    /// Who asks, if they may do one of these: see ``Door``.
    func principal(of request: HTTPRequest, _ scopes: Scope...) async throws -> Principal {
        try await door.principal(of: request, scopes)
    }

    /// Who asks, whatever they may do.
    func anyone(_ request: HTTPRequest) async throws -> Principal {
        try await door.principal(of: request, Scope.allCases)
    }

    /// Lets in the bodies of those whom a route lets in.
    func gate(_ access: Route.Access) -> Router.Gate {
        switch access {
        case .everyone: { _, _ in .open }
        case .scopes(let scopes): door.gate(scopes) { answer($0, $1) }
        case .holder: elementGate()
        }
    }

    /// Lets in the bodies of those who hold a lease on the element that the path names.
    private func elementGate() -> Router.Gate {
        { head, path in
            do {
                let token = try Self.elementToken(head)
                // What is no number names nothing: the handler's 404.
                guard let job = Int(id: path["job"]), let element = Int(id: path["element"]) else { return .open }
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
    func answer(_ error: any Error, _ head: HTTPRequestHead) -> HTTPResponse { door.problem(error, head).response }

    /// An answer whose stream says in the log why it broke off; a client sees no more than that it did.
    func watched(_ response: HTTPResponse, _ head: HTTPRequestHead) -> HTTPResponse { door.watched(response, head) }
}

extension Principal {
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
