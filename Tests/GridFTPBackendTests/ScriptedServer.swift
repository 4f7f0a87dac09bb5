import Foundation
import HaulProtocol
import Testing

@testable import haul_gridftp

/// An FTP server in Python that says what a test wants it to say, and listens at a port of the loopback interface.
final class ScriptedServer: Sendable {
    /// `127.0.0.1:PORT`, or `[::1]:PORT`.
    let endpoint: String
    private let child: Child

    /// - Parameters:
    ///   - features: The lines of FEAT, without the blank.
    ///   - greeting: What it says first, as it is.
    ///   - facts: By path: what MLST says of it; the reply is 550 for all others.
    ///   - listings: By path: the lines of MLSC or MLSD.
    ///   - breaksAt: Closes the connection in the middle of its reply to this command.
    ///   - replies: By command, as it is sent: the whole reply.
    ///   - passive: The host that it names for data connections, as in `127,0,0,1`; it listens at that one.
    ///   - host: Where it listens; `::1` has EPSV instead of PASV.
    ///   - heldVerb: Commands that are answered once another connection has said `OPEN`.
    ///   - effects: By command, as it is sent: facts that hold from then on; empty ones for what is not there any more.
    ///   - staysAt: Looks a moment, at this command, whether its client has gone. If so it stays for good, as
    ///     globus-gridftp-server may in the middle of small files.
    ///   - floodsAt: Answers this command with 64 MiB without a line's end, and then with nothing.
    init(
        features: [String] = ["MLST Type*;", "MLSC"], greeting: String = "220 ready\r\n", facts: [String: String] = [:],
        listings: [String: [String]] = [:], breaksAt: String = "-", replies: [String: String] = [:],
        passive: String = "127,0,0,1", heldVerb: String = "-", floodsAt: String = "-", staysAt: String = "-",
        effects: [String: [String: String]] = [:], host: String = "127.0.0.1"
    ) async throws {
        let python = try #require(ToolPath.find("python3"), "python3 is needed for these tests")
        let said: [String: Any] = [
            "features": features, "greeting": greeting, "facts": facts, "listings": listings, "breaks": breaksAt,
            "replies": replies, "passive": passive, "held": heldVerb, "floods": floodsAt, "stays": staysAt,
            "host": host, "effects": effects,
        ]
        let text = String(decoding: try JSONSerialization.data(withJSONObject: said), as: UTF8.self)
        let python3 = try await Child.start(
            Command(executable: python, arguments: ["-c", Self.script, text], errors: .inherit))
        var first = Data()
        while !first.contains(UInt8(ascii: "\n")), let data = await python3.output?.read() { first.append(data) }
        let port = String(decoding: first, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
        child = python3
        endpoint = "\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    var site: SiteSpec { SiteSpec(site: "scripted", endpoints: [endpoint]) }

    /// A connection as the backend makes it.
    func connect() async throws -> ControlConnection {
        let address = try #require(Address(endpoint, standardPort: 2811))
        let connection = ControlConnection(try await .plain(address), name: "scripted")
        _ = try await connection.greeting(patience: .seconds(20))
        return connection
    }

    /// All commands that it was sent, on whatever connection.
    func heard() async throws -> [String] {
        let connection = try await connect()
        let reply = try await connection.perform("HEARD")
        connection.close()
        return reply.lines.dropFirst().dropLast().map { String(decoding: $0.dropFirst(), as: UTF8.self) }
    }

    func stop() async { await child.stop(grace: .seconds(1)) }

    private static let script = #"""
        import json, select, socket, socketserver, sys, threading
        said = json.loads(sys.argv[1])
        family = socket.AF_INET6 if ":" in said["host"] else socket.AF_INET
        heard, opened = [], threading.Event()
        class H(socketserver.StreamRequestHandler):
            def say(self, text): self.wfile.write(text.encode()); self.wfile.flush()
            def handle(self):
                self.say(said["greeting"])
                data = None
                for line in self.rfile:
                    line = line.decode().rstrip("\r\n")
                    verb, _, rest = line.partition(" ")
                    heard.append(line)
                    if verb == said["held"]: opened.wait()
                    if verb == said["stays"]:
                        if select.select([self.connection], [], [], 0.05)[0] and not self.connection.recv(1, socket.MSG_PEEK):
                            threading.Event().wait()
                    if verb == said["floods"]:
                        for _ in range(64): self.wfile.write(b"2" * (1 << 20))
                        continue
                    if verb == said["breaks"]:
                        self.say("250-half of a re")
                        return
                    said["facts"].update(said["effects"].get(line, {}))
                    if line in said["replies"]: self.say(said["replies"][line])
                    elif verb == "OPEN":
                        opened.set()
                        self.say("200 open\r\n")
                    elif verb == "HEARD": self.say("211-Heard\r\n" + "".join(" %s\r\n" % h for h in heard) + "211 End\r\n")
                    elif verb == "HELP": self.say("502 Unknown command '%s'.\r\n" % rest)
                    elif verb == "USER": self.say("331 go on\r\n")
                    elif verb == "PASS": self.say("230 in\r\n")
                    elif verb == "PWD": self.say('257 "/home" is it\r\n')
                    elif verb == "FEAT": self.say("211-Features\r\n" + "".join(" %s\r\n" % f for f in said["features"]) + "211 End\r\n")
                    elif verb == "MLST" and said["facts"].get(rest): self.say("250-it\r\n %s %s\r\n250 End\r\n" % (said["facts"][rest], rest))
                    elif verb == "MLSC" and rest in said["listings"]: self.say("250-it\r\n" + "".join(" %s\r\n" % l for l in said["listings"][rest]) + "250 End\r\n")
                    elif verb == ("EPSV" if family == socket.AF_INET6 else "PASV"):
                        data = socket.create_server((said["host"], 0), family=family)
                        port = data.getsockname()[1]
                        if verb == "EPSV": self.say("229 Entering (|||%d|)\r\n" % port)
                        else: self.say("227 Entering (%s,%d,%d)\r\n" % (said["passive"], port >> 8, port & 255))
                    elif verb == "MLSD" and rest in said["listings"]:
                        self.say("150 here\r\n")
                        with data.accept()[0] as link: link.sendall("".join("%s\r\n" % l for l in said["listings"][rest]).encode())
                        self.say("226 done\r\n")
                    elif verb in ("TYPE", "OPTS", "NOOP", "MODE", "PORT"): self.say("200 fine\r\n")
                    else: self.say("550 No such file or directory\r\n")
        class S(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            address_family = family
        s = S((said["host"], 0), H)
        print(s.server_address[1], flush=True)
        s.serve_forever()
        """#
}
