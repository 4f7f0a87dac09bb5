import Foundation
import HaulModel
import HaulProtocol

/// What a ``ControlConnection`` waits for and has still to send: decisions alone, nothing is done here.
struct ControlState {
    typealias Finish = ControlConnection.Finish

    /// Something that came, for whoever waits for it; to be told without the lock.
    enum Told {
        case mark(@Sendable (FTPReply) -> Void, FTPReply)
        case end(Finish, [FTPReply])
    }

    private struct Expectation {
        let order: ControlConnection.Order
        var remaining: Int
        var replies: [FTPReply] = []
    }

    /// Commands without a reply that a server is given: globus-gridftp-server answers `500 Pipeline queue full.` to more
    /// (about a hundred).
    private static let window = 64

    private let name: String
    private var expectations = FIFO<Expectation>()
    private var unsent = FIFO<String>()
    private var onTheWay = 0
    private var hadAnswered = false
    /// When something was heard last, or the first command of several was sent.
    private var heard = ContinuousClock.now
    var lost: BackendFailure?
    var isWatched = false
    var watching: Task<Void, Never>?
    var reading: Task<Void, Never>?
    var hasEnded = false
    var spokeNonsense = false
    var peer: String?

    init(name: String, peer: String?) {
        self.name = name
        self.peer = peer
    }

    /// Orders whose replies have not come.
    var waiting: Int { expectations.count }

    var loss: ControlConnection.Lost? { lost.map { .init(failure: $0, hadAnswered: hadAnswered) } }

    mutating func add(_ order: ControlConnection.Order) {
        if expectations.isEmpty { heard = .now }
        expectations.append(Expectation(order: order, remaining: max(1, order.commands.count)))
        for command in order.commands { unsent.append(command) }
    }

    /// What may be sent by now; nil for nothing.
    mutating func release() -> Data? {
        guard lost == nil, onTheWay < Self.window, !unsent.isEmpty else { return nil }
        var text = Data()
        while onTheWay < Self.window, let command = unsent.popFirst() {
            text.append(contentsOf: command.utf8)
            text.append(contentsOf: [13, 10])
            onTheWay += 1
        }
        return text
    }

    /// Takes the replies that are there.
    /// - Returns: Why no more are taken.
    mutating func take(_ parser: inout FTPReplyParser, _ told: inout [Told]) -> BackendFailure? {
        heard = .now
        do {
            while lost == nil {
                parser.takesLines = expectations.first.map { !$0.order.endsInOneLine || $0.remaining > 1 } ?? true
                guard let reply = try parser.next() else { return nil }
                if let failure = take(reply, &told) { return failure }
            }
            // Nobody waits for the rest.
            while try parser.next() != nil {}
            return nil
        } catch {
            spokeNonsense = true
            let line = (error as? FTPReplyParser.Nonsense)?.line ?? Data()
            return BackendFailure(
                .connect, "\(name) does not speak FTP: \"\(EntryName.escaped(line.prefix(200)))\"")
        }
    }

    private mutating func take(_ reply: FTPReply, _ told: inout [Told]) -> BackendFailure? {
        guard let order = expectations.first?.order else {
            // Nobody asked: a server that is about to close says so (421).
            return reply.isMark ? nil : ReplyTable.failure(reply, name, usual: .connect)
        }
        if reply.isMark {
            if let onMark = order.onMark { told.append(.mark(onMark, reply)) }
            return nil
        }
        hadAnswered = true
        onTheWay = max(0, onTheWay - 1)
        var reply = reply
        if !reply.isSuccess { reply.paths = order.commands.compactMap(Self.path) }
        expectations.first?.replies.append(reply)
        expectations.first?.remaining -= 1
        if expectations.first?.remaining == 0, let done = expectations.popFirst() {
            told.append(.end(order.finish, done.replies))
        }
        return reply.code == 421 ? ReplyTable.failure(reply, name, usual: .connect) : nil
    }

    /// Of `ESTO A 5 /a/b`: `/a/b`. All paths that are sent are absolute.
    private static func path(_ command: String) -> String? {
        command.utf8.firstIndex(of: UInt8(ascii: "/")).map { String(command[$0...]) }
    }

    /// Nothing is sent or waited for any more.
    /// - Returns: Those who waited.
    mutating func dropAll() -> [Finish] {
        watching?.cancel()
        _ = unsent.removeAll()
        return expectations.removeAll().map(\.order.finish)
    }

    /// True for whoever is to watch from now on.
    mutating func beginsToWatch() -> Bool {
        guard !isWatched, lost == nil, !expectations.isEmpty else { return false }
        isWatched = true
        return true
    }

    /// How long the server may still say nothing; nil, and not watched any more, where nothing is waited for.
    mutating func remainingPatience() -> (rest: Duration, patience: Duration)? {
        guard let patience = expectations.first?.order.patience else {
            isWatched = false
            watching = nil
            return nil
        }
        return (patience - (ContinuousClock.now - heard), patience)
    }
}
