import Foundation
import HaulConfig
import Testing

/// What a program's config looks like.
private struct Server: Decodable, Sendable, Equatable {
    var listen: Listen
    var database: String?
    var sites: [String: Site]?
    var level: Level?
    var limits: Limits?
    var token: String?

    struct Listen: Decodable, Sendable, Equatable {
        var host: String
        var port: UInt16
    }

    struct Site: Decodable, Sendable, Equatable {
        var id: Int
        var endpoints: [String]
    }

    enum Level: String, Decodable, Sendable, CaseIterable { case debug, info }

    struct Limits: Decodable, Sendable, Equatable {
        var lease: Double
        var slots: Int

        private enum CodingKeys: CodingKey { case lease, slots }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            lease = try container.decode(Double.self, forKey: .lease, in: 1...3600, default: 60)
            slots = try container.decode(Int.self, forKey: .slots, in: 1...64)
        }
    }
}

@Suite struct ConfigFileTests {
    @Test func readsAnHonestFile() throws {
        let text = """
            // what people write
            {
              listen: {host: '::1', "port": 0x1F90,}, /* 8080 */
              sites: {"ssh-a": {id: +1, endpoints: ['a:22', "b:22",],}},
              level: 'info',
              limits: {slots: 4, lease: .5e2},
            }
            """
        let server = try ConfigFile.parse(Server.self, text: text, name: "c.json5")
        #expect(server.listen == .init(host: "::1", port: 8080))
        #expect(server.sites == ["ssh-a": .init(id: 1, endpoints: ["a:22", "b:22"])])
        #expect(server.level == .info)
        #expect(server.limits?.lease == 50 && server.limits?.slots == 4)
        #expect(server.database == nil)
    }

    @Test(arguments: [
        (
            "{\n listen: {\n  host: 'h',\n  port: 'http'}}",
            "c:4: listen.port: expected an integer from 0 to 65535, found \"http\""
        ),
        ("{listen: {host: 'h', port: 65536}}", "c:1: listen.port: expected an integer from 0 to 65535, found 65536"),
        ("{listen: {host: 'h', port: 1.5}}", "c:1: listen.port: expected an integer from 0 to 65535, found 1.5"),
        ("{listen: {host: 'h'}}", "c:1: listen.port: is missing, expected an integer from 0 to 65535"),
        ("{listen: {host: 'h', prot: 1}}", "c:1: listen.prot: unknown key; did you mean port?"),
        (
            "{listen: {host: 'h', port: 1},\n frobnicate: 1}",
            "c:2: frobnicate: unknown key; known here: database, level, limits, listen, sites, token"
        ),
        ("{listen: {host: 'h', port: 1},\n databse: 'x'}", "c:2: databse: unknown key; did you mean database?"),
        ("{listen: {host: 7, port: 1}}", "c:1: listen.host: expected a string, found 7"),
        ("{listen: []}", "c:1: listen: expected an object, found an array"),
        ("[]", "c:1: expected an object, found an array"),
        (
            "{listen: {host: 'h', port: 1}, sites: {'my site': {id: 1, endpoints: ['a',\n 2]}}}",
            "c:2: sites.\"my site\".endpoints[1]: expected a string, found 2"
        ),
        (
            "{listen: {host: 'h', port: 1}, sites: {a: {id: 1, endpoints: [], x: 2}}}",
            "c:1: sites.a.x: unknown key; known here: endpoints, id"
        ),
        (
            "{listen: {host: 'h', port: 1}, level: 'warn'}",
            "c:1: level: expected one of \"debug\", \"info\", found \"warn\""
        ),
        ("{listen: {host: 'h', port: 1}, level: 3}", "c:1: level: expected one of \"debug\", \"info\", found 3"),
        (
            "{listen: {host: 'h', port: 1}, limits: {slots: 65}}",
            "c:1: limits.slots: expected an integer from 1 to 64, found 65"
        ),
        ("{listen: {host: 'h', port: 1}, limits: {}}", "c:1: limits.slots: is missing, expected an integer"),
        (
            "{listen: {host: 'h', port: 1}, limits: {slots: 1, lease: Infinity}}",
            "c:1: limits.lease: expected a number from 1 to 3600, found Infinity"
        ),
        ("{listen: {host: 'h', port: null}}", "c:1: listen.port: expected an integer from 0 to 65535, found null"),
        ("{listen: {host: 'h', port: 1}, token: 12345}", "c:1: token: expected a string, found a number"),
        (
            "{listen: {host: 'h', port: '\\u0007\(String(repeating: "x", count: 99))'}}",
            "c:1: listen.port: expected an integer from 0 to 65535, found "
                + "\"\\u{7}\(String(repeating: "x", count: 59))...\""
        ),
    ])
    func namesLineKeyExpectedAndFound(text: String, error: String) {
        let thrown = #expect(throws: ConfigError.self) {
            try ConfigFile.parse(Server.self, text: text, name: "c")
        }
        #expect(thrown?.description == error)
    }

    @Test func loadsAFileAndSaysWhyNot() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("['a']".utf8).write(to: URL(filePath: folder + "/good"))
        try Data([0x22, 0xFF, 0x22]).write(to: URL(filePath: folder + "/binary"))
        #expect(try ConfigFile.load([String].self, from: folder + "/good") == ["a"])
        for (name, reason) in [
            ("none", "there is no such file"), ("binary", "is not UTF-8 text"), ("", "cannot be read: Is a directory"),
        ] {
            let thrown = #expect(throws: ConfigError.self) {
                try ConfigFile.load([String].self, from: folder + "/" + name)
            }
            #expect(thrown?.description == "\(folder)/\(name): \(reason)")
        }
    }

    @Test func resolvesPathsFromTheFolderOfTheFile() {
        let home = ProcessInfo.processInfo.environment["HOME"] ?? NSHomeDirectory()
        #expect(ConfigFile.resolve("/a/b", relativeTo: "/etc/haul/c.json5") == "/a/b")
        #expect(ConfigFile.resolve("data", relativeTo: "/etc/haul/c.json5") == "/etc/haul/data")
        #expect(ConfigFile.resolve("./data", relativeTo: "config/c.json5") == "config/data")
        #expect(ConfigFile.resolve("../data", relativeTo: "config/c.json5") == "config/../data")
        #expect(ConfigFile.resolve("data", relativeTo: "c.json5") == "data")
        #expect(ConfigFile.resolve("~/x", relativeTo: "/c.json5") == home + "/x")
        #expect(ConfigFile.resolve("~", relativeTo: "/c.json5") == home)
    }

    @Test func findsTheWordThatWasMeant() {
        #expect(NearMiss.of("lsit", in: ["list", "copy"]) == "list")
        #expect(NearMiss.of("li", in: ["list", "copy"]) == nil)
        #expect(NearMiss.of("", in: ["a", "bc"]) == "a")
        #expect(NearMiss.of("statsu", in: ["status", "state"]) == "status")
        #expect(NearMiss.of("zebra", in: ["list", "copy"]) == nil)
    }
}
