import Foundation
import HaulModel
import HaulProtocol
import HaulWire
import Support
import Testing

@testable import HaulWorker

/// A second name for the local protocol, a source in Python that does what its paths say, and a folder for all.
struct StreamPlace {
    let root: String
    let catalog: ProtocolCatalog

    /// - Parameters:
    ///   - timeout: Of the second name.
    ///   - sourceTimeout: Of a `get` of the source in Python.
    ///   - puts: The elements that it puts at a time.
    ///   - putBatch: The elements that it is given to put, all in all.
    init(timeout: Int = 300, puts: Int = 4, putBatch: Int = 256, sourceTimeout: Int = 3) throws {
        root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/hws-\(UUID().uuidString)"
        for name in ["/from", "/to", "/protocols/other", "/protocols/python"] {
            try FileManager.default.createDirectory(atPath: root + name, withIntermediateDirectories: true)
        }
        let manifest = try String(
            contentsOfFile: Built.repository + "/protocols/local/protocol.json", encoding: .utf8)
        try manifest.replacing("\"name\": \"local\"", with: "\"name\": \"other\"")
            .replacing("\"haul-local\"", with: "\"\(Built.executable("haul-local"))\"")
            .replacing("\"schemes\": [\"local\"", with: "\"schemes\": [\"other\"")
            .replacing("\"timeout\": 300", with: "\"timeout\": \(timeout)")
            .replacing("\"put\": {", with: "\"put\": {\"concurrency\": \(puts), \"batch\": \(putBatch), ")
            .write(toFile: root + "/protocols/other/protocol.json", atomically: true, encoding: .utf8)
        try #"""
        {"schema": 1, "name": "python", "summary": "s", "schemes": [], "backend": ["get.py"],
         "operations": {"get": {"concurrency": 4, "timeout": \#(sourceTimeout), "stream": true, "batch": 16},
                        "put": {"concurrency": 4, "timeout": 2, "stream": true, "batch": 16}}}
        """#.write(toFile: root + "/protocols/python/protocol.json", atomically: true, encoding: .utf8)
        _ = FileManager.default.createFile(
            atPath: root + "/protocols/python/get.py", contents: Data(Self.python.utf8),
            attributes: [.posixPermissions: 0o755])
        catalog = ProtocolCatalog.scan(["\(Built.repository)/protocols", root + "/protocols"])
    }

    private static let python = #"""
        #!/usr/bin/env python3
        import json, os, sys, time

        def say(**line):
            print(json.dumps(line), flush=True)

        def put():
            # A destination that opens its pipe and takes nothing out, or sees to it that the source goes and asks once more.
            for line in sys.stdin:
                message = json.loads(line)
                kind, id = message["type"], message["id"]
                if kind == "element":
                    pipe, source, path = message["pipe"], message["source"], message["destination"]
                    say(type="ask", id=id, ask="facts")
                elif kind == "answer" and path.startswith("/later/"):
                    if message["answer"] == "facts":
                        os.remove(source)
                        say(type="ask", id=id, ask="facts")
                    else:
                        say(type="result", id=id, outcome="failed", reason="its own", **{"class": path[7:]})
                elif kind == "answer" and message["answer"] == "facts":
                    opened = os.open(pipe, os.O_RDWR)
                    say(type="ask", id=id, ask="read", **{"from": 0, "to": message["facts"]["size"]})
                elif kind == "cancel":
                    say(type="result", id=id, outcome="failed", reason="cancelled", **{"class": "interrupted"})

        if json.loads(sys.stdin.readline())["operation"] == "put":
            sys.exit(put())
        elements = {}
        for line in sys.stdin:
            message = json.loads(line)
            kind, id = message["type"], message["id"]
            if kind == "element":
                elements[id] = message
            elif kind == "cancel" and elements.pop(id, None):
                say(type="result", id=id, outcome="failed", reason="cancelled", **{"class": "interrupted"})
            elif kind == "ask" and id in elements:
                path, what = elements[id]["source"], message["ask"]
                data = path.encode() * 100000
                if what == "facts" and "/refuse" in path:
                    say(type="answer", id=id, answer="failed", reason="not today", **{"class": "permission"})
                elif what == "facts":
                    say(type="answer", id=id, answer="facts", facts={"kind": "file", "size": len(data), "mtime": 1})
                elif what == "checksum":
                    say(type="answer", id=id, answer="checksum")
                elif what == "end":
                    del elements[id]
                    say(type="result", id=id, outcome="ok", returncode=0, transferred=0)
                elif "/die" in path:
                    os._exit(3)
                elif "/stall" in path:
                    stalled = open(elements[id]["pipe"], "wb", buffering=0)
                    stalled.write(data[:len(data) // 2])
                    say(type="progress", id=id, transferred=len(data) // 2, elapsed=1, instant=1, average=1)
                elif "/hang" not in path:
                    with open(sys.argv[0] + ".asked", "a") as asked:
                        print(message["from"], message["to"], file=asked)
                    short = "/short" in path and elements[id]["attempt"] == 1
                    piece = data[message["from"]:message["to"] // (2 if short else 1)]
                    try:
                        with open(elements[id]["pipe"], "wb") as pipe:
                            pipe.write(piece)
                    except BrokenPipeError:
                        pass
                    say(type="answer", id=id, answer="sent", bytes=len(piece))
        """#

    func bench() throws -> Bench {
        try Bench(catalog: catalog) {
            $0.settings = ["local": ["roots": [.string(root)]], "other": ["roots": [.string(root)]]]
            // No file fits: nothing stands in the spool.
            $0.spoolBytes = 4096
            $0.concurrency = 4
        }
    }

    func write(_ name: String, _ data: Data) throws { try data.write(to: URL(filePath: root + name)) }
    func read(_ name: String) -> Data? { FileManager.default.contents(atPath: root + name) }
    func parts() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root + "/to").filter { $0.hasPrefix(".haul-part-") }
    }
    func remove() { try? FileManager.default.removeItem(atPath: root) }
}
