import Foundation
import HaulHTTP
import HaulPlayground
import Support
import Testing

/// Every face of a playground, to whoever has a token or a password there.
@Suite(.timeLimit(.minutes(10))) struct FacesTests {
    private func start() async throws -> Stack {
        var options = Stack.Options(directory: NSTemporaryDirectory() + "haul-faces-\(UUID().uuidString)")
        options.isTemporary = true
        return try await Stack.start(options)
    }

    /// Blocks of code in a section of README.md.
    private func examples(_ section: String) throws -> [String] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        let text = try String(contentsOfFile: folder + "/../../README.md", encoding: .utf8)
        let start = try #require(text.range(of: "\n## \(section)\n"))
        let end = text.range(of: "\n## ", range: start.upperBound..<text.endIndex)
        return text[start.upperBound..<(end?.lowerBound ?? text.endIndex)].components(separatedBy: "\n\n")
            .filter { $0.hasPrefix("    ") }
    }

    /// What README.md shows of each works as it is pasted.
    @Test func examplesWork() async throws {
        let stack = try await start()
        let token = NSTemporaryDirectory() + "haul-faces-\(UUID().uuidString).token"
        defer { try? FileManager.default.removeItem(atPath: token) }
        try (stack.tokens["alice"] ?? "").write(toFile: token, atomically: true, encoding: .utf8)
        let programs = URL(fileURLWithPath: Built.executable("haul")).deletingLastPathComponent().path
        let examples = try examples("Faces")
        #expect(examples.count == 5)
        // None needs what one before it leaves.
        for example in examples.reversed() {
            let run = try await ProgramRun(
                executable: "/usr/bin/env", ["bash", "-euo", "pipefail", "-c", example],
                environment: [
                    "HAUL_URL": stack.url, "HAUL_TOKEN_FILE": token, "PATH": programs + ":/usr/bin:/bin",
                ], atMost: .seconds(60))
            #expect(run.code == 0 && !run.output.isEmpty, "\(example)\n\(run)")
            #expect(example.split(separator: "\n").count == 4, "\(example)")
        }
        await stack.stop()
    }

    /// A job of UWS that runs five seconds, and says how far it is.
    @Test func passwordsAndProgress() async throws {
        let stack = try await start()
        let http = HTTPClient()
        let pair = Data("alice:\(stack.passwords["alice"] ?? "")".utf8).base64EncodedString()
        @Sendable func send(_ method: String, _ url: String, _ form: String = "") async throws -> HTTPClientResponse {
            try await http.send(
                HTTPClientRequest(
                    method: method, url: url,
                    headers: ["Authorization": "Basic \(pair)", "Content-Type": "application/x-www-form-urlencoded"],
                    body: Array(form.utf8), timeout: 90))
        }
        let login = try await send(
            "POST", stack.url + "/qdo/site/login", "username=alice&password=\(stack.passwords["alice"] ?? "")")
        #expect(login.status == 200 && login.headers["Set-Cookie"] != nil, "\(login)")
        for path in ["/api/v1/cluster/jobs/list", "/qdo/alice/queues/", "/workqueue/api/v1.0/jobs"] {
            let answer = try await send("GET", stack.url + path)
            #expect(answer.status == 200, "\(path): \(answer)")
        }
        let database = try await send("POST", stack.url + "/overview/generate", "server=fake-a&documentSetId=/tree/3")
        #expect(database.status == 200, "\(database)")
        let start = ContinuousClock.now
        let made = try await send(
            "POST", stack.url + "/uws/list", "src_siteid=fake-a&src_filepath=/sleep/5/x&PHASE=RUN")
        #expect(made.status == 303, "\(made)")
        let job = try #require(made.headers["Location"])
        @Sendable func document(_ more: String = "") async throws -> String {
            String(decoding: try await send("GET", job + more).body, as: UTF8.self)
        }
        try await eventually("it says how far it is") {
            let text = try await document()
            return text.contains("<uws:phase>EXECUTING<") && text.contains("<haul:transferred>")
        }
        let ended = try await document("?WAIT=60&PHASE=EXECUTING")
        #expect(ended.contains("<uws:phase>COMPLETED<"), "\(ended)")
        #expect(!ended.contains("<haul:transferred>"), "nothing of it runs any more")
        #expect(ContinuousClock.now - start >= .seconds(5))
        await http.close()
        await stack.stop()
    }
}
