import Foundation
import HaulCurl
import HaulModel
import Testing

/// What every backend over ``CurlPool`` relies on, against a server that says when it closes, floods or keeps silent.
@Suite(.serialized) struct PoolTests {
    private struct Plain: CurlRequest {
        var server: String
        var path: String
        var method = "GET"
        var kept = CurlCall.Kept.memory(1 << 20)
        var sent = CurlCall.Sent.nothing
        var secret: String?
        var redirects = false

        func call() -> CurlCall {
            var connection = CurlConnection()
            connection.bearer = secret
            var call = CurlCall(
                method: method, url: "http://\(server)\(path)", connection: connection, stallSeconds: 20)
            (call.kept, call.sent, call.followsRedirects) = (kept, sent, redirects)
            call.wanted = ["x-seen"]
            return call
        }
    }

    private func with(_ body: (_ server: String, _ pool: CurlPool) async throws -> Void) async throws {
        let server = try await HostileServer.start(["-c", Self.script])
        do {
            try await body(server.endpoint, CurlPool(roof: 1 << 20, most: 8, connections: CurlConnections()))
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test func aThousandRequestsShareFewConnections() async throws {
        try await with { server, pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        let sent = Data("body \(number)".utf8)
                        let response = try await pool.perform(
                            Plain(server: server, path: "/echo/\(number)", method: "PUT", sent: .bytes(sent)))
                        #expect(response.isSuccess && response.body == sent, "\(response)")
                        #expect(response.uploaded == sent.count && response.headers == ["/echo/\(number)"])
                    }
                }
                try await group.waitForAll()
            }
            let count = try await pool.perform(Plain(server: server, path: "/connections"))
            let connections = try #require(Int(String(decoding: count.body, as: UTF8.self)))
            #expect((1...9).contains(connections))
        }
    }

    @Test func cancelEndsOneRequestAlone() async throws {
        try await with { server, pool in
            // More than go at once: some wait for their turn.
            let silent = (0..<20).map { _ in
                Task { try await pool.perform(Plain(server: server, path: "/hang")) }
            }
            let elsewhere = CurlPool(roof: 1 << 20, most: 8)
            let deadline = ContinuousClock.now + .seconds(20)
            while try await elsewhere.perform(Plain(server: server, path: "/hanging")).body != Data("8".utf8),
                ContinuousClock.now < deadline
            {}
            silent.forEach { $0.cancel() }
            for task in silent {
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            let answer = try await pool.perform(Plain(server: server, path: "/echo"))
            #expect(answer.isSuccess)
            let late = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await pool.perform(Plain(server: server, path: "/echo"))
            }
            await #expect(throws: CancellationError.self) { try await late.value }
        }
    }

    /// One that keeps silent does not keep others waiting, as many as are asked for.
    @Test func serversHaveTurnsOfTheirOwn() async throws {
        try await with { silent, pool in
            try await with { server, _ in
                let waiting = (0..<20).map { _ in
                    Task { try await pool.perform(Plain(server: silent, path: "/hang")) }
                }
                let answer = try await pool.perform(Plain(server: server, path: "/echo"))
                #expect(answer.isSuccess)
                for task in waiting {
                    task.cancel()
                    _ = try? await task.value
                }
            }
        }
    }

    @Test func bodiesHaveARoof() async throws {
        try await with { server, pool in
            let file = NSTemporaryDirectory() + "haul-pool-\(UUID().uuidString)"
            defer { unlink(file) }
            for kept in [CurlCall.Kept.memory(1_000), .memory(1 << 30), .file(file), .nothing] {
                let response = try await pool.perform(Plain(server: server, path: "/flood", kept: kept))
                #expect(response.exitCode == 23 && response.errorClass == .noSpace)
                #expect(response.body.count <= 1 << 20)
            }
            var status = stat()
            #expect(stat(file, &status) == 0 && status.st_size <= 1 << 20 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func headsHaveARoof() async throws {
        try await with { server, pool in
            for path in ["/endless-head", "/endless-line", "/cut-head"] {
                let response = try await pool.perform(Plain(server: server, path: path))
                #expect(response.exitCode != 0 && response.errorClass?.isPermanent == false, "\(path): \(response)")
                #expect(response.message.utf8.count < 1_000)
            }
            let garbage = try await pool.perform(Plain(server: server, path: "/garbage"))
            #expect(garbage.exitCode != 0 && garbage.status == 0)
        }
    }

    /// The server did what it was asked and went away: whoever asks must know that it went out twice.
    @Test func whatWentOutTwiceSaysSo() async throws {
        try await with { server, pool in
            #expect(try await pool.perform(Plain(server: server, path: "/echo")).repeated == false)
            let moved = try await pool.perform(Plain(server: server, path: "/vanish", method: "MOVE"))
            #expect(moved.repeated && moved.status == 404)
            let put = try await pool.perform(
                Plain(server: server, path: "/vanish-put", method: "PUT", sent: .bytes(Data("again".utf8))))
            #expect(put.repeated && put.body == Data("again".utf8))
            // A redirect is no repetition.
            let led = try await pool.perform(Plain(server: server, path: "/redirect", redirects: true))
            #expect(led.isSuccess && !led.repeated && led.finalURL.hasSuffix("/echo"))
        }
    }

    /// A kept connection that was closed meanwhile is no failure.
    @Test func closedConnectionsAreMadeAnew() async throws {
        try await with { server, pool in
            for _ in 0..<20 {
                let response = try await pool.perform(Plain(server: server, path: "/close"))
                #expect(response.isSuccess, "\(response)")
            }
        }
    }

    /// A server that was killed closes all of its kept connections as they are asked: one after the other, until libcurl
    /// gives up. A new one is asked once more, with the whole body.
    @Test func manyClosedConnections() async throws {
        let file = NSTemporaryDirectory() + "haul-pool-\(UUID().uuidString)"
        try Data("from the disk".utf8).write(to: URL(fileURLWithPath: file))
        defer { unlink(file) }
        for sent in [CurlCall.Sent.nothing, .bytes(Data("from the disk".utf8)), .file(file)] {
            try await with { server, pool in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<8 {
                        group.addTask { try await pool.perform(Plain(server: server, path: "/together")).isSuccess }
                    }
                    for try await isSuccess in group { #expect(isSuccess) }
                }
                let method = if case .nothing = sent { "GET" } else { "PUT" }
                let answer = try await pool.perform(Plain(server: server, path: "/stale", method: method, sent: sent))
                #expect(answer.isSuccess && answer.repeated, "\(answer)")
                #expect(answer.body == Data(method == "PUT" ? "from the disk".utf8 : "".utf8))
                // It stays at once more: what closes new connections, too, has its failure.
                let gone = try await pool.perform(Plain(server: server, path: "/garbage"))
                #expect(gone.exitCode != 0)
            }
        }
    }

    @Test func secretsAreInNoMessage() async throws {
        try await with { server, pool in
            for path in ["/endless-head", "/garbage", "/deny", "/cut-head"] {
                let request = Plain(server: server, path: path, secret: "s3cret-token")
                let response = try await pool.perform(request)
                let said = "\(response) \(response.failure(path)) \(request.call().connection)"
                #expect(!said.contains("s3cret-token"))
                var dumped = ""
                dump(request.call().connection, to: &dumped)
                #expect(!dumped.contains("s3cret-token"))
            }
            let nobody = try await pool.perform(Plain(server: "127.0.0.1:1", path: "/", secret: "s3cret-token"))
            #expect(nobody.errorClass == .connect && !"\(nobody)".contains("s3cret-token"))
        }
    }

    @Test func filesThatCannotBeUsedFailTheirOwnRequest() async throws {
        try await with { server, pool in
            for request in [
                Plain(server: server, path: "/echo", method: "PUT", sent: .file("/no/such/file")),
                Plain(server: server, path: "/echo", method: "PUT", sent: .file("/dev/zero")),
                Plain(server: server, path: "/echo", kept: .file("/no/such/folder/file")),
            ] {
                await #expect(throws: (any Error).self) { try await pool.perform(request) }
            }
            let answer = try await pool.perform(Plain(server: server, path: "/echo"))
            #expect(answer.isSuccess)
        }
    }

    private static let script = #"""
        import socket, threading
        lock = threading.Lock(); together = threading.Barrier(8); state = {"connections": 0, "hanging": 0, "seen": set()}
        def reply(s, path, body, status="200 OK", more=""):
            s.sendall(("HTTP/1.1 %s\r\nX-Seen: %s\r\nContent-Length: %d\r\n%s\r\n" % (status, path, len(body), more)).encode() + body)
        def serve(s):
            with lock: state["connections"] += 1
            f = s.makefile("rb"); served = -1
            while True:
                line = f.readline(); served += 1
                if not line: return
                method, path = line.split()[:2]; path = path.decode(); length = 0
                while True:
                    h = f.readline().strip()
                    if not h: break
                    if h.lower().startswith(b"content-length:"): length = int(h.split(b":")[1])
                body = f.read(length)
                if path == "/connections": reply(s, path, b"%d" % state["connections"])
                elif path == "/hanging": reply(s, path, b"%d" % state["hanging"])
                elif path == "/hang":
                    with lock: state["hanging"] += 1
                    f.read(1); return
                elif path == "/flood":
                    s.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    while True: s.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                elif path == "/endless-head":
                    s.sendall(b"HTTP/1.1 200 OK\r\n")
                    while True: s.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")
                elif path == "/endless-line":
                    s.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
                    while True: s.sendall(b"x" * 65536)
                elif path == "/cut-head": s.sendall(b"HTTP/1.1 201 Created\r\nContent-Le"); return
                elif path == "/garbage": s.sendall(b"\0\1\2 what\r\n\r\n" * 100); return
                elif path == "/deny": reply(s, path, b"", "403 Forbidden")
                elif path == "/redirect": reply(s, path, b"", "302 Found", "Location: /echo\r\n")
                elif path == "/together": together.wait(20); reply(s, path, b"")
                elif path == "/stale":
                    if served: return
                    reply(s, path, body)
                elif path == "/close": reply(s, path, b"bye"); return
                elif path.startswith("/vanish"):
                    with lock: first = path not in state["seen"]; state["seen"].add(path)
                    if first: return
                    if method == b"PUT": reply(s, path, body)
                    else: reply(s, path, b"", "404 Not Found")
                else: reply(s, path, body)
        def run(s):
            try: serve(s)
            except OSError: pass
            finally:
                try: s.shutdown(socket.SHUT_RDWR)
                except OSError: pass
                s.close()
        l = socket.socket(); l.bind(("127.0.0.1", 0)); l.listen(128)
        print("port", l.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=run, args=(l.accept()[0],), daemon=True).start()
        """#
}
