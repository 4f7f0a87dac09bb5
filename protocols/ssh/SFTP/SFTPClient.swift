import Foundation
import HaulProtocol
import Synchronization

/// A pair of byte streams to an SFTP server.
protocol SFTPTransport: Sendable {
    /// At least a byte; nil at the end.
    func read() async -> Data?
    /// Writes later, in order, without waiting: the client's window bounds what piles up.
    func post(_ data: Data)
    /// The same, with nothing of others between the two.
    func post(_ head: Data, _ rest: Data)
    /// The same, of bytes that a pipe has; returns once they have left it, the connection is gone, or the task cancelled.
    func post(_ head: Data, _ count: Int, from pipe: PipeReader) async
    /// Ends both directions; ``read()`` returns nil.
    func close()
    /// Why the connection is gone, told from what the tool said; `reason` is what the client saw.
    func failure(_ reason: String) async -> BackendFailure
}

/// The connection is gone; every request without an answer fails with it.
struct SFTPLoss: Error, Sendable {
    var reason: String
    var transport: any SFTPTransport

    func failure() async -> BackendFailure { await transport.failure(reason) }
}

/// A request that was sent: its answer is to be received, or forgotten, once.
struct SFTPTicket: Sendable, Hashable { fileprivate(set) var id: UInt32 }

/// Many requests in flight over one connection to an SFTP server. Safe to use from any task.
final class SFTPClient: Sendable {
    private enum Slot {
        case sent
        case waiting(CheckedContinuation<SFTPReply, any Error>)
        case arrived(SFTPReply)
        /// Nobody wants the answer; should it be a handle, it is closed.
        case forgotten
    }

    private struct State {
        var nextID: UInt32 = 1
        var slots: [UInt32: Slot] = [:]
        var inFlight = 0
        var room: [(id: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
        var nextRoom: UInt64 = 0
        var extensions: Set<SFTPExtension> = []
        var limits = SFTPLimits()
        var loss: SFTPLoss?
    }

    /// The most requests without an answer on one connection; more wait their turn.
    static let window = 512

    private let transport: any SFTPTransport
    private let state = Mutex(State())

    init(_ transport: any SFTPTransport) { self.transport = transport }

    /// Says hello, learns what the server offers, and starts to take answers.
    /// - Throws: ``SFTPLoss``.
    func start() async throws {
        transport.post(SFTPRequest.hello)
        var framing = SFTPFraming()
        do {
            var packet: Data?
            while packet == nil {
                guard let data = await transport.read() else { throw SFTPViolation("the connection closed") }
                framing.append(data)
                packet = try framing.next()
            }
            let extensions = try packet.map(SFTPReply.decodeHello) ?? []
            state.withLock { $0.extensions = extensions }
        } catch {
            end("no SFTP server answered: \(error)")
            throw lost
        }
        let started = framing
        Task(executorPreference: EventLoop.shared) { await self.takeAnswers(started) }
        if offers(.limits), case .extended(let body) = try await call(.limits) {
            let limits = try? SFTPLimits(body)
            state.withLock { $0.limits = limits ?? $0.limits }
        }
    }

    var limits: SFTPLimits { state.withLock { $0.limits } }

    func offers(_ name: SFTPExtension) -> Bool { state.withLock { $0.extensions.contains(name) } }

    var isLost: Bool { state.withLock { $0.loss != nil } }

    /// Ends the connection.
    func close() { end("the connection was closed") }

    /// Sends a request and waits for its answer.
    /// - Throws: ``SFTPLoss``, `CancellationError`.
    func call(_ request: SFTPRequest) async throws -> SFTPReply { try await receive(try await send(request)) }

    /// Sends a request, once the window has room for it.
    func send(_ request: SFTPRequest) async throws -> SFTPTicket {
        while true {
            try Task.checkCancellation()
            if let ticket = try post(request, limit: Self.window) { return ticket }
            await waitForRoom()
        }
    }

    /// Sends a WRITE of bytes that a pipe has, which do not pass through this process.
    func write(_ handle: Data, offset: Int, _ count: Int, from pipe: PipeReader) async throws -> SFTPTicket {
        while true {
            try Task.checkCancellation()
            if let id = try claim(limit: Self.window) {
                let request = SFTPRequest.writeAhead(handle, offset: UInt64(offset), count: count)
                await transport.post(request.packet(id: id).head, count, from: pipe)
                return SFTPTicket(id: id)
            }
            await waitForRoom()
        }
    }

    /// Waits for an answer. Cancelling the task ends the wait at once.
    func receive(_ ticket: SFTPTicket) async throws -> SFTPReply {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<SFTPReply, any Error>? = state.withLock { state in
                    switch state.slots[ticket.id] {
                    case .sent:
                        state.slots[ticket.id] = .waiting(continuation)
                        return nil
                    case .arrived(let reply):
                        state.slots[ticket.id] = nil
                        return .success(reply)
                    case .forgotten: return .failure(CancellationError())
                    case .waiting, nil: return .failure(state.loss ?? CancellationError() as any Error)
                    }
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            forget(ticket)
        }
    }

    /// Gives an answer up.
    func forget(_ ticket: SFTPTicket) {
        let (waiter, handle): (CheckedContinuation<SFTPReply, any Error>?, Data?) = state.withLock { state in
            switch state.slots[ticket.id] {
            case .sent:
                state.slots[ticket.id] = .forgotten
                return (nil, nil)
            case .waiting(let waiter):
                state.slots[ticket.id] = .forgotten
                return (waiter, nil)
            case .arrived(let reply):
                state.slots[ticket.id] = nil
                if case .handle(let handle) = reply { return (nil, handle) }
                return (nil, nil)
            case .forgotten, nil: return (nil, nil)
            }
        }
        waiter?.resume(throwing: CancellationError())
        if let handle { closeLater(handle) }
    }

    /// Closes a handle without waiting for the answer; also after a cancellation.
    func closeLater(_ handle: Data) {
        // Past the window: a handle left open would be the server's loss for the whole connection.
        if let ticket = try? post(.close(handle), limit: .max) { forget(ticket) }
    }

    private var lost: SFTPLoss {
        state.withLock { $0.loss } ?? SFTPLoss(reason: "the connection is gone", transport: transport)
    }

    /// Nil where there is no room.
    private func post(_ request: SFTPRequest, limit: Int) throws -> SFTPTicket? {
        guard let id = try claim(limit: limit) else { return nil }
        let packet = request.packet(id: id)
        if let content = packet.content { transport.post(packet.head, content) } else { transport.post(packet.head) }
        return SFTPTicket(id: id)
    }

    /// The number of a request that is sent now.
    private func claim(limit: Int) throws -> UInt32? {
        try state.withLock { state in
            if let loss = state.loss { throw loss }
            guard state.inFlight < limit else { return nil }
            repeat { state.nextID &+= 1 } while state.slots[state.nextID] != nil
            state.slots[state.nextID] = .sent
            state.inFlight += 1
            return state.nextID
        }
    }

    private func waitForRoom() async {
        let id = state.withLock { state in
            state.nextRoom += 1
            return state.nextRoom
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard state.inFlight >= Self.window, state.loss == nil, !Task.isCancelled else { return false }
                    state.room.append((id, continuation))
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                state.room.firstIndex { $0.id == id }.map { state.room.remove(at: $0).continuation }
            }?.resume()
        }
    }

