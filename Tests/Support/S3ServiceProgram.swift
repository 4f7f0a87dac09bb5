/// What ``S3Service`` runs. The signature is computed from the specification, by nothing that haul has a hand in.
enum S3ServiceProgram {
    static let text = #"""
        import hashlib, hmac, io, json, re, ssl, sys, threading, time
        from urllib.parse import unquote
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from moto.s3.models import s3_backends
        from werkzeug.serving import make_server, WSGIRequestHandler

        SECRETS = {"\#(S3Service.accessKey)": "\#(S3Service.secretKey)", "\#(S3Service.temporaryKey)": "\#(S3Service.secretKey)"}
        TOKENS = {"\#(S3Service.temporaryKey)": "\#(S3Service.token)"}
        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        faults, log, lock = [], [], threading.Lock()
        parts = {"now": 0, "most": 0}

        def problem(method, raw, headers, body):
            given = headers.get("authorization", "")
            if not given: return "AccessDenied"
            match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})", given)
            if not match: return "AuthorizationHeaderMalformed"
            key, day, region, names, signature = match.groups()
            if key not in SECRETS: return "InvalidAccessKeyId"
            if TOKENS.get(key) != headers.get("x-amz-security-token"): return "InvalidToken"
            stamp = headers.get("x-amz-date", "")
            if not stamp.startswith(day): return "AuthorizationHeaderMalformed"
            import calendar
            if abs(calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ")) - time.time()) > 900: return "RequestTimeTooSkewed"
            names = names.split(";")
            if names != sorted(names): return "SignatureDoesNotMatch"
            if "host" not in names or any(h.startswith("x-amz-") and h not in names for h in headers): return "AccessDenied"
            hashed = headers.get("x-amz-content-sha256", "")
            if hashed != "UNSIGNED-PAYLOAD" and hashed != hashlib.sha256(body).hexdigest(): return "XAmzContentSHA256Mismatch"
            path, _, query = raw.partition("?")
            if re.search(r"%(?![0-9A-F]{2})|[^A-Za-z0-9%/._~-]", path): return "InvalidURI"
            pairs = [p if "=" in p else p + "=" for p in query.split("&")] if query else []
            canonical = "\n".join([method, path, "&".join(sorted(pairs, key=lambda p: p.split("=", 1)))]
                + [h + ":" + " ".join(headers[h].split()) for h in names] + ["", ";".join(names), hashed])
            text = "\n".join(["AWS4-HMAC-SHA256", stamp, f"{day}/{region}/s3/aws4_request", hashlib.sha256(canonical.encode()).hexdigest()])
            sign = ("AWS4" + SECRETS[key]).encode()
            for part in [day, region, "s3", "aws4_request"]: sign = hmac.new(sign, part.encode(), hashlib.sha256).digest()
            if hmac.new(sign, text.encode(), hashlib.sha256).hexdigest() != signature: return "SignatureDoesNotMatch"

        def take(line, environ):
            with lock:
                for fault in faults:
                    if fault["match"] in line and fault["times"] > 0 and (not fault.get("when") or "HTTP_" + fault["when"].upper().replace("-", "_") in environ):
                        fault["times"] -= 1
                        return fault
            return {}

        class Front:
            def __init__(self, app): self.app = app

            def error(self, start, status, code, detail="", extra=(), head=False):
                body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>because of the test</Message>{detail}</Error>".encode()
                if head: body = b""
                start(f"{status} Because", [("Content-Type", "application/xml"), ("Content-Length", str(len(body))), *extra])
                return [body]

            def control(self, environ, start, what, body):
                answer = "ok"
                with lock:
                    if what == "faults":
                        faults[:] = json.loads(body); log.clear(); parts["most"] = 0
                    elif what == "log": answer = list(log)
                    elif what == "parts": answer = parts["most"]
                    elif what == "uploads": answer = [len(m.parts) for b in backend.buckets.values() for m in b.multiparts.values()]
                    elif what.startswith("keys/"): answer = sorted(k.replace("\ue00a", "\n") for k in backend.buckets[what[5:]].keys.keys())
                body = json.dumps(answer).encode()
                start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
                return [body]

            def __call__(self, environ, start):
                if "partNumber=" not in environ["REQUEST_URI"]: return self.serve(environ, start)
                with lock:
                    parts["now"] += 1
                    parts["most"] = max(parts["most"], parts["now"])
                try: return self.serve(environ, start)
                finally:
                    with lock: parts["now"] -= 1

            def serve(self, environ, start):
                raw, method = environ["REQUEST_URI"], environ["REQUEST_METHOD"]
                socket, source = environ["werkzeug.socket"], environ["wsgi.input"]
                length = int(environ.get("CONTENT_LENGTH") or 0)
                def cut():
                    import socket as s
                    try: socket.shutdown(s.SHUT_RDWR)
                    except OSError: pass
                    raise ConnectionAbortedError("cut by the test")
                if raw.startswith("/_haul/"): return self.control(environ, start, raw[7:], source.read(length))
                line = f"{method} {raw}"
                with lock: log.append(line)
                fault = take(line, environ)
                if fault.get("delay"): time.sleep(fault["delay"])
                if fault.get("cutUpload") is not None:
                    left = fault["cutUpload"]
                    while left > 0:
                        data = source.read(min(left, 65536))
                        if not data: break
                        left -= len(data)
                    cut()
                body = b""
                while len(body) < length:
                    data = source.read(length - len(body))
                    if not data: break
                    body += data
                if len(body) < length: return self.error(start, 400, "IncompleteBody")
                headers = {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")}
                if environ.get("CONTENT_TYPE"): headers["content-type"] = environ["CONTENT_TYPE"]
                extra = [tuple(fault["header"])] if fault.get("header") else []
                early = fault.get("status") and not fault.get("late")
                if early: return self.error(start, fault["status"], fault.get("code", "Fault"), fault.get("detail", ""), extra, method == "HEAD")
                public = raw.startswith("/\#(S3Service.bucket)/public") and not headers.get("authorization")
                # moto shows nobody anything but what has an ACL that says so.
                if public: environ["HTTP_AUTHORIZATION"] = "AWS4-HMAC-SHA256 Credential=nobody/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
                wrong = None if public else problem(method, raw, headers, body)
                if wrong: return self.error(start, 400 if wrong in ("XAmzContentSHA256Mismatch", "InvalidURI", "InvalidToken") else 403, wrong, head=method == "HEAD")
                # The name of a bucket that is addressed by its own host.
                host = re.fullmatch(r"(.+)\.localhost(:\d+)?", headers["host"])
                # moto takes no key with a line break: another character stands for it there.
                if environ.get("HTTP_X_AMZ_COPY_SOURCE"): environ["HTTP_X_AMZ_COPY_SOURCE"] = environ["HTTP_X_AMZ_COPY_SOURCE"].replace("%0A", "%EE%80%8A")
                path, _, query = raw.replace("%0A", "%EE%80%8A").partition("?")
                if host: path = "/" + host.group(1) + path
                environ["HTTP_HOST"] = "127.0.0.1:" + environ["SERVER_PORT"]
                environ["wsgi.input"] = io.BytesIO(body)
                environ["QUERY_STRING"] = query
                environ["PATH_INFO"] = unquote(path, "latin-1")
                environ["RAW_URI"] = environ["REQUEST_URI"] = path + ("?" + query if query else "")
                kept = {}
                def keep(status, headers, info=None): kept["status"], kept["headers"] = status, list(headers)
                result = self.app(environ, keep)
                answer = b"".join(result)
                if hasattr(result, "close"): result.close()
                if "list-type" in query: answer = answer.replace(b"%EE%80%8A", b"%0A")
                if fault.get("late"): return self.error(start, fault["status"], fault.get("code", "Fault"), "", extra, method == "HEAD")
                out = [(k, v) for k, v in kept["headers"] if k.lower() != (fault.get("without") or "").lower()]
                if fault.get("etag"): out = [(k, v) for k, v in out if k.lower() != "etag"] + [("ETag", fault["etag"])]
                if fault.get("replace"): answer = answer.replace(*[t.encode() for t in fault["replace"]])
                if fault.get("shorten") is not None: answer = answer[:fault["shorten"]]
                if method != "HEAD" and not kept["status"].startswith("204"):
                    out = [(k, v) for k, v in out if k.lower() != "content-length"] + [("Content-Length", str(len(answer)))]
                if fault.get("cutAnswer") is None:
                    start(kept["status"], out)
                    return [answer]
                write = start(kept["status"], out)
                def half():
                    yield answer[:fault["cutAnswer"]]
                    cut()
                return half()

        class Quiet(WSGIRequestHandler):
            protocol_version = "HTTP/1.1"
            def log(self, *a): pass

        for name in ["\#(S3Service.bucket)", "\#(S3Service.otherBucket)"]: backend.create_bucket(name, "us-east-1")
        context = None
        if len(sys.argv) > 2:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])
        server = make_server("127.0.0.1", 0, Front(DomainDispatcherApplication(create_backend_app)), threaded=True, request_handler=Quiet, ssl_context=context)
        print("port", server.server_port, flush=True)
        server.serve_forever()
        """#
}
