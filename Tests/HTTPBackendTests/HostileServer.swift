import Foundation
import HaulProtocol
import Testing

/// A web server in Python that does what its paths say, none of it good.
struct HostileServer {
    let endpoint: String
    private let child: Child

    static func start(_ arguments: [String] = ["-c", script]) async throws -> HostileServer {
        let python = try #require(ToolPath.find("python3"), "python3 is needed for these tests")
        let child = try await Child.start(
            Command(executable: python, arguments: ["-u"] + arguments, output: .pipe, errors: .null))
        var said = ""
        while let data = await child.output?.read() {
            said += String(decoding: data, as: UTF8.self)
            // "PORT" of ours, "Serving HTTP on 127.0.0.1 port PORT (" of http.server.
            if let match = said.firstMatch(of: /port (\d+)/) {
                return HostileServer(endpoint: "127.0.0.1:\(match.1)", child: child)
            }
        }
        throw CocoaError(.executableLoad)
    }

    /// Python's own server of plain, read-only HTTP/1.0.
    static func plain(_ root: String) async throws -> HostileServer {
        try await start(["-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", root])
    }

    func stop() async { await child.stop() }

    /// The end of each script: its class H answers, and the port is told.
    static let serving = """
        class S(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128
            def handle_error(self, *a): pass
        s = S(("127.0.0.1", 0), H)
        print("port", s.server_port, flush=True)
        s.serve_forever()
        """

    static let script = #"""
        import http.server, time
        tries = {}
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *a): pass
            def answer(self, status, body=b"", length=None, **headers):
                self.send_response(status)
                for k, v in headers.items(): self.send_header(k.replace("_", "-"), v)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                if self.command != "HEAD": self.wfile.write(body)
                if length is not None: self.close_connection = True
            def do_PROPFIND(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                p = self.path
                if p.startswith("/garbage"): return self.answer(207, b"<<<not xml")
                if p.startswith("/html"): return self.answer(207, b"<html><body>hello</body></html>")
                if p.startswith("/endless"):
                    self.send_response(207); self.send_header("Transfer-Encoding", "chunked"); self.end_headers()
                    try:
                        while True: self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                    except Exception: self.close_connection = True; return
                if p.startswith("/escape-"):
                    top = "/" + p.split("/")[1]
                    r = lambda h, c="": "<response><href>%s</href><propstat><prop><resourcetype>%s</resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response>" % (h, c)
                    d = "<collection/>"
                    body = "<multistatus xmlns='DAV:'>" + r(top + "/", d)
                    bad = {"etc": "/etc/passwd", "dots": top + "/%2e%2e", "slash": top + "/a%2fb", "above": "/", "latin": top + "/caf%e9", "line": top + "/a%0ab"}
                    if self.headers["Depth"] == "1": body += r(top + "/ok") + r(bad[top[8:]])
                    return self.answer(207, (body + "</multistatus>").encode())
                return self.answer(405)
            def do_HEAD(self): self.do_GET()
            def do_GET(self):
                p = self.path
                head = self.command == "HEAD"
                if p.startswith("/loop"): return self.answer(302, Location="/loop%d" % (len(p),))
                if p.startswith("/slow"):
                    if not head: time.sleep(30)
                    return self.answer(200, b"slow")
                if p.startswith("/flaky"):
                    if not head:
                        tries[p] = tries.get(p, 0) + 1
                        if tries[p] == 1: return self.answer(503)
                    return self.answer(200, b"flaky")
                if p.startswith("/short"):
                    if head: return self.answer(200, b"0123456789")
                    return self.answer(200, b"01234", length=10)
                if p.startswith("/liar"): return self.answer(200, b"0123456789" if head else b"0123456789ABCDEF")
                if p.startswith("/less"): return self.answer(200, b"0123456789" if head else b"0")
                if p.startswith("/unsized"):
                    self.send_response(200); self.send_header("Transfer-Encoding", "chunked"); self.end_headers()
                    if not head: self.wfile.write(b"0\r\n\r\n")
                    return
                if p.startswith("/flood"):
                    if head: return self.answer(200, b"0123456789")
                    self.send_response(200); self.send_header("Transfer-Encoding", "chunked"); self.end_headers()
                    try:
                        while True: self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                    except Exception: self.close_connection = True; return
                if p.startswith("/stops"):
                    return self.answer(200, b"s" * (20 << 20 if head else 10 << 20), length=20 << 20, Last_Modified="Sun, 06 Nov 1994 08:49:37 GMT")
                if p.startswith("/broken"):
                    size = 20 << 20
                    if head: return self.answer(200, b"b" * size, ETag='"one"')
                    start = self.headers.get("Range")
                    if start is None or "If-Match" not in self.headers:
                        return self.answer(200, b"b" * (size // 2), length=size, ETag='"one"')
                    at = int(start.split("=")[1].split("-")[0])
                    if p.startswith("/broken-changed"): return self.answer(412)
                    return self.answer(206, b"b" * (size - at), ETag='"one"', Content_Range="bytes %d-%d/%d" % (at, size - 1, size))
                if p.startswith("/fold"):
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: a\r\n 9 0 200 9 9 \t\r\n\t7\r\n\r\n" + (b"" if head else b"ok")); return
                if p.startswith("/secret"):
                    return self.answer(200 if self.headers.get("Authorization") == "Bearer tok\"en" else 401, b"s")
                if p.startswith("/deny"): return self.answer(403)
                return self.answer(404)
            def do_PUT(self):
                n = int(self.headers.get("Content-Length", 0))
                refused = self.path.startswith("/full")
                # What is closed with bytes unread is reset, and the answer may be lost with it.
                if refused: self.close_connection = True; self.answer(507)
                while n > 0:
                    got = self.rfile.read(min(n, 65536))
                    if not got: break
                    n -= len(got)
                if not refused: self.answer(500)
            def do_OTHER(self): return self.answer(501)
            do_MKCOL = do_MOVE = do_DELETE = do_COPY = do_OTHER
        \#(serving)
        """#
}
