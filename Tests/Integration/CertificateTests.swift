import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import HaulWire
import Support
import Testing

/// Who is known by a certificate, at the real server, with the real worker and command line.
@Suite(.timeLimit(.minutes(6))) struct CertificateTests {
    /// A server that takes the certificates of an authority.
    private struct World {
        let authority: CertificateAuthority
        let certificate: Certificate
        let server: LiveServer

        init() async throws {
            authority = try await CertificateAuthority()
            certificate = try await Certificate()
            var settings = LiveServer.Settings()
            settings.certificate = certificate
            settings.more = """
                clients: {
                    authorities: "\(authority.path)",
                    subjects: {
                        "CN=worker-1,O=site": {user: "machines", role: "worker"},
                        "/O=site/CN=worker-2": {user: "machines", role: "worker", users: ["nobody"]},
                        "CN=backup,O=site": {user: "backup", role: "user", scopes: ["jobs.read"]},
                        "CN=admin,O=site": {user: "root", role: "operator"},
                    },
                },
                """
            server = try await LiveServer.start(settings)
        }

        func client(_ shown: CertificateAuthority.Issued?) -> HTTPClient {
            var configuration = HTTPClientConfiguration()
            configuration.authoritiesPath = certificate.path
            configuration.certificatePath = shown?.path
            configuration.keyPath = shown?.keyPath
            return HTTPClient(configuration: configuration)
        }

        /// Asks under a certificate.
        func ask(
            _ subject: String, _ method: String = "GET", _ path: String = "/whoami", _ body: JSONValue? = nil,
            headers: HTTPHeaders = [:]
        ) async throws -> Answer {
            try await ask(client(try await authority.issue(subject)), method, path, body, headers: headers)
        }

        func ask(
            _ client: HTTPClient, _ method: String, _ path: String, _ body: JSONValue? = nil, headers: HTTPHeaders = [:]
        ) async throws -> Answer {
            let response = try await client.send(
                HTTPClientRequest(
                    method: method, url: server.url + WirePath.root + path, headers: headers,
                    body: body.map { Array($0.text.utf8) } ?? [], timeout: 60))
            return Answer(status: response.status, headers: response.headers, body: response.body)
        }
    }

    @Test func people() async throws {
        let world = try await World()
        let who = try await world.ask("/O=site/CN=backup")
        #expect(who.status == 200 && who["user"] == "backup" && who["scopes"] == ["jobs.read"], "\(who)")
        let job: JSONValue = ["src_siteid": 1, "src_filepath": "/x"]
        #expect(try await world.ask("/O=site/CN=backup", "POST", "/list", job).status == 403)
        #expect(try await world.ask("/O=site/CN=admin", "GET", "/workers").status == 200)
        let record = try await world.ask("/O=site/CN=admin", "GET", "/audit?user=backup")
        #expect(record[0]?["action"] == "user.add" && record[0]?["detail"] == "identity=certificate CN=backup,O=site")
        // Trusted, and nobody: as without any.
        for subject in [
            "/O=site/CN=stranger", "/CN=backup", "/O=site/CN=backup/CN=x", "/CN=admin/O=site",
            #"/O=site/CN=x\/CN=admin"#,
            "/CN=admin,O=site",
        ] { #expect(try await world.ask(subject).status == 401, "\(subject)") }
        #expect(try await world.ask(world.client(nil), "GET", "/whoami").status == 401)
        // Not trusted: refused, also with a token that is good, and where no token is asked for.
        let token = try await world.server.token(user: "alice", role: "user")
        let foreign = try await CertificateAuthority()
        for issued in [
            try await foreign.issue("/O=site/CN=admin"), try await world.authority.issue("/O=site/CN=admin", .expired),
        ] {
            let client = world.client(issued)
            for headers: HTTPHeaders in [[:], ["X-Token": token]] {
                let answer = try await world.ask(client, "GET", "/whoami", headers: headers)
                #expect(answer.status == 403 && answer.text.contains("certificate"), "\(answer)")
            }
            #expect(try await world.ask(client, "POST", "/login", ["user": "a", "password": "b"]).status == 403)
        }
        await world.server.remove()
    }

    /// A token or a password that is shown beside a certificate is who asks, right or wrong.
    @Test func tokensCount() async throws {
        let world = try await World()
        let token = try await world.server.token(user: "alice", role: "user")
        let both = try await world.ask("/O=site/CN=admin", headers: ["Authorization": "Bearer \(token)"])
        #expect(both["user"] == "alice" && both["role"] == "user", "\(both)")
        for headers: HTTPHeaders in [
            ["X-Token": "haul_wrong"], ["X-Token": ""], ["Authorization": "Bearer x"], ["Authorization": ""],
            ["Authorization": "Negotiate abc"], ["Authorization": "Basic !"],
        ] { #expect(try await world.ask("/O=site/CN=admin", headers: headers).status == 401, "\(headers)") }
        await world.server.remove()
    }

    /// Operators shut one out, by its user or alone.
    /// A browser shows certificates, and passwords that were typed once, for whatever page asks it to.
    @Test func pagesOfOthers() async throws {
        let world = try await World()
        try await world.server.addUser("carol", role: "user", password: "a long password")
        let basic = "Basic " + Data("carol:a long password".utf8).base64EncodedString()
        let own = "https://127.0.0.1:\(world.server.port)"
        for (headers, status) in [
            (["Origin": "https://evil.example"], 401), (["Sec-Fetch-Site": "cross-site"], 401),
            (["Origin": "null"], 401), (["Origin": "\(own).evil.example"], 401), (["Sec-Fetch-Site": "same-site"], 401),
            (["Origin": own], 200), (["Sec-Fetch-Site": "same-origin"], 200), ([:], 200),
        ] as [([String: String], Int)] {
            var fields = HTTPHeaders()
            for (name, value) in headers { fields.set(name, value) }
            let shown = try await world.ask("/O=site/CN=admin", "GET", "/users", headers: fields)
            #expect(shown.status == status, "\(headers) \(shown)")
            fields.set("Authorization", basic)
            #expect(try await world.server.anonymous.get("/jobs", headers: fields).status == status, "\(headers)")
        }
        await world.server.remove()
    }

    @Test func shutOut() async throws {
        let world = try await World()
        let who = try await world.ask("/O=site/CN=backup")
        let token = try #require(who["token"]?.int)
        #expect(try await world.ask("/O=site/CN=admin", "DELETE", "/tokens/\(token)").status == 200)
        #expect(try await world.ask("/O=site/CN=backup").status == 401)
        #expect(try await world.ask("/O=site/CN=admin", "PATCH", "/users/backup", ["disabled": false]).status == 200)
        #expect(try await world.ask("/O=site/CN=backup")["token"] == .int(token))
        #expect(try await world.ask("/O=site/CN=admin", "PATCH", "/users/backup", ["disabled": true]).status == 200)
        #expect(try await world.ask("/O=site/CN=backup").status == 401)
        // With the rights of a user of haul's own goes nothing of what a certificate gives.
        #expect(try await world.ask("/O=site/CN=admin", "PATCH", "/users/backup", ["disabled": false]).status == 200)
        #expect(try await world.ask("/O=site/CN=admin", "PATCH", "/users/backup", ["role": "worker"]).status == 200)
        #expect(try await world.ask("/O=site/CN=backup")["role"] == "user")
        await world.server.remove()
    }

    /// A worker and the command line that have a certificate and no token; a session goes on under a renewed certificate.
    @Test func programs() async throws {
        let world = try await World()
        let shown = try await world.authority.issue("/O=site/CN=worker-1")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: shown.keyPath)
        var settings = RealWorker.Settings()
        settings.certificate = shown
        let worker = try await RealWorker.start(world.server, settings)
        let run = try await worker.haul("mkdir", "fake-a:/ok", "--wait")
        #expect(run.code == 0, "\(run) \(worker.log)")
        let admin = try await world.authority.issue("/O=site/CN=admin")
        let words = [
            "whoami", "--url", world.server.url, "--ca-file", world.certificate.path, "--client-certificate",
            admin.path,
            "--client-key", admin.keyPath,
        ]
        let who = try await ProgramRun("haul", words)
        #expect(who.code == 0 && who.output.contains("root"), "\(who)")
        let environment = [
            "HAUL_URL": world.server.url, "HAUL_CA_FILE": world.certificate.path,
            "HAUL_CLIENT_CERTIFICATE": admin.path, "HAUL_CLIENT_KEY": admin.keyPath,
        ]
        #expect(try await ProgramRun("haul", ["audit"], environment: environment).code == 0)
        await worker.stop()
        let (one, two) = (
            world.client(try await world.authority.issue("/O=site/CN=worker-1")),
            world.client(try await world.authority.issue("/O=site/CN=worker-1"))
        )
        let body: JSONValue = ["name": "mine", "slots": 1, "protocols": ["fake"]]
        let session = try await world.ask(one, "POST", "/worker/register", body)
        let id = try #require(session["session"], "\(session)")
        #expect(try await world.ask(two, "POST", "/worker/heartbeat", ["session": id, "holding": []]).status == 200)
        let other = world.client(try await world.authority.issue("/O=site/CN=worker-2"))
        #expect(try await world.ask(other, "POST", "/worker/heartbeat", ["session": id, "holding": []]).status == 409)
        #expect(try await world.ask(other, "POST", "/worker/register", body).status == 409)
        await world.server.remove()
    }

    /// SIGHUP: the server goes on, with the new certificate for who comes from then on, or with the old one and a line that
    /// says why.
    @Test func reload() async throws {
        let world = try await World()
        let (server, old) = (world.server, world.client(nil))
        let person = try await server.person()
        let id = try await person.list("/x")
        let before = try Data(contentsOf: URL(fileURLWithPath: world.certificate.path))
        let trust = world.certificate.folder.appending(path: "old.pem").path
        try before.write(to: URL(fileURLWithPath: trust))
        #expect(try await world.ask(old, "GET", "/whoami").status == 401)
        let next = try await Certificate()
        try Data("no PEM".utf8).write(to: URL(fileURLWithPath: world.certificate.path))
        server.process?.signal(SIGHUP)
        try await eventually("it is refused") { server.log.contains("not reloaded cause=") }
        #expect(server.log.contains(world.certificate.path))
        #expect(try await world.ask(old, "GET", "/whoami").status == 401, "still there")
        for (from, to) in [(next.path, world.certificate.path), (next.keyPath, world.certificate.keyPath)] {
            try Data(contentsOf: URL(fileURLWithPath: from)).write(to: URL(fileURLWithPath: to))
        }
        server.process?.signal(SIGHUP)
        try await eventually("it is taken") { server.log.contains(" reloaded\n") }
        // What was open goes on: `old` trusts nothing but the certificate that it was made with.
        #expect(try await world.ask(old, "GET", "/whoami").status == 401)
        let client = next.client()
        let response = try await client.send(
            HTTPClientRequest(
                url: server.url + WirePath.root + "/jobs/\(id)",
                headers: ["Authorization": "Bearer \(person.user.token ?? "")"], timeout: 30))
        #expect(response.status == 200)
        var configuration = HTTPClientConfiguration()
        configuration.authoritiesPath = trust
        await #expect(throws: HTTPClientError.self) {
            try await HTTPClient(configuration: configuration).send(HTTPClientRequest(url: server.url, timeout: 30))
        }
        await server.remove()
    }

    @Test(arguments: [
        (#"subjects: {"worker-1": {user: "a", role: "worker"}}"#, "subjects such as"),
        (
            #"subjects: {"CN=a,O=b": {user: "a", role: "user"}, "/O=b/CN=a": {user: "b", role: "user"}}"#,
            "each subject once"
        ),
        (#"subjects: {"CN=a": {user: "a:b", role: "user"}}"#, "a user's name"),
        (#"subjects: {"CN=a": {user: "a"}}"#, "role"), (#"subjects: {"CN=a": {role: "user"}}"#, "user"),
        (#"subjects: {"CN=a": {user: "a", role: "user", groups: []}}"#, "groups"),
        ("subjects: {}", "tls beside it"),
    ])
    func configuration(keys: String, words: String) async throws {
        var settings = LiveServer.Settings()
        if words != "tls beside it" { settings.certificate = try await Certificate() }
        settings.more = #"clients: {authorities: "ca.pem", \#(keys)},"#
        let server = try LiveServer(settings)
        try server.configure(port: 0)
        let run = try await ProgramRun("hauld", ["--config", server.config], atMost: .seconds(30))
        #expect(run.code == 2 && run.errors.contains(words) && run.errors.contains("clients"), "\(run)")
        await server.remove()
    }
}
