import Foundation
import HaulHTTP
import HaulProtocol
import Synchronization

/// A server whose answers a test writes; it keeps what was asked.
final class ScriptedServer: Sendable {
    private let server: HTTPServer
    private let answerer: Answerer

    private final class Answerer: Sendable {
        let seen = Mutex<[HTTPRequest]>([])
        let answer: @Sendable (HTTPRequest, Int) -> HTTPResponse

        init(_ answer: @escaping @Sendable (HTTPRequest, Int) -> HTTPResponse) { self.answer = answer }
    }

    /// - Parameter answer: given the request without the API's root, and how many came before it.
    init(_ answer: @escaping @Sendable (HTTPRequest, Int) -> HTTPResponse) throws {
        let answerer = Answerer(answer)
        self.answerer = answerer
        server = HTTPServer(
            configuration: HTTPServerConfiguration(), bodyLimit: { _ in 64 << 20 },
            handler: { request in
                var request = request
                request.path = request.path.replacing("/workqueue/api/v1.0", with: "")
                let number = answerer.seen.withLock { seen in
                    seen.append(request)
                    return seen.count - 1
                }
                return answerer.answer(request, number)
            })
        try server.start()
    }

    var requests: [HTTPRequest] { answerer.seen.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(server.port)" }
    func stop() async { await server.stop(grace: 0.1) }
}

/// A run of the real program.
struct HaulRun {
    var code: Int
    var output: String
    var errors: String

    /// The program, beside the tests that were built with it.
    static var program: String {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: tests).deletingLastPathComponent().path + "/haul"
    }

    /// The environment of a run: nothing of the tester's own settings.
    static func environment(_ more: [String: String]) -> [String: String] {
        ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"].merging(more) { _, more in more }
    }

    static func start(_ words: [String], _ environment: [String: String] = [:]) async throws -> Child {
        try await Child.start(
            Command(
                executable: program, arguments: words, environment: Self.environment(environment), input: .null,
                output: .pipe, errors: .pipe))
    }

    static func run(_ words: [String], _ environment: [String: String] = [:]) async throws -> HaulRun {
        try await finish(try await start(words, environment))
    }

    /// On a terminal: `script` gives it one, and says how it ended.
    static func onTerminal(_ command: String, _ environment: [String: String] = [:]) async throws -> HaulRun {
        let child = try await Child.start(
            Command(
                executable: "/usr/bin/script", arguments: ["-qec", command, "/dev/null"],
                environment: Self.environment(
                    ["SHELL": "/bin/sh", "TERM": "xterm"].merging(environment) { _, new in new }),
                input: .null, output: .pipe, errors: .pipe))
        return try await finish(child)
    }

    static func finish(_ child: Child) async throws -> HaulRun {
        async let output = text(child.output)
        async let errors = text(child.errors)
        let code = await child.wait(atMost: .seconds(60))?.code ?? -1
        if code == -1 { child.signal(9) }
        return HaulRun(code: code, output: await output, errors: await errors)
    }

    private static func text(_ pipe: PipeReader?) async -> String {
        var data = Data()
        while let piece = await pipe?.read() { data += piece }
        return String(decoding: data, as: UTF8.self)
    }
}

/// Documents as the server writes them.
enum Documents {
    static func job(
        _ id: Int, _ status: String = "SUBMITTED", type: String = "COPY", path: String = "/a", done: Int = 0,
        of total: Int = 3, failed: Int = 0
    ) -> String {
        #"{"id":\#(id),"user_id":1,"src_siteid":12,"dst_siteid":14,"src_filepath":"\#(path)","dst_filepath":"/b","type":"\#(type)","#
            + #""status":"\#(status)","extra_opts":{},"priority":5,"protocol":"SSH","log_uid":"00","timestamp":"2026-01-01T00:00:00.000Z","#
            + #""queue":"default","max_tries":2,"num_elements":\#(total),"num_new":0,"num_done":\#(done),"num_failed":\#(failed),"#
            + #""num_submitted":0,"num_running":0,"num_cancelled":0}"#
    }

    static func json(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status, text: text, contentType: status < 400 ? "application/json" : "application/problem+json")
    }
}
