import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// A control connection (RFC 959): commands go out as they are asked for, many before the first is answered, and each
/// gets the reply that is its turn. What several tasks ask for in the same moment leaves in one write, and while there
/// is much to come, replies are worked off in bulk.
final class ControlConnection: Sendable {
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

    /// More replies than these are not read one by one.
    private static let few = 4

    /// `host:port`, for messages.
    let name: String
    private let link: Link
    private let state: Mutex<ControlState>

    init(_ link: Link, name: String) {
        self.link = link
        self.name = name
        state = Mutex(ControlState(name: name, peer: link.peer))
    }

    var isLost: Bool { state.withLock { $0.lost != nil } }
    /// Commands whose replies have not come.
    var waiting: Int { state.withLock { $0.waiting } }
    /// What came was no reply.
    var spokeNonsense: Bool { state.withLock { $0.spokeNonsense } }
    /// The server's address in figures, as it is connected to.
    var peer: String? { state.withLock { $0.peer } }

    /// Begins to listen, and waits for the reply that comes by itself: the greeting. Called once, before all else.
    func greeting(patience: Duration) async throws -> FTPReply {
        let answer = Answer<[FTPReply]>()
        submit([Order(commands: [], patience: patience) { answer.resume($0) }])
        let reading = Task(executorPreference: EventLoop.shared) { await self.read() }
        state.withLock { $0.reading = reading }
        let reply = try await answer.value()[0]
        // `haul-gsi` knows: `235 authenticated with 192.0.2.1`.
        state.withLock { state in
            guard state.peer == nil, reply.code == 235 else { return }
            state.peer = reply.firstText.split(separator: " ").last.map(String.init)
        }
        return reply
    }

    func perform(_ command: String, patience: Duration = .seconds(60)) async throws -> FTPReply {
        try await perform([command], patience: patience)[0]
    }

    /// Sends commands, and returns the last reply to each.
    /// - Parameters:
    ///   - patience: How long the server may say nothing at all while it is this one's turn; then the connection is given up.
    ///   - endsInOneLine: The last command's reply has one line, or ``spokeNonsense``.
    ///   - onMark: Is told of 1xx replies, in their order with all others.
    /// - Throws: ``Lost``, or a `CancellationError` as soon as this task is cancelled: the commands are not taken back.
    func perform(
        _ commands: [String], patience: Duration = .seconds(60), endsInOneLine: Bool = false,
        onMark: (@Sendable (FTPReply) -> Void)? = nil
    ) async throws -> [FTPReply] {
        try Task.checkCancellation()
        let answer = Answer<[FTPReply]>()
        var order = Order(commands: commands, patience: patience, endsInOneLine: endsInOneLine) { answer.resume($0) }
        order.onMark = onMark
        submit([order])
        return try await answer.value()
    }

    /// Sends all of them, in this order; each tells its own end.
    func submit(_ orders: [Order]) {
        let (lost, begins) = state.withLock { state in
            if let lost = state.loss { return (lost as Lost?, false) }
            orders.forEach { state.add($0) }
            // Under the lock: what is posted first is what is waited for first.
            if let text = state.release() { link.post(text) }
            return (nil, state.beginsToWatch())
        }
        if let lost { return orders.forEach { $0.finish(.failure(lost)) } }
        if begins { watch() }
    }

    /// Ends it; what waits fails.
    func close() {
        lose(BackendFailure(.interrupted, "the connection to \(name) was closed"))
    }

    /// Ends it in order: returns once the server has closed its side, so that nothing that was sent can still have an
    /// effect.
    /// - Returns: False where that took longer than `limit`.
    func end(limit: Duration) async -> Bool {
        let failure = BackendFailure(.interrupted, "the connection to \(name) was closed")
        let (reading, lost, ended): (Task<Void, Never>?, Lost?, [Finish]) = state.withLock { state in
            guard !state.hasEnded, let reading = state.reading else { return (nil, nil, []) }
            if state.lost == nil { state.lost = failure }
            return (reading, state.loss, state.dropAll())
        }
        guard let reading, let lost else { return true }
        let given = Lost(
            failure: BackendFailure(.interrupted, "the connection was given up"), hadAnswered: lost.hadAnswered)
        ended.forEach { $0(.failure(given)) }
        link.endWriting()
        let deadline = Task {
            try? await Task.sleep(for: limit)
            link.close()
        }
        let began = ContinuousClock.now
        await reading.value
        deadline.cancel()
        return ContinuousClock.now - began < limit
    }

    private func read() async {
        var parser = FTPReplyParser()
        defer { state.withLock { $0.hasEnded = true } }
        while let data = await link.read() {
            parser.add(data)
            if let failure = take(&parser) { lose(failure) }
            // Each reply that is read by itself costs a wakeup. In a moment there are more.
            if waiting > Self.few { await Beat.shared.next() }
        }
        if isLost { return }
        lose(await link.complaint() ?? BackendFailure(.connect, "\(name) closed the connection"))
    }

    /// Works off what has come.
    /// - Returns: Why the connection is not to be used any more.
    private func take(_ parser: inout FTPReplyParser) -> BackendFailure? {
        var told: [ControlState.Told] = []
        let failure = state.withLock { state in
            let failure = state.take(&parser, &told)
            if let text = state.release() { link.post(text) }
            return failure
        }
        for one in told {
            switch one {
            case .mark(let body, let reply): body(reply)
            case .end(let finish, let replies): finish(.success(replies))
            }
        }
        return failure
    }

    private func lose(_ failure: BackendFailure) {
        let (lost, ended): (Lost?, [Finish]) = state.withLock { state in
            guard state.lost == nil else { return (nil, []) }
            state.lost = failure
            return (state.loss, state.dropAll())
        }
        guard let lost else { return }
        link.close()
        ended.forEach { $0(.failure(lost)) }
    }

    /// Sees to it that a server that hangs is not waited for without end.
    private func watch() {
        let watching = Task {
            while let (rest, patience) = state.withLock({ $0.remainingPatience() }) {
                guard rest > .zero else {
                    return lose(
                        BackendFailure(.timeout, "\(name) has said nothing for \(patience.components.seconds) s"))
                }
                // What is waited for by then may have less.
                do { try await Task.sleep(for: min(rest, .seconds(1))) } catch { return }
            }
        }
        let isLate = state.withLock { state in
            if state.isWatched { state.watching = watching }
            return state.lost != nil
        }
        if isLate { watching.cancel() }
    }
}
