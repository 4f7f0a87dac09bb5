import Foundation
import HaulModel
import Support
import Testing

/// What somebody makes of `/openapi.json` who knows nothing else: schemathesis (PyPI) sends what it allows and what it
/// does not, thousands of requests of each role, and holds each answer against it: no 5xx, no status and no field that does
/// not stand there, nothing refused that it allows, nothing taken that it does not.
@Suite(.serialized) struct SchemathesisTests {
    /// The files that it is told by.
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Schemathesis"
    /// Requests of each role, at least.
    private static let least = [Role.user: 3000, .operator: 3000, .worker: 500]

    @Test(arguments: Role.allCases) func everyCheck(role: Role) async throws {
        var settings = LiveServer.Settings()
        settings.more = "vault: \"vault.key\","
        let server = try await LiveServer.start(settings)
        let token = try await server.token(user: "\(role)", role: role.rawValue)
        let there = try await populate(server)
        let run = try await ProgramRun(
            executable: "/usr/bin/env",
            [
                // It leaves what it found in the folder where it runs.
                "-C", server.folder, try PythonTool.path("schemathesis"),
                "--config-file", Self.folder + "/schemathesis.toml", "run", server.url + "/openapi.json",
                // It keeps the dot of a server that is said beside the document, and then judges cases wrongly.
                "--url", server.url,
                "--checks", "all", "--phases", "coverage,fuzzing", "--max-examples", "2", "--seed", "1",
                "--continue-on-failure", "--no-shrink", "--request-timeout", "30",
                // What watches a job goes on until the job ends.
                "--exclude-path-regex", "/events$",
            ] + (role == .worker ? ["--include-path-regex", "/(worker|whoami|logout|login|openapi)"] : []),
            environment: [
                "HAUL_URL": server.url, "HAUL_TOKEN": token, "HAUL_ROLE": role.rawValue, "HAUL_THERE": there.text,
                "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": Self.folder, "PYTHONDONTWRITEBYTECODE": "1",
                "COLUMNS": "120",
            ], atMost: .seconds(280))
        let found = run.output.split(separator: "\n").filter { $0.hasPrefix("- ") || $0.hasPrefix("____") }
        #expect(
            run.code == 0, "\(found.joined(separator: "\n"))\n\(run.output.prefix(20_000))\(run.errors.prefix(4000))")
        let count = try #require(run.output.firstMatch(of: /(\d+) generated/).flatMap { Int($0.1) }, "\(run)")
        #expect(count >= Self.least[role] ?? 0)
        #expect(!server.log.contains("request failed"), "\(server.log.suffix(4000))")
        await server.remove()
    }

    /// Jobs in every state, a user, a worker and leases that can be reported on; what of it the requests may name.
    private func populate(_ server: LiveServer) async throws -> JSONValue {
        let owner = Caller(server: server, token: try await server.token(user: "user", role: "user"))
        let boss = try await server.caller(user: "boss", role: "operator")
        _ = try await boss.post("/users", ["name": "pawn", "password": "a pawn's password"])
        let worker = try await ActingWorker(try await server.caller(user: "somebody", role: "worker"))
        var jobs: [JSONValue] = []
        func register(_ type: String, _ path: String) async throws {
            let document: JSONValue = [
                "src_siteid": 1, "src_filepath": .string(path), "dst_siteid": 2, "dst_filepath": "/to",
            ]
            jobs.append(try #require(try await owner.post("/" + type, document)["id"]))
        }
        // A listing that is done, a copy that is expanded, one that failed, one that runs, some that wait.
        try await register("list", "/d")
        try await register("copy", "/d")
        try await register("mkdir", "/e")
        for _ in 0..<3 {
            let held = try await worker.takeOne()
            if held.jobID == jobs[2].int {
                try await worker.report(held, 1, ["error_class": "permission", "reason": "no", "log": "tried"])
            } else {
                try await worker.finish(held, ["listing": ["/d": [entry("f"), entry("g")]], "log": "found"])
            }
        }
        for path in ["/x", "/y", "/z"] { try await register("remove", path) }
        let leases = try await worker.take(3)
        for path in ["/u", "/v"] { try await register("list", path) }
        return [
            "jobs": .array(jobs), "users": ["pawn", "user"], "workers": [.string(worker.name)],
            "leases": .array(
                leases.map { held in
                    ["job": .int(held.jobID), "element": .int(held.id), "token": .string(held.token)]
                }),
        ]
    }
}
