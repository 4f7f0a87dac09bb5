import Foundation
import HaulHTTP
import HaulModel
import HaulPlayground
import Support
import Testing

/// The UWS face as others see it: the schema of the standard, pyvo's client, proxies.
@Suite(.timeLimit(.minutes(10))) struct UWSClientTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

    /// Documents of jobs in every phase, and of the lists they are in, against the schema of UWS 1.1.
    @Test func documentsFitTheSchema() async throws {
        let server = try await LiveServer.start()
        let person = try await server.person()
        let client = UWSClient(person.user)
        let worker = try await ActingWorker(person.worker)
        var documents: [String] = []
        func keep(_ path: String, _ phase: String) async throws {
            let document = try await client.get(path)
            #expect(document.element("phase") == phase, "\(document)")
            for name in [path, path + "?WAIT=0"] { documents.append(try await client.get(name).text) }
        }
        let whole: KeyValuePairs<String, String> = [
            "src_siteid": "1", "src_filepath": "/d", "dst_siteid": "2", "dst_filepath": "/e", "RUNID": "<run> & \"7\"",
            "EXECUTIONDURATION": "3600", "DESTRUCTION": "2040-01-01", "extra": "<\u{1}>",
        ]
        let bare = try await client.make("transfer", [:])
        try await keep(bare, "PENDING")
        let jobs = try await [0, 1, 2].asyncMap { _ in try await client.make("copy", whole) }
        try await keep(jobs[0], "PENDING")
        for job in jobs { try await client.post(job + "/phase", ["PHASE": "RUN"]) }
        try await keep(jobs[0], "QUEUED")
        let held = try await worker.take(2)
        let left = try #require(jobs.first { !held.map { "/copy/\($0.jobID)" }.contains($0) })
        try await client.post(left + "/phase", ["PHASE": "ABORT"])
        try await keep(left, "ABORTED")
        for item in held {
            let progress: JSONValue = ["transferred": 1, "elapsed": 1, "instant": 1, "average": 1]
            _ = try await person.worker.with(item.token).put("\(item.path)/monitoring", progress)
            try await keep("/copy/\(item.jobID)", "EXECUTING")
        }
        try await worker.finish(held[0], ["listing": ["/d": []]])
        try await worker.finish(job: held[0].jobID, of: person.user)
        try await keep("/copy/\(held[0].jobID)", "COMPLETED")
        try await worker.report(held[1], 1, ["error_class": "permission", "reason": "<no>"])
        try await keep("/copy/\(held[1].jobID)", "ERROR")
        try await client.post(bare + "/phase", ["PHASE": "RUN"])
        try await keep(bare, "ERROR")
        for path in ["/transfer", "/copy?LAST=1", "/list", bare + "/parameters", jobs[0] + "/parameters"]
            + ["/copy/\(held[0].jobID)/results", bare + "/results"]
        {
            documents.append(try await client.get(path).text)
        }
        let files = try documents.enumerated().map { number, text in
            let file = "\(server.folder)/document-\(number).xml"
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            return file
        }
        let run = try await ProgramRun(
            executable: try PythonTool.path("python"),
            ["\(Self.folder)/Python/validate.py", "\(Self.folder)/Schema"] + files, atMost: .seconds(60))
        #expect(run.code == 0 && run.output.contains("\(files.count) documents, 0 faults"), "\(run)")
        await server.remove()
    }

    /// pyvo's client of asynchronous jobs drives a transfer of a real worker from its making to its removal.
    @Test func pyvo() async throws {
        let server = try await LiveServer.start()
        let worker = try await RealWorker.start(server)
        let token = try await server.token(user: "astronomer", role: "user")
        let run = try await ProgramRun(
            executable: try PythonTool.path("python"),
            ["\(Self.folder)/Python/transfer.py", server.url + "/uws", token],
            environment: ["HOME": server.folder, "PYTHONDONTWRITEBYTECODE": "1"], atMost: .seconds(120))
        #expect(run.code == 0 && run.output.contains("all is well"), "\(run) \(worker.log.suffix(2000))")
        #expect(!server.log.contains("request failed"))
        await worker.stop()
        await server.remove()
    }

    /// What validates asynchronous services for astronomers (Debian: stilts) finds no fault: in a job that runs for a
    /// while, and in one that knows nothing but its own parameters and can't be run.
    @Test(arguments: ["", "?TYPE=list&src_siteid=fake-a&src_filepath=/sleep/3/x"])
    func taplint(query: String) async throws {
        let server = try await LiveServer.start()
        let worker = try await RealWorker.start(server)
        let token = try await server.token(user: "astronomer", role: "user")
        // Basic, and not in the command line.
        try "star.basicauth.user=astronomer\nstar.basicauth.password=\(token)\n".write(
            toFile: server.folder + "/.starjava.properties", atomically: true, encoding: .utf8)
        let run = try await ProgramRun(
            executable: "/usr/bin/env",
            [
                "stilts", "-Duser.home=\(server.folder)", "taplint", "interface=tap1.1", "stages=UWS",
                "tapurl=\(server.url)/uws", "asyncurl=\(server.url)/uws/async\(query)",
            ], environment: ["HOME": server.folder], atMost: .seconds(120))
        #expect(run.code == 0 && run.output.contains("Errors: 0;") && run.output.contains("Failures: 0"), "\(run)")
        #expect(run.output.matches(of: #/-CJOB-\d+ Created new job/#).count == 3, "\(run)")
        #expect(run.output.contains("job document explicitly V1.1"), "\(run)")
        // It tells when there was no change of phase to look at.
        #expect(run.output.contains("Job completed immediately") == query.isEmpty, "\(run)")
        // It has no schema of our progress; nothing else is to be warned of.
        for line in run.output.split(separator: "\n") where line.hasPrefix("W-") {
            #expect(line.contains("urn:haul:progress"), "\(line)")
        }
        #expect(!server.log.contains("request failed"))
        await worker.stop()
        await server.remove()
    }

    /// Behind a proxy that is trusted URLs are those of the proxy; of one that is not they are the server's own.
    @Test(arguments: [true, false]) func behindAProxy(isTrusted: Bool) async throws {
        var settings = LiveServer.Settings()
        if isTrusted { settings.more = "proxies: {trusted: [\"127.0.0.1\"]}," }
        let server = try await LiveServer.start(settings)
        let person = try await server.person()
        var client = UWSClient(person.user)
        client.headers = [
            "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "transfers.example.org",
            "X-Forwarded-Prefix": "/haul",
        ]
        let base = isTrusted ? "https://transfers.example.org/haul" : server.url
        let place = try await client.post("/list", ["src_siteid": "1", "src_filepath": "/d"])
        #expect(place.hasPrefix(base + "/uws/list/"))
        let id = String(place.split(separator: "/").last ?? "")
        #expect(try await client.get("/list").text.contains("xlink:href=\"\(base)/uws/list/\(id)\""))
        #expect(try await client.send("DELETE", "/list/\(id)").headers["Location"] == base + "/uws/list")
        await server.remove()
    }
}
