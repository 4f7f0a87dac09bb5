import Foundation
import HaulModel
import HaulProtocol

/// One curl process with its one request, which follows no redirect.
final class CurlProcess: Sendable {
    let child: Child
    private let config: String
    private let ending: Task<HTTPResponse, Never>

    /// - Parameter scratch: The batch's private directory: standard input carries the body, so the description of the
    ///   request goes through a 0600 file there.
    static func start(_ call: CurlCall, tool: CurlTool, scratch: String) async throws -> CurlProcess {
        if let problem = tool.hosts?.problem(url: call.url) { throw BackendFailure(.permission, problem) }
        let config = scratch + "/request-\(UUID().uuidString).conf"
        let text = Data(CurlConfig(call, tag: "0").text.utf8)
        let made = FileManager.default.createFile(
            atPath: config, contents: text, attributes: [.posixPermissions: 0o600])
        guard made else { throw BackendFailure(.backend, "cannot write to the batch's scratch directory") }
        do {
            let child = try await Child.start(tool.stream(config: config, upload: call.isStreamedUpload))
            return CurlProcess(child: child, config: config)
        } catch {
            try? FileManager.default.removeItem(atPath: config)
            throw BackendFailure(.backend, "\(error)")
        }
    }

    private init(child: Child, config: String) {
        self.child = child
        self.config = config
        ending = Task {
            var answer: HTTPResponse?
            var complaint = ""
            if let errors = child.errors {
                var lines = ResponseLines(errors)
                while let next = await lines.next() { answer = next.response }
                complaint = lines.complaint
            }
            let status = await child.wait()
            // A write that waits for room is not told that nobody reads any more.
            child.input?.close()
            try? FileManager.default.removeItem(atPath: config)
            return answer
                ?? HTTPResponse(
                    exitCode: status.isSuccess ? 2 : status.code, status: 0, downloaded: 0, uploaded: 0,
                    message: complaint.isEmpty ? "curl \(status)" : complaint)
        }
    }

    /// What came of it, once it is over.
    func answer() async -> HTTPResponse { await ending.value }

    /// Ends it where it is.
    func abort() {
        child.signal(SIGKILL)
        // Now: whoever ends a request may be about to end this process.
        unlink(config)
        child.input?.close()
        child.output?.close()
    }
}
