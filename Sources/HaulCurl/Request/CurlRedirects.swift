import HaulModel
import HaulProtocol

/// The redirects of one request. libcurl only says where they lead: it would connect before anybody can ask whether this
/// worker may go there.
struct CurlRedirects: Sendable {
    private static let most = 5
    /// What curl says where a redirect is to be followed, and it may follow none.
    private static let exitCode = 47

    let request: any CurlRequest
    /// Nil is any.
    let hosts: HostList?
    private var count = 0

    init(_ request: any CurlRequest, hosts: HostList?) { (self.request, self.hosts) = (request, hosts) }

    /// The request that follows; nil where the answer is the last one: then it says why, if it is a redirect.
    mutating func next(_ answer: inout HTTPResponse) -> (any CurlRequest)? {
        guard answer.exitCode == Self.exitCode else { return nil }
        guard count < Self.most else {
            answer.message = "more than \(Self.most) redirects"
            return nil
        }
        guard let target = CurlTarget(answer.redirect) else {
            answer.message = "a redirect to \"\(EntryName.escaped(answer.redirect.prefix(300).utf8))\""
            return nil
        }
        if let problem = hosts?.problem(target.endpoint) {
            answer.refusal = problem
            return nil
        }
        count += 1
        return Led(request: request, target: target)
    }

    /// The request at another place. Its login goes along to the same server alone.
    private struct Led: CurlRequest {
        let request: any CurlRequest
        let target: CurlTarget

        var server: String { target.origin }

        func call() -> CurlCall {
            var call = request.call()
            if CurlTarget(call.url)?.origin != target.origin { call.forgetLogin() }
            call.url = target.url
            return call
        }
    }
}
