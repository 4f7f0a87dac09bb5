import Foundation
import HaulProtocol
import Testing

/// Somebody on the way to a real server: passes on what both say, and does something of its own in between.
final class Meddler: Sendable {
    /// `localhost:PORT`, as the host certificate has it.
    let endpoint: String
    private let child: Child

    /// - Parameters:
    ///   - words: Sent, once a connection, before the first protected reply.
    ///   - instead: Lines of the client that begin so, and what goes to the server in their place.
    ///   - touches: Gets a time of long ago whenever the server has said that a transfer is through, and nobody has
    ///     heard it yet.
    init(port: Int, words: String = "", touches path: String = "", instead: (of: String, String) = ("", ""))
        async throws
    {
        let python = try #require(ToolPath.find("python3"), "python3 is needed for these tests")
        let started = try await Child.start(
            Command(
                executable: python, arguments: ["-c", Self.script, "\(port)", words, path, instead.of, instead.1],
                errors: .inherit))
        var first = Data()
        while !first.contains(UInt8(ascii: "\n")), let data = await started.output?.read() { first.append(data) }
        child = started
        endpoint = "localhost:\(String(decoding: first, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? "")"
    }

    func stop() async { await child.stop(grace: .seconds(1)) }

    private static let script = #"""
        import os, socket, socketserver, sys, threading
        class H(socketserver.BaseRequestHandler):
            def handle(self):
                server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                def up():
                    for line in self.request.makefile("rb"):
                        if sys.argv[4] and line.startswith(sys.argv[4].encode()):
                            line = sys.argv[5].encode() + b"\r\n"
                        server.sendall(line)
                    server.shutdown(socket.SHUT_WR)
                threading.Thread(target=up, daemon=True).start()
                meddled = False
                for line in server.makefile("rb"):
                    if sys.argv[3] and line[:3] == b"226":
                        os.utime(sys.argv[3], (1, 1))
                    if sys.argv[2] and not meddled and line[:2] == b"63":
                        meddled = True
                        self.request.sendall(sys.argv[2].encode())
                    self.request.sendall(line)
        class S(socketserver.ThreadingTCPServer):
            daemon_threads = True
        s = S(("127.0.0.1", 0), H)
        print(s.server_address[1], flush=True)
        s.serve_forever()
        """#
}
