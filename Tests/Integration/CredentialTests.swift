import Foundation
import HaulCrypto
import HaulHTTP
import HaulModel
import HaulPlayground
import Support
import Testing

/// What users show at sites: kept sealed, given to who holds a lease of theirs, and to nobody else.
@Suite(.timeLimit(.minutes(10))) struct CredentialTests {
    private static let secret = "alice:correct horse \(UUID().uuidString)"

    private func copy(_ person: Person) async throws {
        let answer = try await person.user.post(
            "/list", ["src_siteid": "http-a", "src_filepath": "/x"])
        try #require(answer.status == 200, "\(answer)")
    }

    @Test func life() async throws {
        try await withVault { server in
            let (person, other) = (try await server.person(), try await server.person())
            let boss = try await server.caller(user: "boss", role: "operator")
            let made = try await keep(person.user, "http-password", Self.secret, site: "http-a")
            let id = try #require(made["id"]?.int, "\(made)")
            #expect(made["subject"] == "alice" && made["site"] == "http-a" && made["expired"] == false)
            #expect(try await keep(person.user, "http-password", Self.secret, site: 3)["id"]?.int == id, "in its place")
            let list = try await person.user.get("/credentials")
            #expect(list.json.array?.count == 1)
            #expect(try await other.user.get("/credentials").json.array?.isEmpty == true)
            #expect(
                try await boss.get("/credentials?user=\(person.name)").json == list.json, "what it is, not the secret")
            #expect(try await other.user.get("/credentials?user=\(person.name)").status == 403)
            #expect(try await other.user.send("DELETE", "/credentials/\(id)").status == 404)
            #expect(try await boss.send("DELETE", "/credentials/\(id)").status == 404, "operators have none of it")
            #expect(try await person.worker.get("/credentials").status == 403)
            #expect(try await server.anonymous.get("/credentials").status == 401)
            let narrow = try await person.user.post("/tokens", ["scopes": ["jobs.read", "jobs.write"]])
            #expect(try await person.user.with(narrow["token"]?.string).get("/credentials").status == 403)
            for answer in [made, list, try await boss.get("/audit?limit=1000")] {
                #expect(!answer.text.contains("horse"), "\(answer)")
            }
            let record = try await boss.get("/audit?action=credential.put&limit=10")
            #expect(record[0]?["detail"] == "kind=http-password site=http-a", "\(record)")
            #expect(try await person.user.send("DELETE", "/credentials/\(id)").status == 204)
            #expect(try await person.user.send("DELETE", "/credentials/\(id)").status == 404)
        }
    }

    /// What is no such secret is refused in words that do not repeat it.
    @Test func unfit() async throws {
        try await withVault { server in
            let person = try await server.person()
            let folder = try Folder()
            for (name, passphrase) in [("open", ""), ("shut", "secret")] {
                let run = try await ProgramRun(
                    executable: "/usr/bin/ssh-keygen",
                    ["-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", folder.path + "/" + name])
                try #require(run.code == 0, "\(run.errors)")
            }
            func key(_ name: String) throws -> String {
                try String(contentsOfFile: folder.path + "/" + name, encoding: .utf8)
            }
            let grid = try await Grid.make()
            let old = try String(contentsOfFile: try await grid.expiredProxy("alice"), encoding: .utf8)
            let proxy = try String(contentsOfFile: try await grid.proxy("alice", valid: "2:00"), encoding: .utf8)
            let certificate = try String(contentsOfFile: grid.folder + "/alice.pem", encoding: .utf8)
            for (kind, secret, site, field) in [
                ("ssh-key", try key("shut"), .null, "secret"), ("ssh-key", try key("open.pub"), .null, "secret"),
                ("ssh-key", "horse", "ssh-a", "secret"), ("ssh-key", "", "ssh-a", "secret"),
                ("http-password", "horse", "http-a", "secret"), ("http-password", "a:horse", .null, "site"),
                ("http-password", "a:horse", "ssh-a", "kind"), ("no-such", "horse", .null, "kind"),
                ("http-password", "a:horse", "no-such-site", "site"), ("bearer", "horse\nhorse", "http-a", "secret"),
                ("x509-proxy", old, .null, "secret"), ("x509-proxy", certificate, .null, "secret"),
                ("x509-proxy", "-----BEGIN CERTIFICATE-----\nhorse\n", .null, "secret"),
                ("ssh-key", String(repeating: "horse", count: 20_000), .null, "secret"),
            ] as [(String, String, JSONValue, String)] {
                let answer = try await keep(person.user, kind, secret, site: site)
                #expect(answer.status == 400 && answer["fields"]?[field] != nil, "\(kind): \(answer)")
                #expect(!answer.text.contains("horse"))
            }
            let open = try await keep(person.user, "ssh-key", try key("open"))
            let printed = try await ProgramRun(
                executable: "/usr/bin/ssh-keygen", ["-l", "-f", folder.path + "/open.pub"])
            #expect(try printed.output.contains(#require(open["subject"]?.string)), "\(open) \(printed.output)")
            let kept = try await keep(person.user, "x509-proxy", proxy)
            #expect(kept["subject"]?.string?.hasPrefix("/O=haul/CN=alice") == true && kept["expires"] != nil, "\(kept)")
        }
    }

    /// The lease opens it, for as long as it lasts; nothing else does.
    @Test func onlyTheLease() async throws {
        try await withVault { server in
            let (person, other) = (try await server.person(), try await server.person())
            _ = try await keep(person.user, "http-password", Self.secret, site: "http-a")
            _ = try await keep(other.user, "http-password", "other:one", site: "http-a")
            try await copy(person)
            try await copy(other)
            let worker = try await ActingWorker(person.worker)
            let held = try await worker.takeOne()
            let strange = try await ActingWorker(other.worker).takeOne()
            let given = try await fetch(held, worker.caller.with(held.token))
            #expect(
                given["source"]?["http-password"]?.string == Data(Self.secret.utf8).base64EncodedString(), "\(given)")
            #expect(given["destination"] == [:] && given.headers["Cache-Control"] == "no-store")
            for (caller, status) in [
                (worker.caller, 401), (person.user, 401), (server.anonymous, 401),
                (worker.caller.with(strange.token), 403), (worker.caller.with(held.token + "x"), 401),
            ] {
                let answer = try await fetch(held, caller)
                #expect(answer.status == status && !answer.text.contains("horse"), "\(answer)")
            }
            // The claim says that there is one, and not what it is.
            try await copy(person)
            let claim = try await worker.ask()
            #expect(claim[0]?["src_site"]?["credentials"]?["http-password"] != nil && !claim.text.contains("horse"))
            try await worker.finish(held, ["listing": ["/x": []]])
            let late = try await fetch(held, worker.caller.with(held.token))
            #expect(late.status == 409 && late["code"] == "lease_over", "\(late)")
            // Workers of the documented system get it with the claim, as text: of their protocols, where there is one.
            let key = try await SSHKeys.make()
            try #require(try await keep(person.user, "ssh-key", key, site: "ssh-a").status == 200)
            for site in [1, 2] { _ = try await person.list("/x", ["src_siteid": .int(site)]) }
            let legacy = try await ActingWorker(sessionless: person.worker).ask()
            let texts = legacy.json.array?.sorted { $0["src_siteid"]?.int ?? 0 < $1["src_siteid"]?.int ?? 0 }
            #expect(texts?.map { $0["src_credentials"] } == [.string(key), ""], "\(legacy)")
            // Each time is in the record: what, for what, to whom.
            let boss = try await server.caller(user: "boss", role: "operator")
            let record = try await boss.get("/audit?action=credential.give")
            #expect(
                record.json.array?.map { $0["detail"]?.string } == [
                    "element=\(held.jobID).\(held.id) site=http-a",
                    "element=\(texts?[0]["id"]?.int ?? 0) site=ssh-a",
                ], "\(record)")
            let taker = try await worker.caller.get("/whoami")
            #expect(
                record.json.array?.allSatisfy {
                    $0["user"] == taker["user"] && $0["token"] == taker["token"] && $0["address"] == "127.0.0.1"
                } == true, "\(record) \(taker)")
            #expect(!record.text.contains("horse"))
            #expect(!server.log.contains("horse"))
        }
    }

    /// A stolen database tells nothing; a row that somebody moved opens nowhere.
    @Test func stolenAndMoved() async throws {
        try await withVault { server in
            let (person, thief) = (try await server.person(), try await server.person())
            _ = try await keep(person.user, "http-password", Self.secret, site: "http-a")
            _ = try await keep(thief.user, "http-password", "t:h", site: "http-a")
            let all = try await OutsideSQL.text(server, "SELECT COUNT(*) FROM credentials")
            #expect(all == "2")
            if !server.store.hasPrefix("postgresql:") {
                for name in try FileManager.default.contentsOfDirectory(atPath: server.stateFolder)
                where name.hasPrefix("haul.sqlite") {
                    let data = try #require(FileManager.default.contents(atPath: server.stateFolder + "/" + name))
                    #expect(data.range(of: Data("correct horse".utf8)) == nil)
                    #expect(data.range(of: Data(try #require(person.user.token).utf8)) == nil)
                }
            }
            let mode = try FileManager.default.attributesOfItem(atPath: server.folder + "/vault.key")[.posixPermissions]
            #expect(mode as? Int == 0o600)
            let users = "(SELECT id FROM users WHERE name = '\(person.name)')"
            try await OutsideSQL.run(
                server,
                """
                UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE user_id = \(users))
                WHERE user_id = (SELECT id FROM users WHERE name = '\(thief.name)')
                """)
            try await copy(thief)
            let worker = try await ActingWorker(thief.worker)
            let held = try await worker.takeOne()
            let answer = try await fetch(held, worker.caller.with(held.token))
            #expect(answer.status == 500 && !answer.text.contains("horse"), "\(answer)")
            #expect(server.log.contains("was not sealed by this vault"))
            // Nor does the database make anybody the holder of a lease.
            let forged = try await Self.forged(held, server)
            #expect(forged != held.token)
            #expect(try await fetch(held, worker.caller.with(forged)).status == 401)
        }
    }

    /// The token of an element as who has the database alone would make it.
    private static func forged(_ held: Held, _ server: LiveServer) async throws -> String {
        let isFile = !server.store.hasPrefix("postgresql:")
        let hex = isFile ? "hex(value)" : "encode(value, 'hex')"
        let text = try await OutsideSQL.text(server, "SELECT \(hex) FROM settings WHERE name = 'element_token_key'")
        let key = stride(from: 0, to: text.utf8.count, by: 2).compactMap { place in
            UInt8(text.dropFirst(place).prefix(2), radix: 16)
        }
        let name = held.token.split(separator: ".").prefix(3).joined(separator: ".")
        return name + "." + Text.base64url(Hash.keyed(Array("element-token:\(name)".utf8), key: key))
    }

    @Test func rotation() async throws {
        try await withVault { server in
            let person = try await server.person()
            _ = try await keep(person.user, "http-password", Self.secret, site: "http-a")
            try await copy(person)
            let worker = try await ActingWorker(person.worker)
            let held = try await worker.takeOne()
            let file = server.folder + "/vault.key"
            func lines() throws -> [Substring] {
                try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
            }
            func opens() async throws -> Bool {
                try await fetch(held, worker.caller.with(held.token))["source"]?["http-password"]?.string
                    == Data(Self.secret.utf8).base64EncodedString()
            }
            func vault(_ verb: String) async throws -> ProgramRun {
                try await ProgramRun("hauld", ["vault", verb, "--config", server.config])
            }
            let first = try #require(try lines().last)
            #expect(try await opens())
            let rotated = try await vault("rotate")
            #expect(rotated.code == 0 && rotated.output.hasPrefix("1 credentials"), "\(rotated)")
            #expect(try lines().count == 3 && lines()[1] == first)
            #expect(try await opens())
            #expect(try await vault("retire").code == 0)
            #expect(try lines().count == 2 && lines()[1] != first)
            #expect(try await opens())
            #expect(try await keep(person.user, "http-password", Self.secret, site: "http-a").status == 200)
            let key = try String(contentsOfFile: file, encoding: .utf8)
            // Others may read it: nothing is opened, nothing sealed.
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
            #expect(try await fetch(held, worker.caller.with(held.token)).status == 500)
            #expect(server.log.contains("chmod 600"))
            // Another key, or none: a server that can't open what it has does not start.
            await server.stop()
            let secret = try #require(try lines().first)
            for content in ["\(secret)\n\(first)\n", "\(secret)\n", nil, "", "rubbish\n"] {
                try FileManager.default.removeItem(atPath: file)
                if let content {
                    try content.write(toFile: file, atomically: true, encoding: .utf8)
                    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
                }
                let run = try await ProgramRun("hauld", ["--config", server.config])
                #expect(run.code == 1 && run.errors.contains("vault.key"), "\(run)")
                if content == nil { try "".write(toFile: file, atomically: true, encoding: .utf8) }
            }
            try key.write(toFile: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            try await server.start()
            #expect(try await opens())
        }
    }

    /// A server without a vault keeps none, and says how one comes to be.
    @Test func without() async throws {
        let server = try await LiveServer.start()
        let person = try await server.person()
        let answer = try await keep(person.user, "http-password", Self.secret, site: "http-a")
        #expect(answer.status == 404 && answer["code"] == "no_vault", "\(answer)")
        // What proves leases is the database's alone then: README says so.
        try await copy(person)
        let held = try await ActingWorker(person.worker).takeOne()
        #expect(try await Self.forged(held, server) == held.token)
        await server.remove()
    }
}
