import Foundation
import HaulWire
import Support
import Synchronization
import Testing

@testable import HaulWorker

/// A server of which only reports are wanted.
private final class ReportDesk: WorkerServer {
    let bodies = Mutex<[Data]>([])
    let answer: @Sendable (Int, ResultsRequest) throws(ServerFailure) -> ResultsReply

    init(_ answer: @escaping @Sendable (Int, ResultsRequest) throws(ServerFailure) -> ResultsReply) {
        self.answer = answer
    }

    func results(_ body: Data) async throws(ServerFailure) -> ResultsReply {
        let number = bodies.withLock { bodies in
            bodies.append(body)
            return bodies.count
        }
        guard let request = try? JSONDecoder().decode(ResultsRequest.self, from: body) else { throw .cancelled }
        return try answer(number, request)
    }

    func register(_: WorkerRegistration) async throws(ServerFailure) -> SessionDocument { throw .cancelled }
    func claim(_: ClaimRequest) async throws(ServerFailure) -> [ClaimedJob] { throw .cancelled }
    func heartbeat(_: Heartbeat, timeout: Double) async throws(ServerFailure) -> HeartbeatReply { throw .cancelled }
    func credentials(of _: AttemptKey) async throws(ServerFailure) -> CredentialsReply { throw .cancelled }
    func progress(_: ProgressDocument, of: AttemptKey) async throws(ServerFailure) -> ProgressReply { throw .cancelled }
    func piece(_: Data, at: Int, of: PieceKind, attempt: AttemptKey) async throws(ServerFailure) -> PieceReply {
        throw .cancelled
    }
}

@Suite(.timeLimit(.minutes(5))) struct ReportQueueTests {
    private final class Settled: Sendable {
        let all = Mutex<[String: Int]>([:])
    }

    private static func outcome(_ log: String = "") -> OutcomeDocument {
        OutcomeDocument(returncode: 0, host: "h", log: log, timestamp: "t")
    }

    private static func queue(_ desk: ReportDesk, _ settled: Settled) -> ReportQueue {
        ReportQueue(server: desk, backoff: Backoff(first: 0.001, maximum: 0.01), log: WorkerLog { _ in }) {
            key, status, _ in
            settled.all.withLock { $0[key.id] = status }
        }
    }

    private static func key(_ number: Int) -> AttemptKey {
        AttemptKey(jobID: 1, elementID: number, attempt: 1, token: "t")
    }

    @Test func sendsEachOnceAndAtMostAThousandAtATime() async throws {
        let sizes = Mutex<[Int]>([])
        let desk = ReportDesk { _, request in
            sizes.withLock { $0.append(request.results.count) }
            return ResultsReply(results: request.results.map { _ in .init(status: 200) })
        }
        let settled = Settled()
        let queue = Self.queue(desk, settled)
        for number in 0..<3500 { await queue.add(Self.outcome(), of: Self.key(number)) }
        try await eventually("all are settled") { settled.all.withLock { $0.count } == 3500 }
        #expect(sizes.withLock { $0.allSatisfy { $0 <= 1000 } && $0.reduce(0, +) == 3500 })
        await queue.close()
    }

    /// Texts are cut where hauld takes no more of them: in bytes, and not within a character.
    @Test func cutsWhatIsTooLong() async throws {
        let desk = ReportDesk { _, request in
            ResultsReply(results: request.results.map { _ in .init(status: 200) })
        }
        let settled = Settled()
        let queue = Self.queue(desk, settled)
        let long = "x" + String(repeating: "é€😀", count: 10_000)
        var outcome = OutcomeDocument(returncode: 1, host: long, log: long, timestamp: "t")
        (outcome.reason, outcome.checksum, outcome.errorClass) = (long, long, long)
        await queue.add(outcome, of: Self.key(1))
        try await eventually("it is settled") { settled.all.withLock { $0.count } == 1 }
        let body = try #require(desk.bodies.withLock { $0.first })
        let sent = try #require(try JSONDecoder().decode(ResultsRequest.self, from: body).results.first?.outcome)
        for (text, limit) in [(sent.host, 1024), (sent.reason, 4096), (sent.checksum, 256), (sent.errorClass, 64)] {
            let text = try #require(text)
            #expect(
                (limit - 3...limit).contains(text.utf8.count) && long.unicodeScalars.starts(with: text.unicodeScalars))
        }
        #expect(sent.log == long)
        await queue.close()
    }

    @Test func boundsTheBytesOfAReport() async throws {
        let desk = ReportDesk { _, request in
            ResultsReply(results: request.results.map { _ in .init(status: 200) })
        }
        let settled = Settled()
        let queue = Self.queue(desk, settled)
        let log = String(repeating: "x", count: 1 << 20)
        for number in 0..<20 { await queue.add(Self.outcome(log), of: Self.key(number)) }
        try await eventually("all are settled") { settled.all.withLock { $0.count } == 20 }
        let largest = desk.bodies.withLock { $0.map(\.count).max() } ?? 0
        #expect(largest > 0 && largest < 5 << 20)
        await queue.close()
    }

    /// A server that answers fewer items than it was asked has not taken the rest.
    @Test func repeatsWhatAShortAnswerLeftOut() async throws {
        let desk = ReportDesk { _, request in ResultsReply(results: [.init(status: 200)]) }
        let settled = Settled()
        let queue = Self.queue(desk, settled)
        for number in 0..<5 { await queue.add(Self.outcome(), of: Self.key(number)) }
        try await eventually("all are settled") { settled.all.withLock { $0.count } == 5 }
        await queue.close()
    }

    @Test func sendsNothingOnceClosed() async throws {
        let desk = ReportDesk { _, _ throws(ServerFailure) in throw .unreachable("down") }
        let queue = Self.queue(desk, Settled())
        await queue.add(Self.outcome(), of: Self.key(1))
        try await eventually("it is tried") { desk.bodies.withLock { $0.count } >= 3 }
        await queue.close()
        let tried = desk.bodies.withLock { $0.count }
        await queue.add(Self.outcome(), of: Self.key(2))
        await queue.close()
        #expect(desk.bodies.withLock { $0.count } == tried)
    }
}
