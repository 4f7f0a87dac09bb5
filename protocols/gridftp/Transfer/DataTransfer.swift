import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// A data connection of this process to a server that listens (PASV, stream mode), and the command that uses it.
final class DataTransfer: Sendable {
    private struct State {
        var reply: Result<FTPReply, any Error>?
        var waiter: CheckedContinuation<Result<FTPReply, any Error>, Never>?
        var link: Link?
        var abandoned = false
        var isDone = false
    }

    private let server: Server
    private let connection: ControlConnection
    /// What was asked for, for reasons.
    let what: String
    private let state = Mutex(State())

    private init(_ server: Server, _ connection: ControlConnection, what: String) {
        self.server = server
        self.connection = connection
        self.what = what
    }

    /// Begins one.
    /// - Parameters:
    ///   - commands: Sent after PASV; the last one moves the data.
    ///   - sends: Data goes to the server.
    static func begin(_ commands: [String], sends: Bool, what: String, at server: Server) async throws -> DataTransfer {
        let connection = try await server.exclusive()
        let transfer = DataTransfer(server, connection, what: what)
        do {
            try await withTaskCancellationHandler {
                try await transfer.open(commands, sends: sends)
            } onCancel: {
                transfer.abandon()
            }
        } catch {
            transfer.abandon()
            if let lost = error as? ControlConnection.Lost { throw lost.failure }
            throw error
        }
        return transfer
    }

    private func open(_ commands: [String], sends: Bool) async throws {
        let address = try await Self.passive(connection, what, at: server.site)
        let preparing = Array(commands.dropLast())
        if !preparing.isEmpty {
            for (command, reply) in zip(preparing, try await connection.perform(preparing)) where reply.code >= 400 {
                throw ReplyTable.failure(reply, "\(what): \(command.prefix(20))")
            }
        }
        let link = try await server.site.data(address, sends: sends)
        let isLate = state.withLock { state in
            state.link = link
            return state.abandoned
        }
        if isLate { link.close() }
        connection.submit([
            .init(commands: [commands[commands.count - 1]], patience: .seconds(86_400), onMark: nil) { [self] result in
                took(result.map { $0[0] })
            }
        ])
    }

    /// The next bytes; nil at the end, which is a good one only if ``finish()`` says so.
    func read() async -> Data? {
        guard let link = state.withLock({ $0.link }) else { return nil }
        return await link.read()
    }

    /// Moves bytes that the server sends into a pipe: as many as are there, and at most so many.
    func move(into pipe: PipeWriter, atMost most: Int) async -> PipedBytes {
        guard let reader = state.withLock({ $0.link })?.reader else { return .none }
        let count = min(await reader.there(), most)
        if count == 0 { return .none }
        switch await pipe.move(count, from: reader) {
        case .all: return .moved(count)
        case .refused: return .refused
        case .stopped(let some, _): return some > 0 ? .moved(some) : .none
        }
    }

    /// The same the other way. False once the server takes no more.
    func write(_ count: Int, from pipe: PipeReader) async -> Bool {
        await state.withLock({ $0.link })?.writer?.move(count, from: pipe) == .all
    }

    /// False once the server takes no more.
    func write(_ data: Data) async -> Bool {
        guard let link = state.withLock({ $0.link }) else { return false }
        return await link.write(data)
    }

    /// All is sent, or read: waits for the server's word.
    func finish(sent: Bool) async throws {
        let link = state.withLock { $0.link }
        if sent { link?.endWriting() }
        let reply: FTPReply
        do { reply = try await answer().get() } catch let lost as ControlConnection.Lost { throw lost.failure }
        link?.close()
        guard reply.isSuccess else { throw await failure(reply, link) }
        state.withLock { $0.isDone = true }
        await server.giveBack(connection)
    }

    /// Ends it without waiting, from any thread.
    func abandon() {
        let link: Link? = state.withLock { state in
            guard !state.isDone else { return nil }
            state.abandoned = true
            return state.link
        }
        guard !state.withLock({ $0.isDone }) else { return }
        link?.close()
        Task { [connection] in await connection.end(limit: .seconds(4)) }
    }

