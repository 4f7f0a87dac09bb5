public import Foundation
import HaulModel
import HaulProtocol

/// One request in a curl process of its own whose body passes through this process, with no more of it in memory than
/// the pipes hold. Must be ended with ``finish()`` or ``abort()``.
public final class CurlStream: Sendable {
    private let child: Child
    private let config: String
    private let ending: Task<HTTPResponse, Never>

    /// - Parameter scratch: The batch's private directory: standard input carries the body, so the description of the
    ///   request goes through a 0600 file there.
    public static func start(_ request: any CurlRequest, tool: CurlTool, scratch: String) async throws -> CurlStream {
        let call = request.call()
        let config = scratch + "/request-\(UUID().uuidString).conf"
        let text = Data(CurlConfig(call, tag: "0").text.utf8)
        let made = FileManager.default.createFile(
            atPath: config, contents: text, attributes: [.posixPermissions: 0o600])
        guard made else { throw BackendFailure(.backend, "cannot write to the batch's scratch directory") }
        do {
            let child = try await Child.start(tool.stream(config: config, upload: call.isStreamedUpload))
            return CurlStream(child: child, config: config)
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

    /// The next piece of a download; nil at its end, which is a good one only if ``finish()`` says so.
    public func read() async -> Data? { await child.output?.read(upTo: 1 << 18) }

    /// Sends the next piece of an upload; false once curl takes no more.
    public func write(_ data: Data) async -> Bool { await child.input?.write(data) ?? false }

    /// Closes an upload and waits for the server's answer, or waits for a download's end.
    public func finish() async -> HTTPResponse {
        child.input?.finish()
        return await ending.value
    }

    /// Ends the request where it is: to the server the body is cut off.
    public func abort() {
        child.signal(SIGKILL)
        // Now: whoever ends a request may be about to end this process.
        unlink(config)
        child.input?.close()
        child.output?.close()
    }
}
