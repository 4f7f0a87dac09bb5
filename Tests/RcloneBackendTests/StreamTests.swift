import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

@testable import haul_rclone

/// What the bytes of a file that pass through haul come to, where they are cut off.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct StreamTests {
    /// An object that was there stays, and nothing appears late: not even where all bytes but the end were sent.
    @Test(arguments: [":memory:bucket", nil]) func cutOff(_ remote: String?) async throws {
        try await Bench.with { bench in
            let site = SiteSpec(site: "s", options: ["remote": .string(remote ?? ":local:\(bench.root)")])
            let config = try RcloneConfig([("source", site, nil)])
            let daemon = try await RcloneDaemon.start(
                try #require(ToolPath.find("rclone")), config: config, scratch: bench.folder + "/scratch",
                timeout: 60)
            let files = RemoteFiles(control: daemon.control, remote: RcloneConfig.name("source"))
            let abilities = try await Abilities.ask(files)
            func end(_ path: String) throws -> RcloneEnd { try RcloneEnd(path, files, abilities) }

            let good = FileFacts(kind: .file, size: 7, modified: 784_111_777)
            let writer = try await end("/good").writer(WriteOrder(source: good))
            try await writer.write(Data("con".utf8), at: 0)
            try await writer.write(Data("tent".utf8), at: 3)
            _ = try await writer.finish(good)
            #expect(try await end("/good").facts(follow: false) == good)

            let isBucket = abilities.publication == .whole
            for count in [1, 10 << 10, 90 << 10, 90 << 10] + Array(repeating: 10 << 10, count: 30) {
                let target = try end(isBucket ? "/good" : "/cut")
                let order = WriteOrder(source: FileFacts(kind: .file, size: 90 << 10, modified: 1))
                let writer = try await target.writer(order)
                try await writer.write(Data(count: count), at: 0)
                writer.abandon()
                await writer.ended()
                if !isBucket { try await target.discard() }
            }
            #expect(try await end("/good").facts(follow: false) == good)
            #expect(try await files.entries(.root, shown: "/").map(\.name) == ["good"])
            await daemon.stop()
        }
    }

    /// Whoever reads a file for another protocol tells how long it is: where nobody knows that, no copy could be checked.
    @Test func aFileWithoutALength() async throws {
        let python = try #require(ToolPath.find("python3"))
        let child = try await Child.start(
            Command(executable: python, arguments: ["-u", "-c", Self.endless], output: .pipe, errors: .null))
        var said = Data()
        while said.last != UInt8(ascii: "\n"), let more = await child.output?.read() { said.append(more) }
        let port = String(decoding: said, as: UTF8.self).trimmingCharacters(in: .newlines)
        try await Bench.with { bench in
            let site = SiteSpec(site: "s", options: ["remote": .string(":http,url='http://127.0.0.1:\(port)/':")])
            let daemon = try await RcloneDaemon.start(
                try #require(ToolPath.find("rclone")), config: try RcloneConfig([("source", site, nil)]),
                scratch: bench.folder + "/scratch", timeout: 60)
            let files = RemoteFiles(control: daemon.control, remote: RcloneConfig.name("source"))
            let abilities = try await Abilities.ask(files)
            #expect(try await RcloneEnd("/f", files, abilities).facts(follow: false)?.kind == .file)
            await #expect {
                _ = try await RcloneEnd("/f", files, abilities, isServed: true).facts(follow: false)
            } throws: {
                ($0 as? BackendFailure)?.errorClass == .invalid
            }
            await daemon.stop()
        }
        await child.stop()
    }

    /// Its answers end with the connection.
    private static let endless = """
        import http.server
        class H(http.server.BaseHTTPRequestHandler):
            def log_message(self, *a): pass
            def do_HEAD(self):
                self.send_response(200)
                self.send_header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
                self.end_headers()
            def do_GET(self):
                self.do_HEAD(); self.wfile.write(b"content")
        s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
        print(s.server_port); s.serve_forever()
        """

    /// What stops before there is an answer ends at once when it is cancelled, and takes nobody else with it.
    @Test func aSilentRclone() async throws {
        let silent = try SilentServer()
        let control = RemoteControl(port: silent.port, authorization: "Basic x")
        let end = try RcloneEnd("/f", RemoteFiles(control: control, remote: "haul-source:"), Abilities([:]))
        let facts = FileFacts(kind: .file, size: 7)

        let reading = Task { _ = try await end.reader(ReadOrder(facts: facts)) }
        try await silent.request()
        reading.cancel()
        let read = try await Abandonable.run(limit: .seconds(4)) { await reading.result }
        #expect(throws: CancellationError.self) { try read.get() }

        let writer = try await end.writer(WriteOrder(source: facts))
        let writing = Task { try await writer.write(Data("content".utf8), at: 0) }
        try await silent.request()
        writing.cancel()
        writer.abandon()
        let written = try await Abandonable.run(limit: .seconds(4)) { await writing.result }
        #expect(throws: (any Error).self) { try written.get() }
        await writer.ended()
    }

    /// Who does not know the secret gets nothing, and keeps nobody from it.
    @Test func aStranger() async throws {
        let listener = try await LoopbackListener.open()
        let parts = listener.url.split(separator: "/")
        let port = try #require(parts[1].split(separator: ":").last.flatMap { UInt16($0) })
        let taken = Task { try await listener.accept() }
        for request in ["GET / HTTP/1.1\r\n\r\n", "GET /\(parts[2])x HTTP/1.1\r\n\r\n", "\r\n\r\n"] {
            let stranger = try await LoopbackConnection.open(port: port)
            try await stranger.send(Data(request.utf8))
            #expect(try await stranger.receive() == nil)
        }
        let right = try await LoopbackConnection.open(port: port)
        try await right.send(Data("GET /\(parts[2]) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        try await taken.value.send(Data("here".utf8))
        #expect(try await right.receive() == Data("here".utf8))
    }
}

/// A server that takes what it is sent and never answers.
private final class SilentServer: Sendable {
    private static let queue = BlockingQueue(label: "silent")
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    ? getsockname(descriptor, $0, &length) : -1
            }
        }
        try #require(status == 0)
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }

    /// Returns once somebody has sent one; the connection stays open.
    func request() async throws {
        let descriptor = descriptor
        try await Self.queue.run {
            let taken = accept(descriptor, nil, nil)
            var byte: UInt8 = 0
            try #require(taken >= 0 && recv(taken, &byte, 1, 0) == 1)
        }
    }
}