    private func takeAnswers(_ framing: SFTPFraming) async {
        var framing = framing
        do {
            while true {
                while let packet = try framing.next() { try take(packet) }
                guard let data = await transport.read() else { return end("the connection closed") }
                framing.append(data)
            }
        } catch {
            end("the server broke the SFTP protocol: \(error)")
        }
    }

    private func take(_ packet: Data) throws {
        let (id, reply) = try SFTPReply.decode(packet)
        enum Next { case nothing, resume(CheckedContinuation<SFTPReply, any Error>), close(Data) }
        let (next, room): (Next, CheckedContinuation<Void, Never>?) = try state.withLock { state in
            var next = Next.nothing
            switch state.slots[id] {
            case .sent: state.slots[id] = .arrived(reply)
            case .waiting(let waiter):
                state.slots[id] = nil
                next = .resume(waiter)
            case .forgotten:
                state.slots[id] = nil
                if case .handle(let handle) = reply { next = .close(handle) }
            case .arrived: throw SFTPViolation("a second answer to request \(id)")
            case nil: throw SFTPViolation("an answer to request \(id), which was never sent")
            }
            state.inFlight -= 1
            return (next, state.room.isEmpty ? nil : state.room.removeFirst().continuation)
        }
        room?.resume()
        switch next {
        case .nothing: break
        case .resume(let waiter): waiter.resume(returning: reply)
        case .close(let handle): closeLater(handle)
        }
    }

    private func end(_ reason: String) {
        let loss = SFTPLoss(reason: reason, transport: transport)
        let (waiters, room) = state.withLock { state in
            guard state.loss == nil else { return ([CheckedContinuation<SFTPReply, any Error>](), state.room) }
            state.loss = loss
            let waiters = state.slots.values.compactMap { if case .waiting(let waiter) = $0 { waiter } else { nil } }
            // What arrived in time is still there for who comes for it.
            state.slots = state.slots.filter { if case .arrived = $0.value { true } else { false } }
            state.inFlight = 0
            defer { state.room = [] }
            return (waiters, state.room)
        }
        transport.close()
        waiters.forEach { $0.resume(throwing: loss) }
        room.forEach { $0.continuation.resume() }
    }
}
