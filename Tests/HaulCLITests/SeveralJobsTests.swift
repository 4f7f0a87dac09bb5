import Foundation
import HaulHTTP
import HaulModel
import Testing

/// What is asked of several jobs, and of which some refuse; and errors that are said once.
@Suite struct SeveralJobsTests {
    /// Answers as a server does that has no job 404, whose job 1 has ended, and which fails at job 500.
    private static func answer(_ request: HTTPRequest) -> HTTPResponse {
        let id = request.path.split(separator: "/").compactMap { Int($0) }.first ?? 0
        func problem(_ status: Int, _ detail: String) -> HTTPResponse {
            Documents.json(#"{"status":\#(status),"title":"t","code":"c","detail":"\#(detail)"}"#, status: status)
        }
        switch id {
        case 1: return problem(409, "Job 1 has ended.")
        case 404: return problem(404, "There is no job 404.")
        case 500: return problem(503, "Not now.")
        default: return Documents.json(Documents.job(id, request.method == "GET" ? "CANCELLED" : "RUNNING"))
        }
    }

    @Test(arguments: [("cancel", "is being cancelled"), ("retry", "is tried again")])
    func eachIsAsked(verb: String, words: String) async throws {
        let server = try ScriptedServer { request, _ in Self.answer(request) }
        let run = try await HaulRun.run([verb, "1", "62", "404", "63", "--url", server.url])
        #expect(run.code == 7 && run.output == "job 62 \(words)\njob 63 \(words)\n", "\(run)")
        #expect(run.errors == "haul: Job 1 has ended.\nhaul: There is no job 404.\n", "\(run)")
        let gone = try await HaulRun.run([verb, "62", "404", "--url", server.url])
        #expect(gone.code == 3, "\(gone)")
        // What no job could be asked: the rest is named.
        let failed = try await HaulRun.run([verb, "62", "500", "63", "--url", server.url])
        #expect(failed.code == 5 && failed.output == "job 62 \(words)\n", "\(failed)")
        #expect(failed.errors.contains("Not now.; not asked: 500 63"), "\(failed)")
        await server.stop()
    }

    @Test func waitsForThoseThatWereAsked() async throws {
        let server = try ScriptedServer { request, _ in Self.answer(request) }
        let run = try await HaulRun.run(["cancel", "1", "62", "--wait", "--url", server.url])
        #expect(run.code == 7 && run.errors.contains("Job 1 has ended.") && run.errors.contains("job 62 is CANCELLED"))
        #expect(!server.requests.contains { $0.method == "GET" && $0.path == "/jobs/1" })
        let all = try await HaulRun.run(["cancel", "62", "--wait", "--url", server.url])
        #expect(all.code == 0, "\(all)")
        await server.stop()
    }

    @Test func fieldsAreSaidOnce() async throws {
        let server = try ScriptedServer { request, _ in
            request.path == "/list"
                ? Documents.json(
                    #"{"status":400,"title":"Bad request","code":"c","detail":"f must be a number.","fields":{"f":"must be a number"}}"#,
                    status: 400)
                : Documents.json(
                    #"{"status":400,"title":"Bad request","code":"c","detail":"f is bad; g is worse.","fields":{"f":"is bad","g":"is worse"}}"#,
                    status: 400)
        }
        let one = try await HaulRun.run(["list", "a:/b", "--url", server.url])
        #expect(one.code == 7 && one.errors == "haul: f must be a number.\n", "\(one)")
        let two = try await HaulRun.run(["mkdir", "a:/b", "--url", server.url])
        #expect(two.code == 7 && two.errors == "haul: Bad request\n  f: is bad\n  g: is worse\n", "\(two)")
        await server.stop()
    }

    /// A job of a file that is wrong is found by its line there.
    @Test func namesTheLineOfTheFile() async throws {
        let server = try ScriptedServer { _, _ in
            Documents.json(
                #"{"status":400,"title":"Bad request","code":"c","detail":"Job 1: f is bad.","fields":{"f":"is bad"},"index":1}"#,
                status: 400)
        }
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try Data("# two\na:/x b:/x\n\na:/y b:/y\n".utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let run = try await HaulRun.run(["copy", "--from", path, "--url", server.url])
        #expect(run.code == 7 && run.errors.hasPrefix("haul: \(path):4: Job 1: f is bad.\n"), "\(run)")
        await server.stop()
    }

    @Test func sites() async throws {
        let server = try ScriptedServer { _, _ in
            Documents.json(
                #"[{"id":1,"name":"a","protocol":"SSH","limits":{"in":4}},{"id":2,"name":"b","protocol":"HTTP","banned":"a new disk"}]"#
            )
        }
        let run = try await HaulRun.run(["sites", "--url", server.url])
        #expect(run.code == 0 && run.output == "1\ta\tSSH\t4,-\t-\n2\tb\tHTTP\t-,-\ta new disk\n", "\(run)")
        await server.stop()
    }
}
