import HaulHTTP
import HaulModel
import Support
import Testing

@testable import HaulAPI

@Suite struct OverviewRouteTests {
    /// What ``OverviewRoutes`` lists is what there is: no route goes without its table of roles.
    @Test func allAreKnown() async throws {
        let routes = try await TestAPI().router.routes.filter { $0.pattern.hasPrefix(OverviewRoutes.root) }
        let known = OverviewRoutes.all.map { "\($0.method) \(OverviewRoutes.root)\($0.path)" }
        #expect(routes.map { "\($0.method) \($0.pattern)" }.sorted() == known.sorted())
    }

    /// Nothing of a request stands in the page, and a browser runs nothing but the server's own files.
    @Test func page() async throws {
        let router = try await TestAPI().router
        let query = "?server=%3Cscript%3Ealert(1)%3C/script%3E&documentSetId=%22%3E%3Cb%3E&apiToken=secret"
        for path in ["/show", "/show.js", "/show.css"] {
            let answer = await router.respond(to: HTTPRequest(method: "GET", target: "/overview\(path)\(query)"))
            let plain = await router.respond(to: HTTPRequest(method: "GET", target: "/overview\(path)"))
            #expect(answer.status == 200 && answer.bytes == plain.bytes)
            let policy = try #require(answer.headers["Content-Security-Policy"])
            #expect(policy.hasPrefix("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"))
            #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
            #expect(answer.headers["Referrer-Policy"] == "no-referrer")
        }
        let html = OverviewPage.html
        #expect(html.matches(of: #/<script(?! src="show\.js">)|style=|\son\w+=|javascript:/#).isEmpty)
        #expect(!OverviewPage.script.contains("innerHTML") && !OverviewPage.script.contains("document.write"))
        let metadata = await router.respond(to: HTTPRequest(method: "GET", target: "/overview/metadata"))
        #expect(metadata.headers["Access-Control-Allow-Origin"] == "*")
        #expect(try JSONReader.value(metadata.bytes ?? [])["name"] == "haul")
    }

    /// The token is kept for the window and taken out of the address, what is shown stays in it: a reload shows it again.
    @Test func reload() {
        let script = OverviewPage.script
        #expect(script.contains("sessionStorage.setItem(\"haul.token\", shown)"))
        #expect(script.contains("given.delete(\"apiToken\")") && script.contains("given.delete(\"api_token\")"))
        #expect(!script.contains("replaceState(null, \"\", location.pathname);") && !script.contains("localStorage"))
    }

    @Test func progress() {
        let gone = OverviewState(nil, reason: nil, isReady: false)
        #expect(gone.fraction == 1 && gone.returnCode == 1)
        let text = String(decoding: OverviewDocuments.progress(gone), as: UTF8.self)
        #expect(
            text == """
                {"n_ahead_in_queue":0,"fraction":1,"message":null,"returncode":1,\
                "error":"Exited with code 1\\nstderr:\\nThe job was removed."}
                """)
    }
}
