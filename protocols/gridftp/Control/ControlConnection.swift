import Foundation
import HaulModel
import HaulProtocol

/// A control connection (RFC 959): commands go out as they are asked for, many before the first is answered, and each
/// gets the reply that is its turn. What several tasks ask for in the same moment leaves in one write.
actor ControlConnection {
    /// The connection broke, or never was; the failure says why.
    struct Lost: Error {
        let failure: BackendFailure
        /// The server had answered before on this connection: it may have closed it for having been idle.
        let hadAnswered: Bool
    }

    /// Is given the last reply to each command, or why there is none. Called in the order of the replies.
    typealias Finish = @Sendable (Result<[FTPReply], any Error>) -> Void

    /// Commands to be sent without waiting for them.
    struct Order: Sendable {
        var commands: [String]
        /// How long the server may say nothing at all while it is this one's turn; then the connection is given up.
        var patience: Duration
        /// The last reply is one line, or nonsense.
        var endsInOneLine = false
        /// Is told of 1xx replies, in their order with all others.
        var onMark: (@Sendable (FTPReply) -> Void)?
        var finish: Finish
    }

    /// What a command's reply is waited for with.
    private struct Expectation {
        let id: Int
        var remaining: Int
        var replies: [FTPReply] = []
        let commands: [String]
        let endsInOneLine: Bool
        /// Nil once nobody waits any more: the replies still have to come.
        var finish: Finish?
        let patience: Duration
        let onMark: (@Sendable (FTPReply) -> Void)?
    }

    /// `host:port`, for messages.
    nonisolated let name: String
    private let link: Link
    private var expectations: [Int: Expectation] = [:]
    private var first = 0
    private var next = 0
    private var outgoing = Data()
    private var isFlushing = false
    private var hadAnswered = false
    private var lost: BackendFailure?
    /// When something was heard last, or the first command of several was sent.
    private var heard = ContinuousClock.now
    private var watching: Task<Void, Never>?
    private var reading: Task<Void, Never>?
    private var hasEnded = false
    /// What came was no reply.
    private(set) var spokeNonsense = false
    /// The server's address in figures, as it is connected to.
    private(set) var peer: String?

    init(_ link: Link, name: String) {
        self.link = link
        self.name = name
        peer = link.peer
    }

    var isLost: Bool { lost != nil }
    /// Commands whose replies have not come.
    var waiting: Int { next - first }

    /// Begins to listen, and waits for the reply that comes by itself: the greeting. Called once, before all else.
    func greeting(patience: Duration) async throws -> FTPReply {
        let reply = try await expect([], patience, nil)[0]
        // `haul-gsi` knows: `235 authenticated with 192.0.2.1`.
        if peer == nil, reply.code == 235 { peer = reply.firstText.split(separator: " ").last.map(String.init) }
        return reply
    }

    func perform(_ command: String, patience: Duration = .seconds(60)) async throws -> FTPReply {
        try await perform([command], patience: patience)[0]
    }

    /// Sends commands, and returns the last reply to each.
    /// - Parameters:
    ///   - patience: How long the server may say nothing at all while it is this one's turn; then the connection is given up.
    ///   - endsInOneLine: The last command's reply has one line, or ``spokeNonsense``.
    ///   - onMark: Is told of 1xx replies.
    /// - Throws: ``Lost``, or a `CancellationError` as soon as this task is cancelled: the commands are not taken back.
    func perform(
        _ commands: [String], patience: Duration = .seconds(60), endsInOneLine: Bool = false,
        onMark: (@Sendable (FTPReply) -> Void)? = nil
    ) async throws -> [FTPReply] {
        try await expect(commands, patience, onMark, endsInOneLine: endsInOneLine)
    }

    /// Ends it; what waits fails.
    func close() {
        lose(BackendFailure(.interrupted, "the connection to \(name) was closed"))
    }

    /// Ends it in order: returns once the server has closed its side, so that nothing that was sent can still have an
    /// effect.
    /// - Returns: False where that took longer than `limit`.
    func end(limit: Duration) async -> Bool {
        if hasEnded || reading == nil { return true }
        lost = lost ?? BackendFailure(.interrupted, "the connection to \(name) was closed")
        let error = Lost(failure: BackendFailure(.interrupted, "the connection was given up"), hadAnswered: hadAnswered)
        let waiting = expectations.values.sorted { $0.id < $1.id }
        expectations = [:]
        waiting.forEach { $0.finish?(.failure(error)) }
        link.endWriting()
        let deadline = Task {
            try? await Task.sleep(for: limit)
            link.close()
        }
        let began = ContinuousClock.now
        await reading?.value
        deadline.cancel()
        return ContinuousClock.now - began < limit
    }

    /// Sends all of them, in this order; each tells its own end.
    func submit(_ orders: [Order]) {
        for order in orders { add(order) }
    }

    private func add(_ order: Order) {
        if let lost { return order.finish(.failure(Lost(failure: lost, hadAnswered: hadAnswered))) }
        if expectations.isEmpty { heard = .now }
        expectations[next] = Expectation(
            id: next, remaining: max(1, order.commands.count), commands: order.commands,
            endsInOneLine: order.endsInOneLine, finish: order.finish, patience: order.patience,
            onMark: order.onMark)
        next += 1
        for command in order.commands { outgoing.append(contentsOf: (command + "\r\n").utf8) }
        flushSoon()
        watch()
    }

    private func expect(
        _ commands: [String], _ patience: Duration, _ onMark: (@Sendable (FTPReply) -> Void)?,
        endsInOneLine: Bool = false
    ) async throws -> [FTPReply] {
        try Task.checkCancellation()
        let id = next
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                add(
                    Order(
                        commands: commands, patience: patience, endsInOneLine: endsInOneLine, onMark: onMark
                    ) { continuation.resume(with: $0) })
                // Not before somebody waits for what comes first.
                if reading == nil { startReading() }
            }
        } onCancel: {
            Task { await self.abandon(id) }
        }
    }

    private func startReading() {
        reading = Task {
            await read()
            hasEnded = true
        }
    }

    private func abandon(_ id: Int) {
        expectations[id]?.finish?(.failure(CancellationError()))
        expectations[id]?.finish = nil
    }

    /// Lets others add their commands first.
    private func flushSoon() {
        guard !isFlushing else { return }
        isFlushing = true
        Task { flush() }
    }

    private func flush() {
        isFlushing = false
        guard !outgoing.isEmpty, lost == nil else { return }
        link.post(outgoing)
        outgoing = Data()
    }

    private func read() async {
        var parser = FTPReplyParser()
        do {
            while let data = await link.read() {
                heard = .now
                parser.add(data)
                while let reply = try next(&parser) { if lost == nil { take(reply) } }
            }
        } catch let nonsense as FTPReplyParser.Nonsense {
            spokeNonsense = true
            return lose(
                BackendFailure(
                    .connect, "\(name) does not speak FTP: \"\(EntryName.escaped(nonsense.line.prefix(200)))\""))
        } catch {}
        if lost != nil { return }
        let why = await link.complaint() ?? BackendFailure(.connect, "\(name) closed the connection")
        lose(why)
    }

    private func next(_ parser: inout FTPReplyParser) throws -> FTPReply? {
        parser.takesLines = expectations[first].map { !$0.endsInOneLine || $0.remaining > 1 } ?? true
        return try parser.next()
    }

    private func take(_ reply: FTPReply) {
        guard var expectation = expectations[first] else {
            // Nobody asked: a server that is about to close says so (421).
            if !reply.isMark { lose(ReplyTable.failure(reply, "\(name)", usual: .connect)) }
            return
        }
        if reply.isMark {
            expectation.onMark?(reply)
            return
        }
        hadAnswered = true
        var reply = reply
        if !reply.isSuccess { reply.paths = expectation.commands.compactMap(Self.path) }
        expectation.replies.append(reply)
        expectation.remaining -= 1
        if expectation.remaining > 0 {
            expectations[first] = expectation
        } else {
            expectations[first] = nil
            first += 1
            expectation.finish?(.success(expectation.replies))
        }
        if reply.code == 421 { lose(ReplyTable.failure(reply, name, usual: .connect)) }
    }

    /// Of `ESTO A 5 /a/b`: `/a/b`. All paths that are sent are absolute.
    private static func path(_ command: String) -> String? {
        command.utf8.firstIndex(of: UInt8(ascii: "/")).map { String(command[$0...]) }
    }

    private func lose(_ failure: BackendFailure) {
        guard lost == nil else { return }
        lost = failure
        watching?.cancel()
        link.close()
        let error = Lost(failure: failure, hadAnswered: hadAnswered)
        let waiting = expectations.values.sorted { $0.id < $1.id }
        expectations = [:]
        waiting.forEach { $0.finish?(.failure(error)) }
    }

    /// Sees to it that a server that hangs is not waited for without end.
    private func watch() {
        guard watching == nil, lost == nil else { return }
        watching = Task {
            while let (rest, patience) = remainingPatience() {
                guard rest > .zero else {
                    return lose(
                        BackendFailure(.timeout, "\(name) has said nothing for \(patience.components.seconds) s"))
                }
                do { try await Task.sleep(for: rest) } catch { return }
            }
            watching = nil
        }
    }

    private func remainingPatience() -> (rest: Duration, patience: Duration)? {
        guard let patience = expectations[first]?.patience else { return nil }
        return (patience - (ContinuousClock.now - heard), patience)
    }
}
