public import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// One request in a curl process of its own whose body passes through this process, with no more of it in memory than
/// the pipes hold. Must be ended with ``finish()`` or ``abort()``.
public final class CurlStream: Sendable {
    private struct State: Sendable {
        /// The one that is at work: each redirect takes another.
        var process: CurlProcess
        var redirects: CurlRedirects
        /// What came of the last one, where that is known before it is asked for.
        var answer: HTTPResponse?
        var isAborted = false
    }

    private let tool: CurlTool
    private let scratch: String
    private let state: Mutex<State>

    /// - Parameter scratch: The batch's private directory.
    /// - Throws: ``BackendFailure``, of the class `permission` where the worker may not go there.
    public static func start(_ request: any CurlRequest, tool: CurlTool, scratch: String) async throws -> CurlStream {
        let process = try await CurlProcess.start(request.call(), tool: tool, scratch: scratch)
        return CurlStream(process, CurlRedirects(request, hosts: tool.hosts), tool, scratch)
    }

    private init(_ process: CurlProcess, _ redirects: CurlRedirects, _ tool: CurlTool, _ scratch: String) {
        (self.tool, self.scratch) = (tool, scratch)
        state = Mutex(State(process: process, redirects: redirects))
    }

    private var process: CurlProcess { state.withLock { $0.process } }

    /// The next piece of a download; nil at its end, which is a good one only if ``finish()`` says so.
    public func read() async -> Data? {
        while true {
            let process = process
            if let data = await process.child.output?.read(upTo: 1 << 18) { return data }
            guard await follow(process) else { return nil }
        }
    }

    /// Sends the next piece of an upload; false once curl takes no more.
    public func write(_ data: Data) async -> Bool { await process.child.input?.write(data) ?? false }

    /// Closes an upload and waits for the server's answer, or waits for a download's end.
    public func finish() async -> HTTPResponse {
        let process = process
        process.child.input?.finish()
        let answer = await process.answer()
        return state.withLock { $0.answer } ?? answer
    }

    /// Ends the request where it is: to the server the body is cut off.
    public func abort() {
        state.withLock { state in
            state.isAborted = true
            return state.process
        }.abort()
    }

    /// Asks where a redirect leads to, which brought no bytes of its own.
    /// - Returns: False where there is nothing to follow.
    private func follow(_ process: CurlProcess) async -> Bool {
        var answer = await process.answer()
        let next = state.withLock { state in
            let next = state.isAborted ? nil : state.redirects.next(&answer)
            state.answer = answer
            return next
        }
        guard let next else { return false }
        do {
            let process = try await CurlProcess.start(next.call(), tool: tool, scratch: scratch)
            let isAborted = state.withLock { state in
                (state.process, state.answer) = (process, nil)
                return state.isAborted
            }
            if isAborted { process.abort() }
            return !isAborted
        } catch {
            answer.message = "\(error)"
            state.withLock { [answer] in $0.answer = answer }
            return false
        }
    }
}
