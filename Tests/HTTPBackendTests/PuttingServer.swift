/// A WebDAV server in Python, in memory, whose PUT is as its ways say; it counts what it is asked, and tells that at
/// `/.asked`.
enum PuttingServer {
    /// Arguments: ways, and the names of files of another client that appear as they are about to be PUT.
    ///
    /// - `claims`: says that mod_dav_fs keeps its directories.
    /// - `open`: opens what it writes before it reads it: what is cut off is there in part.
    /// - `any`: does not know `If-None-Match`.
    /// - `short`: keeps all but the last byte of files of more than 100 bytes, and says that all is well.
    /// - `hides`: lists no file.
    static let script = #"""
        import http.server, sys, json, urllib.parse
        ways = sys.argv[1].split(",")
        tree, asked, late = {"/": None}, {}, {}
        def norm(p): return "/" + urllib.parse.unquote(urllib.parse.urlparse(p).path).strip("/")
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *a): pass
            def parse_request(self):
                if not super().parse_request(): return False
                asked[self.command] = asked.get(self.command, 0) + 1
                return True
            def handle_expect_100(self):
                if "open" in ways: tree[norm(self.path)] = b""
                return super().handle_expect_100()
            def answer(self, status, body=b"", **headers):
                self.send_response(status)
                for k, v in headers.items(): self.send_header(k.replace("_", "-"), v)
                self.send_header("Content-Length", str(len(body))); self.end_headers()
                if self.command != "HEAD": self.wfile.write(body)
            def read(self): return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            def do_OPTIONS(self):
                self.answer(200, DAV="1,2" + (", <http://apache.org/dav/propset/fs/1>" if "claims" in ways else ""))
            def do_PROPFIND(self):
                self.read()
                p = norm(self.path)
                if p not in tree: return self.answer(404)
                names = [p]
                if self.headers["Depth"] == "1" and "hides" not in ways:
                    names += [n for n in tree if n != p and n.rsplit("/", 1)[0] == p.rstrip("/")]
                one = lambda n: "<response><href>%s</href><propstat><prop><resourcetype>%s</resourcetype>%s</prop><status>HTTP/1.1 200 OK</status></propstat></response>" % (
                    urllib.parse.quote(n), "<collection/>" if tree[n] is None else "",
                    "" if tree[n] is None else "<getcontentlength>%d</getcontentlength><getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</getlastmodified>" % len(tree[n]))
                self.answer(207, ("<multistatus xmlns='DAV:'>" + "".join(map(one, names)) + "</multistatus>").encode())
            def do_HEAD(self): self.do_GET()
            def do_GET(self):
                p = norm(self.path)
                if p == "/.asked": return self.answer(200, json.dumps(asked).encode())
                if tree.get(p) is None: return self.answer(404)
                self.answer(200, tree[p], Last_Modified="Sun, 06 Nov 1994 08:49:37 GMT")
            def do_PUT(self):
                p = norm(self.path)
                if "open" in ways: tree[p] = b""
                length, body = int(self.headers.get("Content-Length", 0)), b""
                while len(body) < length:
                    more = self.rfile.read1(min(65536, length - len(body)))
                    if not more: self.close_connection = True; return
                    body += more
                    if "open" in ways: tree[p] = body
                if p in sys.argv[2:] and p not in tree: tree[p] = b"of another client"
                if p in tree and self.headers.get("If-None-Match") == "*" and "any" not in ways: return self.answer(412)
                tree[p] = body[:-1] if "short" in ways and len(body) > 100 else body
                self.answer(201)
            def do_MKCOL(self):
                self.read()
                if norm(self.path) in tree: return self.answer(405)
                tree[norm(self.path)] = None; self.answer(201)
            def do_DELETE(self): self.answer(204 if tree.pop(norm(self.path), 0) != 0 else 404)
            def do_MOVE(self):
                p, q = norm(self.path), norm(self.headers["Destination"])
                if p not in tree: return self.answer(404)
                if q in tree and self.headers.get("Overwrite") == "F": return self.answer(412)
                tree[q] = tree.pop(p); self.answer(201)
        \#(HostileServer.serving)
        """#
}
