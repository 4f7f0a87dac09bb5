import HaulHTTP
import Testing

/// The same questions to the router alone and over a socket.
@Suite struct RouterTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let method: String
        let target: String
        let status: Int
        var text = ""
        var allow: String?
        var testDescription: String { "\(method) \(target)" }
    }

    static let cases = [
        Case(method: "GET", target: "/jobs", status: 200, text: "all"),
        Case(method: "GET", target: "/jobs/", status: 200, text: "all"),
        Case(method: "HEAD", target: "/jobs", status: 200),
        Case(method: "POST", target: "/jobs", status: 201, text: "new"),
        Case(method: "GET", target: "/jobs/7", status: 200, text: "job 7"),
        Case(method: "GET", target: "/jobs/last", status: 200, text: "last"),
        Case(method: "DELETE", target: "/jobs/last", status: 200, text: "gone last"),
        Case(method: "GET", target: "/jobs/7/elements/a%2Fb/output", status: 200, text: "output 7 a/b"),
        Case(method: "GET", target: "/jobs/7/elements/3", status: 404, text: "nothing"),
        Case(method: "GET", target: "/jobs//elements/3/output", status: 404, text: "nothing"),
        Case(method: "GET", target: "/nowhere", status: 404, text: "nothing"),
        Case(method: "PUT", target: "/jobs", status: 405, text: "not so", allow: "GET, HEAD, POST"),
        Case(method: "GET", target: "/throws", status: 500, text: "broke"),
        Case(method: "GET", target: "/worker/beat", status: 200, text: "beat"),
        Case(method: "GET", target: "/worker/none", status: 404, text: "inner nothing"),
        Case(method: "PUT", target: "/worker/beat", status: 405, text: "inner not so", allow: "GET, HEAD"),
        Case(method: "GET", target: "/workers", status: 404, text: "nothing"),
    ]

    struct Broken: Error {}

    static func router() -> Router {
        var inner = Router(
            defaultBodyLimit: 7, notFound: { _ in HTTPResponse(status: 404, text: "inner nothing") },
            methodNotAllowed: { _, _ in HTTPResponse(status: 405, text: "inner not so") },
            refusal: { HTTPResponse(status: $0, text: "inner: \($1)") })
        inner.on("GET", "/beat") { _, _ in HTTPResponse(text: "beat") }
        var router = Router(
            defaultBodyLimit: 10, notFound: { _ in HTTPResponse(status: 404, text: "nothing") },
            methodNotAllowed: { _, _ in HTTPResponse(status: 405, text: "not so") },
            failure: { error, _ in HTTPResponse(status: 500, text: error is Broken ? "broke" : "?") })
        router.on("GET", "/jobs") { _, _ in HTTPResponse(text: "all") }
        router.on("POST", "/jobs", bodyLimit: 99) { _, _ in HTTPResponse(status: 201, text: "new") }
        router.on("GET", "/jobs/:job") { _, p in HTTPResponse(text: "job \(p["job"])") }
        router.on("DELETE", "/jobs/:id") { _, p in HTTPResponse(text: "gone \(p["id"])") }
        router.on("GET", "/jobs/last") { _, _ in HTTPResponse(text: "last") }
        router.on("GET", "/jobs/:job/elements/:element/output") { _, p in
            HTTPResponse(text: "output \(p["job"]) \(p["element"])\(p["none"])")
        }
        router.on("GET", "/throws") { _, _ in throw Broken() }
        router.mount("/worker", inner)
        return router
    }

    /// What the server refuses by itself is said as whoever has the path says things.
    @Test(arguments: [
        ("/worker/beat", "inner: no"), ("/worker/none", "inner: no"), ("/jobs", nil), ("/workers", nil),
    ]) func refusals(_ target: String, _ text: String?) {
        let answer = Self.router().refusal(413, "no", of: HTTPRequestHead(method: "POST", target: target))
        #expect(answer?.bytes.map { String(decoding: $0, as: UTF8.self) } == text && answer?.status ?? 413 == 413)
    }

    @Test(arguments: cases) func alone(of row: Case) async {
        let answer = await Self.router().respond(to: HTTPRequest(method: row.method, target: row.target))
        #expect(answer.status == row.status)
        #expect(answer.headers["Allow"] == row.allow)
        if row.method != "HEAD" { #expect(answer.bytes == Array(row.text.utf8)) }
    }

    @Test func live() async throws {
        let router = Self.router()
        try await withServer({ _ in }, { await router.respond(to: $0) }) { server in
            let client = HTTPClient()
            for row in Self.cases {
                let answer = try await client.send(HTTPClientRequest(method: row.method, url: server.url(row.target)))
                #expect(answer.status == row.status, "\(row)")
                #expect(answer.headers["Allow"] == row.allow, "\(row)")
                #expect(answer.body == Array(row.text.utf8), "\(row)")
            }
            await client.close()
        }
    }

    @Test func bodyLimits() {
        let router = Self.router()
        #expect(router.admission(of: HTTPRequestHead(method: "POST", target: "/jobs")).bodyLimit == 99)
        #expect(router.admission(of: HTTPRequestHead(method: "GET", target: "/jobs")).bodyLimit == 10)
        #expect(router.admission(of: HTTPRequestHead(method: "GET", target: "/worker/beat")).bodyLimit == 7)
    }

    /// The head hook: no route and a wrong method are refused there, a gate is given what its pattern names.
    @Test func gates() {
        var inner = Router()
        inner.on("PUT", "/jobs/:job", gate: { _, path in .shut(HTTPResponse(status: 403, text: path["job"])) }) {
            _, _ in HTTPResponse()
        }
        inner.on("POST", "/open") { _, _ in HTTPResponse() }
        var router = Router()
        router.mount("/api", inner)
        func refusal(_ method: String, _ target: String) -> HTTPResponse? {
            if case .shut(let response) = router.admission(of: HTTPRequestHead(method: method, target: target)).gate {
                return response
            }
            return nil
        }
        #expect(refusal("PUT", "/api/jobs/7")?.status == 403)
        #expect(refusal("PUT", "/api/jobs/7")?.bytes == [UInt8(ascii: "7")])
        #expect(refusal("POST", "/api/open") == nil)
        #expect(refusal("PUT", "/api/open")?.status == 405)
        #expect(refusal("PUT", "/api/open")?.headers["Allow"] == "POST")
        #expect(refusal("POST", "/api/nowhere")?.status == 404)
        #expect(refusal("POST", "/nowhere")?.status == 404)
    }
}
