public import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// One request whose body, or whose answer's, passes through this process as it comes, with no more than a megabyte of it
/// in memory. For one task that reads or writes; must be ended with ``finish()`` or ``abort()``.
public final class CurlStream: Sendable {
    private let flow: CurlFlow
    private let ending: Task<HTTPResponse, Never>

    /// - Throws: ``BackendFailure``, of the class `permission` where the worker may not go there.
    public static func start(_ request: any CurlRequest, in pool: CurlPool) throws -> CurlStream {
        let call = request.call()
        if let problem = pool.hosts?.problem(url: call.url) { throw BackendFailure(.permission, problem) }
        return CurlStream(request, CurlFlow(call), pool)
    }

    private init(_ request: any CurlRequest, _ flow: CurlFlow, _ pool: CurlPool) {
        self.flow = flow
        ending = Task {
            defer { flow.end() }
            do {
                return try await pool.perform(request, flow)
            } catch let failure as BackendFailure {
                var answer = Self.ended(failure.errorClass == .invalid ? 3 : 2, failure.reason)
                if failure.errorClass == .permission { answer.refusal = failure.reason }
                return answer
            } catch {
                return Self.ended(42, "it was given up")
            }
        }
    }

    /// The next piece of a download; nil at its end, which is a good one only if ``finish()`` says so.
    public func read() async -> Data? { await flow.inflow?.read() }

    /// Sends the next piece of an upload; false once no more is taken.
    public func write(_ data: Data) async -> Bool { await flow.outflow?.write(data) ?? false }

    /// Closes an upload and waits for the server's answer, or waits for a download's end. What is left of a download
    /// must have been read.
    public func finish() async -> HTTPResponse {
        flow.outflow?.finish()
        var answer = await ending.value
        // Written when the server had all that was announced, and answered.
        if answer.exitCode == 0, let failure = flow.outflow?.failure {
            (answer.exitCode, answer.message) = (26, failure)
        }
        return answer
    }

    /// Ends the request where it is: to the server the body is cut off.
    public func abort() {
        ending.cancel()
        flow.end()
    }

    private static func ended(_ exitCode: Int, _ message: String) -> HTTPResponse {
        HTTPResponse(exitCode: exitCode, status: 0, downloaded: 0, uploaded: 0, message: message)
    }
}
