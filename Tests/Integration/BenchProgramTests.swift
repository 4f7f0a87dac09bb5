import Foundation
import HaulModel
import Support
import Testing

/// `haul-bench` against a live server, with small numbers.
@Suite(.server(), .serialized, .timeLimit(.minutes(10))) struct BenchProgramTests {
    /// The files in which a bench finds its tokens.
    private struct Tokens {
        let user: String
        let worker: String

        init(_ server: LiveServer) async throws {
            user = server.folder + "/bench-user.token"
            worker = server.folder + "/bench-worker.token"
            let name = "bench-\(UUID().uuidString.prefix(8).lowercased())"
            try await server.token(user: name, role: "user").write(toFile: user, atomically: true, encoding: .utf8)
            try await server.token(user: name + "-worker", role: "worker", "--users", name)
                .write(toFile: worker, atomically: true, encoding: .utf8)
        }
    }

    private static let bareRows = "raw limit: rows into a bare SQLite [rows/s]"

    /// What `--json` prints.
    private struct Document: Decodable {
        var bench: String
        var figures: [String: Double]
    }

    private func bench(_ verb: String, _ server: LiveServer, _ words: [String]) async throws -> ProgramRun {
        let tokens = try await Tokens(server)
        let worker = verb == "register" ? [] : ["--worker-token-file", tokens.worker]
        return try await ProgramRun(
            "haul-bench",
            [verb, "--url", server.url, "--token-file", tokens.user, "--site", "fake-a"] + worker + words)
    }

    /// Each bench prints its rows: positive figures that fit to each other.
    @Test func figures() async throws {
        let server = try LiveServer.ofSuite
        let benches: [(verb: String, words: [String], done: (row: String, count: Double), rows: [String])] = [
            (
                "register", ["--jobs", "60", "--batch", "3", "--connections", "4"], ("jobs registered [jobs]", 60),
                [
                    "registered, on disk before the reply [jobs/s]", "p50 of a request [ms]", "p99 of a request [ms]",
                    "raw limit: empty requests [requests/s]", "requests, of the raw limit []", Self.bareRows,
                ]
            ),
            (
                "dispatch", ["--jobs", "2", "--entries", "40", "--batch", "7", "--connections", "2"],
                ("elements claimed and reported [elements]", 80),
                [
                    "claimed and reported [elements/s]", "raw limit: empty requests [requests/s]",
                    "requests, of the raw limit []", Self.bareRows,
                ]
            ),
            (
                "dispatch",
                ["--jobs", "2", "--entries", "20", "--batch", "7", "--connections", "2", "--waiting", "50"],
                ("waiting, at most [elements]", 50),
                [
                    "until so many wait [s]", "claimed and reported, 20 waiting [elements/s]",
                    "claimed and reported, 50 waiting [elements/s]", "with many, of the rate with few []",
                    "raw limit: empty requests [requests/s]",
                ]
            ),
            (
                "latency", ["--jobs", "20", "--connections", "2"], ("jobs registered and held [jobs]", 20),
                [
                    "p50 from registration to holding [ms]", "p99 from registration to holding [ms]",
                    "registered and held [jobs/s]", "raw limit: empty requests [requests/s]", Self.bareRows,
                ]
            ),
            (
                "steady", ["--seconds", "2", "--rate", "20", "--warm-up", "50", "--connections", "2"],
                ("registered and not taken [jobs]", 0),
                [
                    "seconds [s]", "registered [jobs/s]", "p99 of a registration [ms]",
                    "claimed and reported [elements/s]", "p99 of a claim [ms]", "p99 of a report [ms]",
                    "raw limit: empty requests [requests/s]",
                ]
            ),
            (
                "list", ["--entries", "1500"], ("entries [entries]", 1500),
                [
                    "sent up [s]", "checked and stored [s]", "expanded [s]", "all [s]",
                    "entries up, stored and expanded [entries/s]", "others meanwhile: p50 of a request [ms]",
                    "others meanwhile: p99 of a request [ms]", "raw limit: empty requests [requests/s]", Self.bareRows,
                ]
            ),
        ]
        for (verb, words, done, rows) in benches {
            let run = try await bench(verb, server, words + ["--json"])
            #expect(run.code == 0 && run.errors.isEmpty, "\(run)")
            let lines = run.output.split(separator: "\n")
            #expect(lines.count == 1, "\(run)")
            let document = try JSONDecoder().decode(Document.self, from: Data(run.output.utf8))
            let figures = document.figures
            #expect(document.bench == verb && Set(figures.keys) == Set(rows + [done.row]), "\(run)")
            #expect(figures[done.row] == done.count, "\(run)")
            for row in rows {
                let value = try #require(figures[row], "\(row) \(run)")
                #expect(value > 0 && value < 10_000_000, "\(row): \(value)")
            }
            if verb == "register" {
                let (p50, p99) = (figures["p50 of a request [ms]"], figures["p99 of a request [ms]"])
                #expect(try #require(p50) <= #require(p99))
            }
            if verb == "list" {
                let parts = ["sent up [s]", "checked and stored [s]", "expanded [s]"].compactMap { figures[$0] }
                #expect(abs(parts.reduce(0, +) - (figures["all [s]"] ?? 0)) < 0.001, "\(run)")
            }
        }
    }

    /// What was registered is there, and the table names what the JSON does.
    @Test func table() async throws {
        let server = try LiveServer.ofSuite
        let run = try await bench("register", server, ["--jobs", "25", "--connections", "3"])
        #expect(run.code == 0 && run.errors.isEmpty, "\(run)")
        #expect(run.output.contains("jobs registered") && run.output.contains(" 25.00 jobs"), "\(run)")
        let token = try String(contentsOfFile: server.folder + "/bench-user.token", encoding: .utf8)
        let jobs = try await server.anonymous.with(token).get("/jobs?queue=bench").json.array ?? []
        #expect(jobs.count == 25)
        #expect(Set(jobs.compactMap { $0["src_filepath"]?.string }).count == 25)
    }

    /// What keeps it from measuring: exit 1 and one line that says what, with no token in it.
    @Test func failures() async throws {
        let server = try LiveServer.ofSuite
        let tokens = try await Tokens(server)
        let wrong = server.folder + "/wrong.token"
        try "no-such-token\n".write(toFile: wrong, atomically: true, encoding: .utf8)
        let missing = server.folder + "/missing.token"
        let cases: [(url: String, token: String, site: String, words: [String])] = [
            (server.url, wrong, "fake-a", ["401"]), (server.url, tokens.worker, "fake-a", ["403"]),
            (server.url, tokens.user, "nowhere", ["400", "src_siteid"]), (server.url, missing, "fake-a", [missing]),
            ("http://127.0.0.1:1", tokens.user, "fake-a", ["connect to 127.0.0.1"]),
            (server.url + "/elsewhere", tokens.user, "fake-a", ["404"]), ("not a url", tokens.user, "fake-a", []),
        ]
        for (url, token, site, words) in cases {
            for verb in ["register", "dispatch", "latency", "list", "steady"] {
                let run = try await ProgramRun(
                    "haul-bench",
                    [
                        verb, "--url", url, "--token-file", token, "--site", site, "--jobs", "2", "--entries", "2",
                        "--worker-token-file", tokens.worker, "--json",
                    ])
                #expect(run.code == 1 && run.output.isEmpty, "\(verb) \(url) \(run)")
                let lines = run.errors.split(separator: "\n")
                #expect(lines.count == 1 && run.errors.hasPrefix("haul-bench: "), "\(verb) \(run)")
                for word in words { #expect(run.errors.contains(word), "\(verb) \(word): \(run)") }
                for inner in ["no-such-token", "NSCocoa", "UserInfo", "Error("] {
                    #expect(!run.errors.contains(inner), "\(verb) \(run)")
                }
            }
        }
    }

    /// A command line that can't be understood: exit 2.
    @Test(arguments: [
        ["fly"], ["register"], ["--json"], ["register", "--url"], ["register", "--url", "u", "--token-file", "f"],
        ["register", "--url", "u", "--token-file", "f", "--site", "s", "--jobs", "0"],
        ["register", "--url", "u", "--token-file", "f", "--site", "s", "--jobs", "many"],
        ["register", "--url", "u", "--token-file", "f", "--site", "s", "--batch", "-1"],
        ["register", "--url", "u", "--token-file", "f", "--site", "s", "--fast", "1"],
        ["register", "--url", "u", "--token-file", "f", "--site", "s", "extra"],
        ["dispatch", "--url", "u", "--token-file", "f", "--site", "s"],
        ["list", "--url", "u", "--token-file", "f", "--site", "s", "--entries", "1e3"],
        ["start", "--url", "u", "--token-file", "f", "--site", "s", "--worker-token-file", "w"],
        ["steady", "--url", "u", "--token-file", "f", "--site", "s", "--worker-token-file", "w", "--rate", "0"],
    ])
    func badOptions(words: [String]) async throws {
        let run = try await ProgramRun("haul-bench", words)
        #expect(run.code == 2 && run.output.isEmpty, "\(run)")
        #expect(run.errors.hasPrefix("haul-bench: ") && run.errors.contains("--help"), "\(run)")
    }
}
