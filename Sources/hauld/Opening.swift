import HaulAPI
import HaulHTTP
import Synchronization

/// The doors of a server that listens and is not ready yet: whoever comes is told to come again.
final class Opening: Sendable {
    private let router = Mutex<Router?>(nil)

    func open(_ routes: Router) { router.withLock { $0 = routes } }

    func admission(of head: HTTPRequestHead) -> HTTPAdmission {
        guard let router = router.withLock({ $0 }) else { return HTTPAdmission(bodyLimit: 0, gate: .shut(Self.soon)) }
        return router.admission(of: head)
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        guard let router = router.withLock({ $0 }) else { return Self.soon }
        return await router.respond(to: request)
    }

    /// How whoever answers at a path says what the server refuses by itself; nil where nobody has words of their own.
    func refusal(_ status: Int, _ reason: String, of head: HTTPRequestHead?) -> HTTPResponse? {
        guard let head, let router = router.withLock({ $0 }) else { return nil }
        return router.refusal(status, reason, of: head)
    }

    private static var soon: HTTPResponse {
        var answer = HTTPResponse.problem(status: 503, reason: "the server is starting")
        answer.headers.set("Retry-After", "1")
        return answer
    }
}
