import Foundation
import HaulHTTP
import Testing

/// Workers, and what operators see of others, by the real program.
@Suite struct WorkerVerbTests {
    /// Workers of a queue are asked for, listed, ended.
    @Test func launches() async throws {
        let server = try ScriptedServer { request, _ in
            guard request.method != "DELETE" else { return HTTPResponse(status: 204) }
            let times = #""asked":"2026-01-31T12:00:00.000Z","changed":"2026-01-31T12:00:00.000Z""#
            return Documents.json(
                #"[{"number":1,"worker":"launched-1-1","state":"running","starts":1,"place":"Slurm job 7",\#(times)},"#
                    + #"{"number":2,"worker":"launched-1-2","state":"ended","starts":3,"reason":"gone",\#(times)}]"#)
        }
        let lines = "launched-1-1\trunning\t1\tSlurm job 7\t-\nlaunched-1-2\tended\t3\t-\tgone\n"
        for words in [[], ["--workers", "4"], ["--end"], ["--workers", "2", "--user", "ann b"]] {
            let run = try await HaulRun.run(["launch", "a b"] + words, ["HAUL_URL": server.url])
            #expect(run.code == 0 && run.output == lines, "\(words): \(run)")
        }
        let changes = server.requests.filter { $0.method != "GET" }
        #expect(changes.map(\.method) == ["POST", "DELETE", "POST"])
        #expect(changes.map { String(decoding: $0.body, as: UTF8.self) } == [#"{"workers":4}"#, "", #"{"workers":2}"#])
        #expect(server.requests.allSatisfy { $0.path == "/queues/a%20b/launch" })
        #expect(server.requests.filter { $0.query("user") == "ann b" }.map(\.method) == ["POST", "GET"])
        for wrong in [[], ["q", "--workers", "0"], ["q", "--workers", "1", "--end"], ["q", "r"]] {
            #expect(try await HaulRun.run(["launch"] + wrong, ["HAUL_URL": server.url]).code == 2, "\(wrong)")
        }
        await server.stop()
    }

    /// Where the answer is lost nobody is asked for twice as many.
    @Test func launchesOnce() async throws {
        struct Cut: Error {}
        let server = try ScriptedServer { _, _ in HTTPResponse(status: 202, body: .stream { _ in throw Cut() }) }
        let run = try await HaulRun.run(["launch", "q", "--workers", "4"], ["HAUL_URL": server.url])
        #expect(run.code == 5 && run.errors.contains("haul launch q shows the workers"), "\(run)")
        #expect(server.requests.count == 1)
        await server.stop()
    }

    /// Workers are listed, drained, let go on, ended.
    @Test func workers() async throws {
        let one =
            #"{"name":"w 1","host":"h","version":"0.1.0","slots":4,"protocols":["ssh","http"],"sites":[],"load":0.5,"#
            + #""seen":"2026-01-31T12:00:00.000Z","alive":true,"drained":false,"holding":3}"#
        let server = try ScriptedServer { request, _ in
            Documents.json(request.path == "/workers" ? "[\(one)]" : one)
        }
        let line = "w 1\talive\t-\t3/4\t0.5\th\t0.1.0\tssh,http\t2026-01-31T12:00:00.000Z\n"
        for words in [[], ["show", "w 1"], ["drain", "w 1"], ["resume", "w 1"], ["end", "w 1"]] {
            let run = try await HaulRun.run(["workers"] + words, ["HAUL_URL": server.url])
            #expect(run.code == 0 && run.output == line, "\(words): \(run)")
        }
        #expect(server.requests.map(\.method) == ["GET", "GET", "PATCH", "PATCH", "DELETE"])
        #expect(
            server.requests.map(\.path)
                == ["/workers"] + [String](repeating: "/workers/w%201", count: 3) + ["/workers/w%201/session"])
        #expect(server.requests[2].body == Array(#"{"drained":true}"#.utf8))
        for wrong in [["drain"], ["stop", "w"], ["drain", "w", "x"]] {
            #expect(try await HaulRun.run(["workers"] + wrong, ["HAUL_URL": server.url]).code == 2, "\(wrong)")
        }
        await server.stop()
    }

    /// What an operator looks at is another's.
    @Test func othersThings() async throws {
        let queue = #"{"name":"q","paused":false,"limit":3}"#
        let server = try ScriptedServer { request, _ in
            Documents.json(request.method == "GET" ? request.path == "/jobs" ? "[]" : "[\(queue)]" : queue)
        }
        for words in [
            ["jobs", "--user", "*"], ["queues", "--user", "a&b"], ["queues", "q", "--user", "a&b"],
            ["queues", "q", "--pause", "--user", "a&b"],
        ] { #expect(try await HaulRun.run(words, ["HAUL_URL": server.url]).code == 0, "\(words)") }
        #expect(server.requests.map { $0.query("user") } == ["*", "a&b", "a&b", "a&b"])
        await server.stop()
    }
}
