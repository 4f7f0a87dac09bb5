import Foundation
import HaulCurl

/// A web server in Python that sends clients elsewhere, and keeps what it was asked: `/name` leads where its table says, what
/// changes anything below the address `changes`; what the table does not have are files that say which server they are of.
struct RedirectingServer {
    /// Bytes of `/large`, too many for a pool.
    static let large = 9 << 20

    let server: HostileServer
    var endpoint: String { server.endpoint }
    var port: String { String(endpoint.split(separator: ":").last ?? "") }

    /// - Parameter table: Of paths, the `Location` (with bytes of no URL as they are).
    static func start(_ table: [String: String] = [:]) async throws -> RedirectingServer {
        let text = String(decoding: try JSONEncoder().encode(table), as: UTF8.self)
        return RedirectingServer(server: try await HostileServer.start(["-c", script, text]))
    }

    func stop() async { await server.stop() }

    /// Two of them, for as long as a test takes.
    ///
    /// - Parameters:
    ///   - other: the table of the one that may be led to.
    ///   - table: that of the one that is asked.
    static func withTwo(
        _ other: [String: String] = [:], _ table: (_ other: RedirectingServer) -> [String: String],
        _ body: (_ first: RedirectingServer, _ other: RedirectingServer) async throws -> Void
    ) async throws {
        let other = try await start(other)
        do {
            let first = try await start(table(other))
            do { try await body(first, other) } catch {
                await first.stop()
                throw error
            }
            await first.stop()
        } catch {
            await other.stop()
            throw error
        }
        await other.stop()
    }

    /// What it was asked by anybody else than this: `METHOD PATH LOGIN`, with `body` behind it where there was one, and `connection` for each.
    func seen() async throws -> [String] {
        let answer = try await CurlPool(roof: 1 << 20, connections: CurlConnections()).perform(Seen(server: endpoint))
        return String(decoding: answer.body, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private struct Seen: CurlRequest {
        let server: String

        func call() -> CurlCall {
            var call = CurlCall(
                method: "GET", url: "http://\(server)/seen", connection: CurlConnection(), stallSeconds: 20)
            call.kept = .memory(1 << 20)
            return call
        }
    }

    private static let script = #"""
        import http.server, json, socket, sys, threading
        table, seen, lock = json.loads(sys.argv[1]), [], threading.Lock()
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *a): pass
            def setup(self):
                super().setup()
                with lock: seen.append("connection")
            def do(self):
                n = int(self.headers.get("Content-Length", 0))
                if self.headers.get("Expect"): self.send_response_only(100); self.end_headers()
                sent = " body" if n > 0 else ""
                while n > 0: n -= len(self.rfile.read(min(n, 65536)))
                p = self.path
                if p == "/seen":
                    with lock: seen.remove("connection"); body = "\n".join(seen).encode()
                    return self.answer(200, body)
                login = self.headers.get("Authorization", "-")
                with lock: seen.append("%s %s %s%s" % (self.command, p, login, sent))
                to = table.get(p) or table.get(p.rstrip("/"))
                if "changes" in table and self.command in ("PUT", "DELETE", "MKCOL", "MOVE", "COPY"):
                    to = table["changes"] + p
                if to:
                    body = b"moved\n" * 20000
                    head = b"HTTP/1.1 302 Found\r\nContent-Length: %d\r\nLocation: " % len(body)
                    self.wfile.write(head + to.encode() + b"\r\n\r\n" + (b"" if self.command == "HEAD" else body))
                    return
                if self.command == "PROPFIND":
                    if "/dir" not in p: return self.answer(405)
                    r = lambda h, c="": "<response><href>%s</href><propstat><prop><resourcetype>%s</resourcetype><getcontentlength>6</getcontentlength></prop><status>HTTP/1.1 200 OK</status></propstat></response>" % (h, c)
                    body = r(table.get("hrefs", "") + "/dir/", "<collection/>")
                    if p.endswith("/x"): body = ""
                    if self.headers["Depth"] == "1" or not body: body += r(table.get("hrefs", "") + "/dir/x")
                    return self.answer(207, ("<multistatus xmlns='DAV:'>" + body + "</multistatus>").encode())
                if self.command in ("GET", "HEAD"):
                    body = b"x" * (9 << 20) if "large" in p else b"of %d\n" % self.server.server_port
                    return self.answer(200, body)
                self.answer(501)
            def answer(self, status, body=b""):
                self.send_response(status)
                self.send_header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD": self.wfile.write(body)
            do_GET = do_HEAD = do_PROPFIND = do_PUT = do_DELETE = do_MKCOL = do_MOVE = do_COPY = do_OPTIONS = do
        \#(HostileServer.serving)
        """#
}
