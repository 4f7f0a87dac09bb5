import Foundation
import HaulCurl

/// A web server in Python for bodies that stream: it says of each upload what came of it, and of each download how much left.
struct StreamServer {
    let server: HostileServer
    var endpoint: String { server.endpoint }

    static func with(_ body: (_ server: StreamServer) async throws -> Void) async throws {
        let server = StreamServer(server: try await HostileServer.start(["-c", script]))
        do { try await body(server) } catch {
            await server.server.stop()
            throw error
        }
        await server.server.stop()
    }

    /// What was seen under a name: `METHOD BYTES MD5 whole`, or `cut` where it broke off; empty for nothing yet.
    func seen(_ name: String) async throws -> String {
        let pool = CurlPool(roof: 1 << 20, connections: CurlConnections())
        let answer = try await pool.perform(Seen(server: endpoint, name: name))
        return String(decoding: answer.body, as: UTF8.self)
    }

    private struct Seen: CurlRequest {
        let server: String
        let name: String

        func call() -> CurlCall {
            let url = "http://\(server)/seen/\(name)"
            var call = CurlCall(method: "GET", url: url, connection: CurlConnection(), stallSeconds: 20)
            call.kept = .memory(1 << 20)
            return call
        }
    }

    /// What `GET /bytes/NAME/COUNT` brings.
    static func content(_ count: Int) -> Data {
        var data = Data(capacity: count + block.count)
        while data.count < count { data.append(block) }
        return data.prefix(count)
    }

    /// 64 KiB that do not repeat at a power of two.
    private static let block = Data((0..<65_537).map { UInt8(truncatingIfNeeded: $0 % 251) })

    private static let script = #"""
        import hashlib, http.server, socket, threading, time
        block = bytes(i % 251 for i in range(65537))
        seen, lock = {}, threading.Lock()
        def tell(name, text):
            with lock: seen[name] = text
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *a): pass
            def handle_expect_100(self):
                if self.path.startswith("/hasty"): self.close_connection = True; self.head(201, 0); return False
                if not self.path.startswith("/refuse"): self.send_response_only(100); self.end_headers()
                return True
            def head(self, status, length):
                self.send_response(status)
                self.send_header("Content-Length", str(length))
                self.end_headers()
            def do_GET(self):
                what, name, *more = self.path[1:].split("/")
                if what == "seen":
                    with lock: text = seen.get(name, "").encode()
                    self.head(200, len(text))
                    return self.wfile.write(text)
                count = int(more[0])
                start, body = 0, block * (count // len(block) + 1)
                if "Range" in self.headers and what == "bytes": start = int(self.headers["Range"][6:-1])
                if what == "missing": self.head(404, count)
                elif what == "moved":
                    self.send_response(301)
                    self.send_header("Location", "http://127.0.0.1:1/")
                    self.send_header("Content-Length", str(count))
                    self.end_headers()
                elif start:
                    self.send_response(206)
                    self.send_header("Content-Length", str(count - start))
                    self.send_header("Content-Range", "bytes %d-%d/%d" % (start, count - 1, count))
                    self.end_headers()
                else: self.head(200, count)
                sent = start
                try:
                    while sent < count:
                        if what == "cut" and sent >= count // 2: self.close_connection = True; return
                        if what == "stall" and sent >= count // 2: return self.rfile.read()
                        sent += self.wfile.write(body[sent:min(count, sent + 65536)])
                        tell(name, "GET %d" % sent)
                    tell(name, "GET %d whole" % sent)
                except OSError: tell(name, "GET %d cut" % sent)
            def refuse(self, status):
                # Answered before the body is there, and closed as servers do: what is on its way is still read.
                self.close_connection = True
                self.head(status, 0)
                self.connection.shutdown(socket.SHUT_WR)
                while self.rfile.read1(65536): pass
            def pieces(self):
                if "Content-Length" in self.headers:
                    left = int(self.headers["Content-Length"])
                    while left:
                        piece = self.rfile.read1(min(left, 65536))
                        if not piece: raise OSError("cut")
                        left -= len(piece)
                        yield piece
                    return
                while True:
                    size = int(self.rfile.readline() or b"x", 16)
                    piece = self.rfile.read(size)
                    if len(piece) < size: raise OSError("cut")
                    self.rfile.readline()
                    if not size: return
                    yield piece
            def do_PUT(self):
                what, name = self.path[1:].split("/")
                if what == "refuse": return self.refuse(403)
                if what == "deaf": return time.sleep(30)
                came, md5 = 0, hashlib.md5()
                try:
                    for piece in self.pieces():
                        came += len(piece)
                        md5.update(piece)
                        tell(name, "PUT %d" % came)
                        if what == "midway" and came > 1 << 20: return self.refuse(507)
                except (OSError, ValueError):
                    self.close_connection = True
                    return tell(name, "PUT %d cut" % came)
                tell(name, "PUT %d %s whole" % (came, md5.hexdigest()))
                self.head(201, 0)
                if what == "last": self.close_connection = True
        \#(HostileServer.serving)
        """#
}
