import Foundation
import HaulProtocol
import Support
import Testing

/// What keeps hauld from starting: one clear line, and an exit code that says whose fault it is.
@Suite struct StartFailureTests {
    private func serve(_ server: LiveServer) async throws -> ProgramRun {
        try await ProgramRun("hauld", ["--config", server.config], atMost: .seconds(30))
    }

    private func expectOneLine(_ run: ProgramRun, code: Int, _ words: String...) {
        #expect(run.code == code, "\(run)")
        #expect(lines(run.errors).count == 1 && lines(run.errors).first?.hasPrefix("hauld: ") == true, "\(run.errors)")
        for word in words { #expect(run.errors.contains(word), "\(word): \(run.errors)") }
        #expect(run.output.isEmpty)
    }

    /// What it says of the failure; a protocol that is left out is another matter.
    private func lines(_ errors: String) -> [Substring] {
        errors.split(separator: "\n").filter { !$0.contains(" protocol left out ") }
    }

    private func configured(port: Int = 0) throws -> LiveServer {
        let server = try LiveServer()
        try server.configure(port: port)
        return server
    }

    /// A port in use: exit 1.
    @Test func portInUse() async throws {
        let first = try await LiveServer.start()
        let second = try configured(port: first.port)
        expectOneLine(try await serve(second), code: 1, "\(first.port)", "in use")
        await second.remove()
        await first.remove()
    }

    /// A folder that can't be written: exit 1. Root writes everywhere, so a file stands where a folder should.
    @Test(arguments: ["state", "state/logs", "state/haul.sqlite"])
    func unusableFolder(path: String) async throws {
        let server = try configured()
        let place = "\(server.folder)/\(path)"
        if path == "state/haul.sqlite" {
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        } else {
            try FileManager.default.createDirectory(
                atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try "a file".write(toFile: place, atomically: true, encoding: .utf8)
        }
        expectOneLine(try await serve(server), code: 1, place)
        await server.remove()
    }

    /// No permission, as any other user than root has it.
    @Test func noPermission() async throws {
        let server = try configured()
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: server.folder)
        let child = try await Child.start(
            Command(
                executable: try #require(ToolPath.find("setpriv")),
                arguments: [
                    "--reuid", "65534", "--regid", "65534", "--clear-groups", Built.executable("hauld"), "--config",
                    server.config,
                ]))
        var errors = Data()
        while let piece = await child.errors?.read() { errors += piece }
        let code = await child.wait(atMost: .seconds(30))?.code
        let text = String(decoding: errors, as: UTF8.self)
        #expect(
            code == 1 && lines(text).count == 1 && text.contains("\(server.folder)/state"), "\(text)")
        await server.remove()
    }

    /// A database from a newer version, and what is no database: exit 1.
    @Test func foreignDatabase() async throws {
        let server = try await LiveServer.start()
        await server.stop()
        let sqlite = try #require(ToolPath.find("python3"))
        let child = try await Child.start(
            Command(
                executable: sqlite,
                arguments: [
                    "-c",
                    "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); "
                        + "d.execute(\"INSERT INTO schema_migrations (version, name) VALUES (999, 'later')\"); d.commit()",
                    server.database,
                ]))
        #expect(await child.wait(atMost: .seconds(20)) == .exited(0))
        expectOneLine(try await serve(server), code: 1, "999", server.database)
        try "no database, whatever its name says. ".write(toFile: server.database, atomically: true, encoding: .utf8)
        expectOneLine(try await serve(server), code: 1, server.database)
        await server.remove()
    }

