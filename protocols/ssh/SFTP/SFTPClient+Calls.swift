import Foundation
import HaulModel
import HaulProtocol

// Requests whose answer is of one kind. A refusal is thrown as ``SFTPStatus``; an answer of another kind ends nothing,
// but is no answer.
extension SFTPClient {
    func done(_ request: SFTPRequest) async throws { try await done(try await send(request)) }

    /// Waits for a STATUS of ok.
    func done(_ ticket: SFTPTicket) async throws {
        let reply = try await receive(ticket)
        guard case .status(let status) = reply else { throw unexpected(reply) }
        if status.code != SFTPStatus.ok { throw status }
    }

    func handle(_ request: SFTPRequest) async throws -> Data {
        let reply = try await call(request)
        guard case .handle(let handle) = reply else { throw refusal(reply) }
        return handle
    }

    func attributes(_ request: SFTPRequest) async throws -> SFTPAttributes {
        try await attributes(try await send(request))
    }

    func attributes(_ ticket: SFTPTicket) async throws -> SFTPAttributes {
        let reply = try await receive(ticket)
        guard case .attributes(let attributes) = reply else { throw refusal(reply) }
        return attributes
    }

    /// A READ's bytes; nil at the end of the file.
    func data(_ ticket: SFTPTicket) async throws -> Data? {
        let reply = try await receive(ticket)
        if case .data(let data) = reply { return data }
        if case .status(let status) = reply, status.code == SFTPStatus.endOfFile { return nil }
        throw refusal(reply)
    }

    /// A READDIR's names; nil at the end of the directory.
    func names(_ ticket: SFTPTicket) async throws -> [SFTPReply.Name]? {
        let reply = try await receive(ticket)
        if case .names(let names) = reply { return names }
        if case .status(let status) = reply, status.code == SFTPStatus.endOfFile { return nil }
        throw refusal(reply)
    }

    /// The absolute path behind a path, by the server's own lights.
    func realpath(_ path: String) async throws -> String {
        let reply = try await call(.realpath(path))
        guard case .names(let names) = reply, let name = names.first else { throw refusal(reply) }
        guard let text = name.text else {
            throw BackendFailure(.invalid, "\(path) leads to a path that is not UTF-8")
        }
        return text
    }

    /// What is at a path; nil for nothing.
    func facts(_ path: String, follow: Bool) async throws -> FileFacts? {
        do {
            let attributes = try await attributes(follow ? .stat(path) : .lstat(path))
            guard let facts = attributes.facts else {
                throw BackendFailure(.invalid, "the server does not say what kind of file \(path) is")
            }
            return facts
        } catch let status as SFTPStatus {
            if status.errorClass == .notFound { return nil }
            throw status.failure("cannot look at \(path)")
        }
    }

    /// Bytes that this login may still write in the file system of a path; nil where the server does not say.
    func freeSpace(_ path: String) async -> UInt64? {
        guard offers(.statvfs), case .extended(let body)? = try? await call(.statvfs(path)) else { return nil }
        var reader = SFTPFieldReader(body)
        // f_bsize, f_frsize, f_blocks, f_bfree, f_bavail
        guard let values = try? (0..<5).map({ _ in try reader.uint64() }) else { return nil }
        return values[1].multipliedReportingOverflow(by: values[4]).partialValue
    }

    private func refusal(_ reply: SFTPReply) -> any Error {
        if case .status(let status) = reply, status.code != SFTPStatus.ok { return status }
        return unexpected(reply)
    }

    private func unexpected(_ reply: SFTPReply) -> any Error {
        BackendFailure(.unknown, "the server's answer is of the wrong kind")
    }
}
