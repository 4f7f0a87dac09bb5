import HaulHTTP
import HaulProtocol
import Testing

/// Waiting for jobs: how it ends, and what is seen meanwhile.
@Suite struct WaitTests {
    @Test(arguments: [("DONE", 0), ("FAILED", 1), ("CANCELLED", 8)])
    func endsAsTheJobDoes(status: String, code: Int) async throws {
        let server = try ScriptedServer { request, number in
            if request.path.contains("elements") {
                return Documents.json(
                    #"[{"id":4,"job_id":7,"src_filepath":"/a","size":0,"max_tries":2,"attempts":2,"type":"COPY","status":"FAILED","timestamp":"","error_class":"not_found","reason":"no file"}]"#
                )
            }
            return Documents.json(Documents.job(7, number < 3 ? "RUNNING" : status, done: number, of: 4, failed: 1))
        }
        let run = try await HaulRun.run(["wait", "7", "--url", server.url])
        #expect(run.code == code && run.output.isEmpty)
        #expect(run.errors.hasPrefix("job 7 RUNNING  0/4  1 failed\n"))
        #expect(run.errors.contains("job 7 is \(status), 3 of 4 elements done\n"))
        #expect(run.errors.contains("element 4 /a: not_found: no file (haul output 7 4)") == (code == 1))
        await server.stop()
    }

    /// One job's end is not asked for time and again: the server says when.
    @Test func hearsOfTheEndAtOnce() async throws {
        let server = try ScriptedServer { request, _ in
            Documents.json(Documents.job(7, request.query("wait") == nil ? "RUNNING" : "DONE"))
        }
        let run = try await HaulRun.run(["wait", "7", "--url", server.url])
        #expect(run.code == 0)
        #expect(server.requests.map { $0.query("wait") } == [nil, "1"])
        await server.stop()
    }

    @Test func endsInTime() async throws {
        let server = try ScriptedServer { _, _ in Documents.json(Documents.job(7, "RUNNING")) }
        let run = try await HaulRun.run(["wait", "7", "--timeout", "0.5", "--url", server.url])
        #expect(run.code == 6 && run.errors.contains("hint: haul wait 7"))
        await server.stop()
    }

    @Test func interruptEndsTheWaitingAlone() async throws {
        let server = try ScriptedServer { _, _ in Documents.json(Documents.job(7, "RUNNING")) }
        let child = try await HaulRun.start(["wait", "7", "--url", server.url])
        let deadline = ContinuousClock.now + .seconds(20)
        while server.requests.isEmpty, ContinuousClock.now < deadline { await Task.yield() }
        child.signal(2)
        let run = try await HaulRun.finish(child)
        #expect(run.code == 130 && run.errors.contains("the work goes on: haul wait 7"))
        await server.stop()
    }

    @Test func drawsOneLineOnATerminal() async throws {
        let server = try ScriptedServer { request, number in
            request.path.contains("elements")
                ? Documents.json("[]") : Documents.json(Documents.job(7, number < 6 ? "RUNNING" : "DONE", done: 2))
        }
        let run = try await HaulRun.onTerminal(
            "\(HaulRun.program) wait 7 --url \(server.url)", ["NO_COLOR": "1", "COLUMNS": "60"])
        #expect(run.code == 0)
        #expect(run.output.contains("\r[##########-----] job 7 RUNNING  2/3"))
        #expect(run.output.hasSuffix("job 7 is DONE, 2 of 3 elements done\r\n"))
        #expect(!run.output.contains("\u{1B}[3"))
        await server.stop()
    }

    @Test func cutsTablesToTheTerminal() async throws {
        let path = "/" + String(repeating: "long/", count: 60) + "end"
        let server = try ScriptedServer { _, _ in Documents.json("[\(Documents.job(1, "DONE", path: path))]") }
        let run = try await HaulRun.onTerminal("\(HaulRun.program) jobs --url \(server.url)", ["COLUMNS": "110"])
        let lines = run.output.split(separator: "\r\n")
        #expect(lines.first?.hasPrefix("ID  STATUS  TYPE  DONE  ") == true)
        #expect(lines.count == 2 && lines[1].contains("long/end") && lines[1].contains("…"))
        #expect(lines[1].contains("\u{1B}[32mDONE"))
        #expect(server.requests.first?.query("limit") == "100")
        await server.stop()
    }
}