    /// A wrong config file: the line, the key, what was expected; exit 2.
    @Test(arguments: [
        ("listen: \"127.0.0.1:0\"", "listen: 5", ["hauld.json5:2", "listen"]),
        ("listen: \"127.0.0.1:0\"", "listen: \"h:99999\"", ["hauld.json5:2", "listen", "65535"]),
        ("store:", "stoer:", ["hauld.json5:3", "stoer", "store"]),
        ("logs: \"state/logs\", ", "", ["logs"]),
        ("seconds: 60.0", "seconds: \"x\"", ["hauld.json5:6", "leases.seconds"]),
        ("seconds: 60.0", "seconds: 1e9", ["hauld.json5:6", "leases.seconds", "86400"]),
        ("heartbeat: 15.0", "heartbeat: 59", ["hauld.json5:6", "leases.heartbeat"]),
        (
            "limits: {", "retention: {days: 0.5}, limits: {",
            ["retention.days", "expected 0 (for ever), or 1 to 36500 days"]
        ),
        (
            "limits: {", "retention: {days: -1}, limits: {",
            ["retention.days", "expected 0 (for ever), or 1 to 36500 days"]
        ),
        ("sites: \"sites.json5\"", "sites: \"none.json5\"", ["none.json5"]), ("limits: {", "limits: ", ["hauld.json5"]),
        ("connections: 4096", "connections: 0", ["limits.connections"]),
    ])
    func wrongConfig(text: String, replacement: String, words: [String]) async throws {
        let server = try configured()
        let config = try String(contentsOfFile: server.config, encoding: .utf8)
        try #require(config.contains(text))
        try config.replacing(text, with: replacement).write(toFile: server.config, atomically: true, encoding: .utf8)
        let run = try await serve(server)
        expectOneLine(run, code: 2)
        for word in words { #expect(run.errors.contains(word), "\(word): \(run.errors)") }
        await server.remove()
    }

    /// How workers are launched: each key, and what it names.
    @Test(arguments: [
        ("by: \"local\"", "by: \"pbs\"", "launch.by", 2), ("by: \"local\"", "bye: \"local\"", "launch.bye", 2),
        ("workers: 1", "workers: 0", "launch.workers", 2), ("per_user: 1", "per_user: 501", "launch.per_user", 2),
        ("tries: 1", "tries: 0", "launch.tries", 2), ("idle_seconds: 1", "idle_seconds: 0", "launch.idle_seconds", 2),
        ("poll_seconds: 1", "poll_seconds: 0", "launch.poll_seconds", 2),
        ("poll_seconds: 1", "poll_seconds: 121", "launch.poll_seconds", 2),
        ("sbatch: []", "sbatch: [\"transfer\"]", "launch.sbatch", 2),
        ("sbatch: []", "sbatch: [\"-Jx\"]", "launch.sbatch", 2),
        ("sbatch: []", "sbatch: [\"--exclusive\", \"--exp=ALL\"]", "not \"--exp=ALL\"", 2),
        ("url: \"http://h\"", "url: \"h\"", "launch.url", 2), ("config: \"sites.json5\",", "", "launch.config", 2),
        ("folder: \"l\",", "", "launch.folder", 2), ("sites.json5\", f", "none.json5\", f", "none.json5", 1),
        ("folder: \"l\"", "folder: \"sites.json5\"", "sites.json5", 1),
    ])
    func wrongLaunch(text: String, replacement: String, word: String, code: Int) async throws {
        var settings = LiveServer.Settings()
        settings.more = """
            launch: {
                by: "local", workers: 1, per_user: 1, tries: 1, idle_seconds: 1, poll_seconds: 1, sbatch: [],
                url: "http://h", config: "sites.json5", folder: "l",
            },
            """
        let server = try LiveServer(settings)
        try server.configure(port: 0)
        let config = try String(contentsOfFile: server.config, encoding: .utf8)
        try #require(config.contains(text))
        try config.replacing(text, with: replacement).write(toFile: server.config, atomically: true, encoding: .utf8)
        expectOneLine(try await serve(server), code: code, word)
        await server.remove()
    }

    @Test(arguments: [
        ("{a: {id: 1, protocol: 'ssh'}, b: {id: 1, protocol: 'ssh'}}", "b.id"), ("{a: {protocol: 'ssh'}}", "a"),
        ("{a: {id: 'x', protocol: 'ssh'}}", "a.id"), ("{'7': {id: 1, protocol: 'ssh'}}", "7"),
        ("{a: {id: 1, protocol: ''}}", "a.protocol"),
        ("{a: {id: 1, protocol: 'http', options: {tls: 'yes'}}}", "a.options.tls"),
        ("[", "sites.json5:1"), ("", "sites.json5"),
    ])
    func wrongSites(text: String, word: String) async throws {
        let server = try configured()
        try text.write(toFile: server.folder + "/sites.json5", atomically: true, encoding: .utf8)
        expectOneLine(try await serve(server), code: 2, "sites.json5", word)
        await server.remove()
    }

    /// A protocol that nobody here has heard of is no error - its workers may have - but likely misspelt.
    @Test func unknownProtocol() async throws {
        var settings = LiveServer.Settings()
        settings.sites = "{a: {id: 1, protocol: 'sshh'}, b: {id: 2, protocol: 'ssh'}, c: {id: 3, protocol: 'dummy'}}"
        let server = try await LiveServer.start(settings)
        let warnings = server.log.split(separator: "\n").filter { $0.contains(" protocol unknown ") }
        #expect(warnings.count == 1 && warnings[0].contains("site=a protocol=sshh"), "\(server.log)")
        await server.remove()
    }

    /// A wrong command line: exit 2.
    @Test(arguments: [
        ["--confg", "x"], ["serve"], ["--config"], ["token", "add"], ["token", "add", "--user", "a", "--role", "king"],
        ["token", "add", "--user", "a", "--role", "worker", "--sites", "x"], ["--config", "/nonexistent/hauld.json5"],
    ])
    func wrongArguments(words: [String]) async throws {
        let run = try await ProgramRun("hauld", words)
        #expect(run.code == 2 && run.errors.hasPrefix("hauld: ") && run.output.isEmpty, "\(run)")
    }

    @Test func tokenNames() async throws {
        let server = try configured()
        for name in ["", "a b", "ü", "a/b", String(repeating: "n", count: 65)] {
            let run = try await ProgramRun(
                "hauld", ["token", "add", "--config", server.config, "--user", name, "--role", "user"])
            #expect(run.code == 2, "\(name) \(run)")
        }
        await server.remove()
    }

    @Test func helpAndVersion() async throws {
        for words in [["--help"], ["-h"], ["--version"]] {
            let run = try await ProgramRun("hauld", words)
            #expect(run.code == 0 && !run.output.isEmpty && run.errors.isEmpty)
        }
    }
}
