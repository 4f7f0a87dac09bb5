import Foundation
import HaulProtocol
import Testing

/// An FTP server in Python that says what a test wants it to say, and listens at a port of the loopback interface.
final class ScriptedServer: Sendable {
    /// `127.0.0.1:PORT`.
    let endpoint: String
    private let child: Child

    /// - Parameters:
    ///   - features: The lines of FEAT, without the blank.
    ///   - greeting: What it says first, as it is.
    ///   - facts: By path: what MLST says of it; the reply is 550 for all others.
    ///   - listings: By path: the lines of MLSC or MLSD.
    ///   - breaksAt: Closes the connection in the middle of its reply to this command.
    init(
        features: [String] = ["MLST Type*;", "MLSC"], greeting: String = "220 ready\r\n", facts: [String: String] = [:],
        listings: [String: [String]] = [:], breaksAt: String = "-"
    ) async throws {
        let python = try #require(ToolPath.find("python3"), "python3 is needed for these tests")
        let said: [String: Any] = [
            "features": features, "greeting": greeting, "facts": facts, "listings": listings, "breaks": breaksAt,
        ]
        let text = String(decoding: try JSONSerialization.data(withJSONObject: said), as: UTF8.self)
        let python3 = try await Child.start(
            Command(executable: python, arguments: ["-c", Self.script, text], errors: .inherit))
        var first = Data()
        while !first.contains(UInt8(ascii: "\n")), let data = await python3.output?.read() { first.append(data) }
        let port = String(decoding: first, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
        child = python3
        endpoint = "127.0.0.1:\(port)"
    }

    var site: SiteSpec { SiteSpec(site: "scripted", endpoints: [endpoint]) }

    func stop() async { await child.stop(grace: .seconds(1)) }

    private static let script = #"""
        import json, socket, socketserver, sys
        said = json.loads(sys.argv[1])
        class H(socketserver.StreamRequestHandler):
            def say(self, text): self.wfile.write(text.encode()); self.wfile.flush()
            def handle(self):
                self.say(said["greeting"])
                data = None
                for line in self.rfile:
                    verb, _, rest = line.decode().rstrip("\r\n").partition(" ")
                    if verb == said["breaks"]:
                        self.say("250-half of a re")
                        return
                    if verb == "USER": self.say("331 go on\r\n")
                    elif verb == "PASS": self.say("230 in\r\n")
                    elif verb == "PWD": self.say('257 "/home" is it\r\n')
                    elif verb == "FEAT": self.say("211-Features\r\n" + "".join(" %s\r\n" % f for f in said["features"]) + "211 End\r\n")
                    elif verb == "MLST" and rest in said["facts"]: self.say("250-it\r\n %s %s\r\n250 End\r\n" % (said["facts"][rest], rest))
                    elif verb == "MLSC" and rest in said["listings"]: self.say("250-it\r\n" + "".join(" %s\r\n" % l for l in said["listings"][rest]) + "250 End\r\n")
                    elif verb == "PASV":
                        data = socket.create_server(("127.0.0.1", 0))
                        port = data.getsockname()[1]
                        self.say("227 Entering (127,0,0,1,%d,%d)\r\n" % (port >> 8, port & 255))
                    elif verb == "MLSD" and rest in said["listings"]:
                        self.say("150 here\r\n")
                        with data.accept()[0] as link: link.sendall("".join("%s\r\n" % l for l in said["listings"][rest]).encode())
                        self.say("226 done\r\n")
                    elif verb in ("TYPE", "OPTS", "NOOP"): self.say("200 fine\r\n")
                    else: self.say("550 No such file or directory\r\n")
        class S(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
        s = S(("127.0.0.1", 0), H)
        print(s.server_address[1], flush=True)
        s.serve_forever()
        """#
}
