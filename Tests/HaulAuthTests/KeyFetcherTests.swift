import HaulHTTP
import HaulModel
import Support
import Testing

@testable import HaulAuth

/// Where an issuer can make the server fetch something, with issuers on the loopback interface.
@Suite(.timeLimit(.minutes(5))) struct KeyFetcherTests {
    private func with(_ body: (_ first: TestIssuer, _ other: TestIssuer) async throws -> Void) async throws {
        let (first, other) = (try TestIssuer(), try TestIssuer())
        do { try await body(first, other) } catch {
            await first.stop()
            await other.stop()
            throw error
        }
        await first.stop()
        await other.stop()
    }

    private func fetch(_ issuer: TestIssuer, keys: String? = nil) async -> Result<FetchedKeys, KeyFault> {
        var configured = Issuer(name: "i", url: issuer.url, audiences: ["haul"], rules: [])
        configured.keys = keys
        let client = HTTPClient()
        let result: Result<FetchedKeys, KeyFault>
        do throws(KeyFault) {
            result = .success(try await KeyFetcher(issuer: configured, client: client).fetch())
        } catch {
            result = .failure(error)
        }
        await client.close()
        return result
    }

    /// As OpenID Connect has it: an issuer may keep its keys on another host.
    @Test func keysOnAnotherHost() async throws {
        try await with { first, other in
            first.changeDiscovery(["jwks_uri": .string(other.keysURL)])
            _ = try await fetch(first).get()
            #expect(other.fetches == 1 && first.fetches == 0)
        }
    }

    /// What is asked for is asked for there, wherever the answer leads.
    @Test(arguments: [301, 302, 303, 307, 308]) func redirectsAreNotFollowed(_ status: Int) async throws {
        try await with { first, other in
            first.answer(HTTPResponse(status: status, headers: ["Location": other.keysURL]))
            for keys in [nil, first.keysURL] {
                guard case .failure(let fault) = await fetch(first, keys: keys) else {
                    Issue.record("it was followed")
                    continue
                }
                #expect(fault.description == "\(first.keysURL): status \(status)")
            }
            first.answerDiscovery(
                HTTPResponse(
                    status: status, headers: ["Location": other.url + "/.well-known/openid-configuration"]))
            guard case .failure = await fetch(first) else {
                Issue.record("it was followed")
                return
            }
            #expect(other.fetches == 0 && other.discoveries == 0)
        }
    }

    @Test(arguments: [
        "http://example.org/jwks", "file:///etc/passwd", "ftp://127.0.0.1/k", "gopher://127.0.0.1:1/",
        "//127.0.0.1/jwks",
        "https://user@example.org/jwks", "http://127.0.0.1@example.org/jwks", "http://localhost.example.org/", "jwks",
        "",
    ])
    func addressesThatAreNone(_ url: String) async throws {
        try await with { first, other in
            first.changeDiscovery(["jwks_uri": .string(url)])
            guard case .failure(let fault) = await fetch(first) else {
                Issue.record("it was fetched")
                return
            }
            #expect(fault.description.contains("jwks_uri"))
        }
    }

    /// A strange issuer does not make the server ask what listens on this machine alone.
    @Test func noLoopbackFromOutside() {
        func may(_ issuer: String, _ url: String) -> Bool {
            Issuer(name: "i", url: issuer, audiences: [], rules: []).mayKeepKeys(at: url)
        }
        #expect(may("https://issuer.example.org", "https://keys.example.net/jwks"))
        #expect(may("http://127.0.0.1:1", "http://127.0.0.1:2/jwks"))
        for url in ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:9/x"] {
            #expect(!may("https://issuer.example.org", url))
        }
    }
}
