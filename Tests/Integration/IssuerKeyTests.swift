import Foundation
import HaulCrypto
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// The issuers themselves: their keys, and what a configuration says of them.
@Suite(.timeLimit(.minutes(6))) struct IssuerKeyTests {
    private typealias World = IssuerWorld
    private static let reader: [String: JSONValue?] = ["scope": "openid storage.read:/", "wlcg.ver": "1.0"]

    /// A fetch that hangs keeps nobody else waiting, and many that wait make one; a new key is taken without a restart.
    @Test func keys() async throws {
        let world = try await World()
        let plain = try await world.server.caller(user: "plain", role: "user")
        world.first.hold()
        let alice = world.caller(world.first.token("alice", Self.reader))
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<40 { group.addTask { try await alice.get("/jobs").status } }
            try await eventually("the keys are asked for") { world.first.fetches == 1 }
            #expect(try await plain.get("/jobs").status == 200)
            let other = world.caller(world.second.token("x", ["preferred_username": "x"]))
            #expect(try await other.get("/jobs").status == 200)
            world.first.release()
            for try await status in group { #expect(status == 200) }
        }
        #expect(world.first.fetches == 1)
        let next = try SigningKey(id: "k2")
        world.first.publish([next])
        let rotated = world.caller(world.first.token("alice", Self.reader, key: next))
        try await eventually("the new key is there", within: .seconds(60)) {
            try await rotated.get("/jobs").status == 200
        }
        #expect(try await alice.get("/jobs").status == 401, "signed with a key that was withdrawn")
        #expect(world.first.fetches == 2)
        await world.end()
    }

    /// An issuer that lies or fails: its tokens let nobody in, and the log says why.
    @Test(arguments: [
        "status 500", "no JSON Web Key Set", "another issuer's", "no https address", "maximum",
    ])
    func faults(words: String) async throws {
        let world = try await World()
        switch words {
        case "status 500": world.first.answer(HTTPResponse(status: 500))
        case "no JSON Web Key Set": world.first.answer(HTTPResponse(text: "<html>"))
        case "another issuer's": world.first.changeDiscovery(["issuer": "https://other.example"])
        case "no https address": world.first.changeDiscovery(["jwks_uri": "http://other.example/jwks"])
        default: world.first.answer(HTTPResponse(text: String(repeating: " ", count: 300_000)))
        }
        let alice = world.caller(world.first.token("alice", Self.reader))
        #expect(try await alice.get("/jobs").status == 401)
        let line = world.server.log.split(separator: "\n").first { $0.contains("issuer without keys") } ?? ""
        #expect(line.contains("issuer=\(world.first.url) ") && (words == "maximum" || line.contains(words)), "\(line)")
        await world.end()
    }

    /// A configuration that lets in more than it seems to is refused, with its line.
    @Test(arguments: [
        (#"rules: [{everyone: true, role: "operator"}]"#, "not everyone can be an operator"),
        (#"rules: [{role: "user"}]"#, "whom it is for"), (#"rules: []"#, "at least one rule"),
        (#"rules: [{group: "x", everyone: true, role: "user"}]"#, "whom it is for"),
        (#"rules: [{group: "x", role: "root"}]"#, "one of user, worker, operator"),
        (#"rules: [{group: "x", role: "user", scopes: ["operate"]}]"#, "jobs.read"),
        (#"rules: [{group: "x", role: "user", scopes: []}]"#, "jobs.read"),
        (#"rules: [{group: "x", role: "user", sites: [1]}]"#, "worker, as sites"),
        (#"rules: [{group: "x", groups: "y", role: "user"}]"#, "groups"),
        (#"rules: [{scope: "a:/../b", role: "user"}]"#, "a scope"),
        (#"rules: [{everyone: true, role: "user"}], jwks: "http://example.org/k""#, "https://"),
        (#"rules: [{everyone: true, role: "user"}], audience: []"#, "audience"),
        (#"rules: [{everyone: true, role: "user"}], name: "a:b""#, "name"),
    ])
    func configuration(keys: String, words: String) async throws {
        var settings = LiveServer.Settings()
        let has = { (key: String) in keys.contains(key + ":") }
        settings.more = """
            issuers: [{\(has("name") ? "" : "name: \"a\", ")issuer: "https://issuer.example", \
            \(has("audience") ? "" : "audience: [\"haul\"], ")\(keys)}],
            """
        let server = try LiveServer(settings)
        try server.configure(port: 0)
        let run = try await ProgramRun("hauld", ["--config", server.config], atMost: .seconds(30))
        #expect(run.code == 2 && run.errors.contains(words) && run.errors.contains("issuers[0]"), "\(run)")
        await server.remove()
    }
}
