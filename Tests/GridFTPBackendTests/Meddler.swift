import Foundation
import HaulProtocol
import Testing

/// Somebody on the way to a real server: passes everything on until the connection is protected, and then puts in
/// words of its own before what the server says.
final class Meddler: Sendable {
    /// `localhost:PORT`, as the host certificate has it.
    let endpoint: String
    private let child: Child

    /// - Parameter words: Sent, once a connection, before the first protected reply.
    init(port: Int, words: String) async throws {
        let python = try #require(ToolPath.find("python3"), "python3 is needed for these tests")
        let started = try await Child.start(
            Command(executable: python, arguments: ["-c", Self.script, "\(port)", words], errors: .inherit))
        var first = Data()
        while !first.contains(UInt8(ascii: "\n")), let data = await started.output?.read() { first.append(data) }
        child = started
        endpoint = "localhost:\(String(decoding: first, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? "")"
    }

    func stop() async { await child.stop(grace: .seconds(1)) }

    private static let script = #"""
        import socket, socketserver, sys, threading
        class H(socketserver.BaseRequestHandler):
            def handle(self):
                server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                def up():
                    while data := self.request.recv(65536): server.sendall(data)
                    server.shutdown(socket.SHUT_WR)
                threading.Thread(target=up, daemon=True).start()
                meddled = False
                for line in server.makefile("rb"):
                    if not meddled and line[:2] == b"63":
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
