/// A WebDAV server in Python, in memory, to which another client writes `/d/late` right after the request of that number.
/// Where it said yes to that client, `/accepted` is there.
enum RacingServer {
    /// Arguments: the number, from 1, and `move` where the server has MOVE.
    static let script = #"""
        import http.server, sys, urllib.parse
        moment, move = int(sys.argv[1]), sys.argv[2] == "move"
        tree, count = {"/": None, "/d": None}, 0
        def norm(p): return "/" + urllib.parse.unquote(urllib.parse.urlparse(p).path).strip("/")
        def inside(p): return [n for n in tree if n == p or n.startswith(p.rstrip("/") + "/")]
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *a): pass
            def answer(self, status, body=b""):
                global count
                count += 1
                if count == moment and "/d" in tree: tree["/d/late"] = tree["/accepted"] = 1
                self.send_response(status); self.send_header("Content-Length", str(len(body))); self.end_headers()
                if self.command != "HEAD": self.wfile.write(body)
            def do_PROPFIND(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                p = norm(self.path)
                if p not in tree: return self.answer(404)
                names = [p]
                if self.headers["Depth"] == "1": names += [n for n in inside(p) if n != p and "/" not in n[len(p.rstrip("/")) + 1:]]
                one = lambda n: "<response><href>%s</href><propstat><prop><resourcetype>%s</resourcetype><getcontentlength>0</getcontentlength></prop><status>HTTP/1.1 200 OK</status></propstat></response>" % (urllib.parse.quote(n), "<collection/>" if tree[n] is None else "")
                self.answer(207, ("<multistatus xmlns='DAV:'>" + "".join(map(one, names)) + "</multistatus>").encode())
            def do_PUT(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                p = norm(self.path)
                if p.rsplit("/", 1)[0] not in tree: return self.answer(409)
                tree[p] = 1; self.answer(201)
            def do_DELETE(self):
                p = norm(self.path)
                if p not in tree: return self.answer(404)
                for n in inside(p): del tree[n]
                self.answer(204)
            def do_MOVE(self):
                p, q = norm(self.path), norm(self.headers["Destination"])
                if not move: return self.answer(405)
                if p not in tree: return self.answer(404)
                if q in tree: return self.answer(412)
                for n in inside(p): tree[q + n[len(p):]] = tree.pop(n)
                self.answer(201)
        class S(http.server.ThreadingHTTPServer):
            daemon_threads = True
        s = S(("127.0.0.1", 0), H)
        print("port", s.server_port, flush=True)
        s.serve_forever()
        """#
}
