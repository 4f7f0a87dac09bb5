import Foundation
import HaulHTTP
import Support
import Testing

/// Certificates of clients, and certificates that are replaced while the server runs.
@Suite(.timeLimit(.minutes(6))) struct ClientCertificateTests {
    /// Says whom the client's certificate names.
    private static let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
        HTTPResponse(text: request.head.clientSubject ?? "nobody")
    }

    private func answer(_ client: HTTPClient, _ server: HTTPServer) async throws -> (status: Int, text: String) {
        let response = try await client.send(
            HTTPClientRequest(url: "https://127.0.0.1:\(server.port)/", timeout: 20))
        return (response.status, String(decoding: response.body, as: UTF8.self))
    }

    /// Good ones are known by their subject, none is fine, others are refused whatever they ask for.
    @Test func subjects() async throws {
        let (ours, others) = try await (CertificateAuthority(), CertificateAuthority())
        let own = try await ours.issue("/CN=server", .server)
        let tls = HTTPServerConfiguration.TLS(
            certificatePath: own.path, keyPath: own.keyPath, clients: .init(authoritiesPath: ours.path))
        try await withServer({ $0.tls = tls }, Self.handler) { server in
            let subjects = [
                ("/C=CH/O=site/CN=worker-1", "CN=worker-1,O=site,C=CH"), ("/CN=x,O=y", #"CN=x\,O=y"#),
                ("/O=é/CN=a", "CN=a,O=é"), (#"/CN=a\/CN=b"#, "CN=a/CN=b"),
            ]
            for (subject, expected) in subjects {
                let client = ours.client(try await ours.issue(subject))
                for _ in 0..<2 { #expect(try await answer(client, server) == (200, expected)) }
                await client.close()
            }
            #expect(try await answer(ours.client(), server) == (200, "nobody"))
            let refused = [
                (try await others.issue("/CN=worker-1"), "nobody who is trusted signed it"),
                (try await ours.issue("/CN=worker-1", .expired), "its time is over"),
                (try await ours.issue("/CN=worker-1", .early), "its time has not come"),
                (try await ours.issue("/CN=worker-1", .server), "it is not one for clients"),
            ]
            for (shown, words) in refused {
                let client = ours.client(shown)
                let (status, text) = try await answer(client, server)
                #expect(status == 403 && text.contains(words), "\(status) \(text)")
                // With a body, too.
                let posted = try await client.send(
                    HTTPClientRequest(
                        method: "POST", url: "https://127.0.0.1:\(server.port)/", body: [1, 2, 3], timeout: 20))
                #expect(posted.status == 403)
                await client.close()
            }
        }
    }

    /// Where clients are asked for none, what they might show counts for nothing.
    @Test func notAsked() async throws {
        let authority = try await CertificateAuthority()
        let own = try await authority.issue("/CN=server", .server)
        let tls = HTTPServerConfiguration.TLS(certificatePath: own.path, keyPath: own.keyPath)
        try await withServer({ $0.tls = tls }, Self.handler) { server in
            let client = authority.client(try await authority.issue("/CN=worker-1"))
            #expect(try await answer(client, server) == (200, "nobody"))
        }
    }

    /// The certificate is replaced while connections are open: they go on, new ones see the new one, a file that is not
    /// usable changes nothing.
    @Test func reload() async throws {
        let (old, new) = try await (CertificateAuthority(), CertificateAuthority())
        let files = try await old.issue("/CN=server", .server)
        let next = try await new.issue("/CN=server", .server)
        let tls = HTTPServerConfiguration.TLS(certificatePath: files.path, keyPath: files.keyPath)
        let entered = Counter()
        let gate = Gate()
        try await withServer({ $0.tls = tls }) { request in
            entered.add()
            if request.path == "/slow" { await gate.wait() }
            return HTTPResponse(text: "x")
        } _: { server in
            let kept = old.client()
            let url = "https://127.0.0.1:\(server.port)"
            #expect(try await answer(kept, server).status == 200)
            // Parked over the change.
            async let slow = old.client().send(HTTPClientRequest(url: url + "/slow", timeout: 30))
            #expect(await eventually { entered.count == 2 })
            func put(_ from: String, _ to: String) throws {
                try Data(contentsOf: URL(fileURLWithPath: from)).write(to: URL(fileURLWithPath: to))
            }
            let (key, certificate) = (try Data(contentsOf: URL(fileURLWithPath: files.keyPath)), files.path)
            try put(next.path, certificate)
            let mismatch = #expect(throws: HTTPServerError.self) { try server.reloadCertificates() }
            #expect(mismatch?.kind == .tls && mismatch?.message.contains(certificate) == true)
            try Data("no PEM".utf8).write(to: URL(fileURLWithPath: files.keyPath))
            #expect(throws: HTTPServerError.self) { try server.reloadCertificates() }
            #expect(try await answer(old.client(), server).status == 200, "the old one stays")
            #expect(!key.isEmpty)
            try put(next.keyPath, files.keyPath)
            try server.reloadCertificates()
            #expect(try await answer(kept, server).status == 200, "the connection goes on")
            gate.open()
            #expect(try await slow.status == 200)
            #expect(try await answer(new.client(), server).status == 200)
            #expect(await ClientTests.kind(of: HTTPClientRequest(url: url, timeout: 10), old.client()) == .tls)
            for _ in 0..<50 { try server.reloadCertificates() }
            #expect(try await answer(new.client(), server).status == 200)
            #expect(try await answer(kept, server).status == 200)
        }
    }

    /// Authorities that are taken away, and certificates that are revoked, count at once, also on connections that are open.
    @Test func takenBack() async throws {
        let (ours, others) = try await (CertificateAuthority(), CertificateAuthority())
        let own = try await ours.issue("/CN=server", .server)
        let (one, two) = (try await ours.issue("/CN=one"), try await ours.issue("/CN=two"))
        let list = ours.folder.appending(path: "empty.crl").path
        let gone = try await ours.issue("/CN=gone")
        try FileManager.default.copyItem(atPath: try await ours.revoke(gone), toPath: list)
        let trusted = ours.folder.appending(path: "trusted.pem").path
        try FileManager.default.copyItem(atPath: ours.path, toPath: trusted)
        let tls = HTTPServerConfiguration.TLS(
            certificatePath: own.path, keyPath: own.keyPath,
            clients: .init(authoritiesPath: trusted, revokedPath: list))
        try await withServer({ $0.tls = tls }, Self.handler) { server in
            let (first, second) = (ours.client(one), ours.client(two))
            #expect(try await answer(first, server) == (200, "CN=one"))
            #expect(try await answer(second, server) == (200, "CN=two"))
            let (status, text) = try await answer(ours.client(gone), server)
            #expect(status == 403 && text.contains("it was revoked"), "\(status) \(text)")
            let more = try await ours.revoke(one)
            try Data(contentsOf: URL(fileURLWithPath: more)).write(to: URL(fileURLWithPath: list))
            try server.reloadCertificates()
            #expect(try await answer(first, server).status == 403)
            #expect(try await answer(second, server) == (200, "CN=two"))
            // Another authority; the list of the first is none of it.
            try Data(contentsOf: URL(fileURLWithPath: others.path)).write(to: URL(fileURLWithPath: trusted))
            #expect(throws: HTTPServerError.self) { try server.reloadCertificates() }
            #expect(try await answer(second, server) == (200, "CN=two"), "all stays")
            let theirs = try await others.revoke(try await others.issue("/CN=x"))
            try Data(contentsOf: URL(fileURLWithPath: theirs)).write(to: URL(fileURLWithPath: list))
            try server.reloadCertificates()
            #expect(try await answer(second, server).status == 403)
            #expect(try await answer(ours.client(try await others.issue("/CN=three")), server) == (200, "CN=three"))
        }
    }

    /// Files of authorities that are not usable: the server does not start, and says which.
    @Test(arguments: ["", "no PEM", "missing"])
    func unusable(text: String) async throws {
        let authority = try await CertificateAuthority()
        let own = try await authority.issue("/CN=server", .server)
        let path = authority.folder.appending(path: "clients.pem").path
        if text != "missing" { try text.write(toFile: path, atomically: true, encoding: .utf8) }
        var configuration = HTTPServerConfiguration()
        configuration.tls = .init(
            certificatePath: own.path, keyPath: own.keyPath, clients: .init(authoritiesPath: path))
        let server = HTTPServer(configuration: configuration, bodyLimit: { _ in 0 }, handler: Self.handler)
        let error = #expect(throws: HTTPServerError.self) { try server.start() }
        #expect(error?.kind == .tls && error?.message.contains(path) == true, "\(String(describing: error))")
    }
}