    /// After ``abandon()``: returns once the server has let go, so that nothing that was sent can still arrive.
    func ended() async { _ = await connection.end(limit: .seconds(4)) }

    /// The lines of a listing that comes over a data connection.
    static func lines(of command: String, what: String, at server: Server) async throws -> [Data] {
        let transfer = try await begin([command], sends: false, what: what, at: server)
        return try await withTaskCancellationHandler {
            var text = Data()
            while let data = await transfer.read() {
                text.append(data)
                guard text.count <= FTPReplyParser.longest else {
                    transfer.abandon()
                    throw BackendFailure(
                        .invalid, "\(what): the listing is longer than \(FTPReplyParser.longest) bytes")
                }
            }
            try Task.checkCancellation()
            try await transfer.finish(sent: false)
            // An empty line is part of a name, unless it is what stands behind the last end: globus-gridftp-server writes
            // half of one more after each thousand names.
            var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            if let last = lines.last, last.allSatisfy({ $0 == UInt8(ascii: "\r") }) { lines.removeLast() }
            return lines.map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
        } onCancel: {
            transfer.abandon()
        }
    }

    /// Has the server listen: where data connections to it go, and may go.
    static func passive(
        _ connection: ControlConnection, _ what: String, at site: GridFTPSite
    ) async throws -> Address {
        let peer = connection.peer
        // An address of IPv6 does not fit into 227; what 229 says is a port alone.
        let command = peer?.contains(":") == true ? "EPSV" : "PASV"
        let reply = try await connection.perform(command)
        if command == "EPSV", let peer, let port = extended(reply) { return Address(host: peer, port: port) }
        guard let offered = passive(reply) else { throw ReplyTable.failure(reply, "\(what): \(command)") }
        return try site.nodes.address(offered, peer: peer, proves: site.proxy != nil)
    }

    /// `229 Entering Extended Passive Mode (|||47051|)` (RFC 2428).
    static func extended(_ reply: FTPReply) -> Int? {
        let parts = reply.firstText.split(separator: "|", omittingEmptySubsequences: false)
        guard reply.code == 229, parts.count == 5, let port = Int(parts[3]), (1...65535).contains(port) else {
            return nil
        }
        return port
    }

    /// `227 Entering Passive Mode (127,0,0,1,217,79)`.
    static func passive(_ reply: FTPReply) -> Address? {
        guard reply.code == 227, let fields = fields(reply) else { return nil }
        return Address(host: fields[..<4].map(String.init).joined(separator: "."), port: fields[4] * 256 + fields[5])
    }

    private static func fields(_ reply: FTPReply) -> [Int]? {
        let text = reply.firstText
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close else { return nil }
        let fields = text[text.index(after: open)..<close].split(separator: ",").compactMap { Int($0) }
        guard fields.count == 6, fields.allSatisfy({ (0...255).contains($0) }) else { return nil }
        return fields
    }

    /// A data connection that does not come about is told on both sides; `haul-gsi` knows more than the server says.
    private func failure(_ reply: FTPReply, _ link: Link?) async -> BackendFailure {
        let said = ReplyTable.failure(reply, what)
        let vague = [.unknown, .connect].contains(said.errorClass)
        guard vague, let complaint = await link?.complaint(),
            [.auth, .credentialExpired].contains(complaint.errorClass)
        else { return said }
        return complaint
    }

    private func took(_ result: Result<FTPReply, any Error>) {
        let (waiter, link) = state.withLock { state in
            state.reply = result
            defer { state.waiter = nil }
            return (state.waiter, state.link)
        }
        // Refused: the server opens no data connection any more, and nobody shall wait for its bytes.
        switch result {
        case .success(let reply) where reply.isSuccess: break
        default: link?.close()
        }
        waiter?.resume(returning: result)
    }

    private func answer() async -> Result<FTPReply, any Error> {
        await withCheckedContinuation { continuation in
            let reply = state.withLock { state in
                if state.reply == nil { state.waiter = continuation }
                return state.reply
            }
            if let reply { continuation.resume(returning: reply) }
        }
    }
}
