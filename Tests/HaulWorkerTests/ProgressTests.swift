import Foundation
import HaulModel
import HaulProtocol
import HaulWire
import Support
import Synchronization
import Testing

@testable import HaulWorker

/// A server that takes progress, and listings piece by piece.
private final class ProgressDesk: WorkerServer {
    let told = Mutex<[ProgressDocument]>([])
    let isWatched: Bool

    init(isWatched: Bool) { self.isWatched = isWatched }

    var moved: [Int] { told.withLock { $0.map(\.transferred) } }

    func progress(_ progress: ProgressDocument, of _: AttemptKey) async throws(ServerFailure) -> ProgressReply {
        told.withLock { $0.append(progress) }
        return ProgressReply(watched: isWatched)
    }

    func piece(_ data: Data, at offset: Int, of: PieceKind, attempt: AttemptKey) async throws(ServerFailure)
        -> PieceReply
    { .accepted(offset + data.count) }

    func register(_: WorkerRegistration) async throws(ServerFailure) -> SessionDocument { throw .cancelled }
    func claim(_: ClaimRequest) async throws(ServerFailure) -> [ClaimedJob] { throw .cancelled }
    func heartbeat(_: Heartbeat, timeout: Double) async throws(ServerFailure) -> HeartbeatReply { throw .cancelled }
    func credentials(of _: AttemptKey) async throws(ServerFailure) -> CredentialsReply { throw .cancelled }
    func results(_ body: Data) async throws(ServerFailure) -> ResultsReply { throw .cancelled }
}

/// How far an attempt is, and how often that is told.
@Suite(.timeLimit(.minutes(5))) struct ProgressTests {
    private static func progress(_ bytes: Int) -> TransferProgress {
        TransferProgress(transferred: bytes, elapsed: 1, instant: 1, average: 1)
    }

    /// What is told within ten seconds, in milliseconds, when a backend speaks each so many: whoever holds the throttle wakes
    /// when it says that something is due.
    private func told(every milliseconds: Int, isWatched: Bool) -> [Int] {
        var throttle = ProgressThrottle(Pace())
        throttle.isWatched = isWatched
        let start = ContinuousClock.now
        var told: [Int] = []
        for now in 0...10_000 {
            let moment = start + .milliseconds(now)
            if now % milliseconds == 0 { throttle.hold(Self.progress(now), notBefore: moment) }
            if now % milliseconds == 0 || throttle.due.map({ $0 <= moment }) == true,
                throttle.take(at: moment) != nil
            {
                told.append(now)
            }
        }
        return told
    }

    /// However a backend's lines fall: what comes a millisecond too early is told when it is due, not with the next.
    @Test func fourASecondAndMore() {
        for milliseconds in [1, 7, 50, 99, 101, 150, 199, 200, 201, 230] {
            let times = told(every: milliseconds, isWatched: true)
            let pauses = zip(times, times.dropFirst()).map { $1 - $0 }
            #expect(times.first == 0 && pauses.allSatisfy { (200...250).contains($0) }, "\(milliseconds): \(pauses)")
            #expect(told(every: milliseconds, isWatched: false).count <= 11, "\(milliseconds)")
        }
    }

    @Test func theLatestIsTold() {
        var throttle = ProgressThrottle(Pace())
        let start = ContinuousClock.now
        throttle.hold(Self.progress(1), notBefore: start + .milliseconds(200))
        #expect(throttle.take(at: start) == nil && throttle.told == nil)
        throttle.hold(Self.progress(2), notBefore: start + .milliseconds(200))
        #expect(throttle.take(at: start + .milliseconds(200))?.transferred == 2)
        #expect(throttle.due == nil && throttle.take(at: start + .seconds(9)) == nil)
        throttle.hold(Self.progress(3), notBefore: start)
        #expect(throttle.due == start + .milliseconds(1200))
        throttle.isWatched = true
        #expect(throttle.due == start + .milliseconds(400))
        throttle.drop()
        #expect(throttle.take(at: start + .seconds(9)) == nil)
    }

    private func report(_ desk: ProgressDesk, _ pace: Pace) throws -> AttemptReport {
        let assignment = try #require(try Claims.assignments(Claims.job(1, ["/d"], type: .list, to: nil)).first)
        let holder = Holder()
        let post = ProgressPost(server: desk, gone: { _ in }) { _, isWatched in await holder.report?.watch(isWatched) }
        let report = AttemptReport(
            assignment,
            context: ReportContext(
                server: desk, worker: "w", host: "h", pace: pace, post: post, workerLog: WorkerLog { _ in },
                gone: { _ in }))
        holder.keep(report)
        return report
    }

    private final class Holder: Sendable {
        private let kept = Mutex<AttemptReport?>(nil)
        var report: AttemptReport? { kept.withLock { $0 } }
        func keep(_ report: AttemptReport) { kept.withLock { $0 = report } }
    }

    /// While somebody waits nothing stays behind: no tick comes, and no more from the backend.
    @Test func heldBackUntilItIsDue() async throws {
        let desk = ProgressDesk(isWatched: true)
        let report = try report(desk, Pace())
        await report.take(.progress(id: "1.0.1", Self.progress(1)))
        try await eventually("the first") { desk.moved == [1] }
        await report.take(.progress(id: "1.0.1", Self.progress(2)))
        await report.take(.progress(id: "1.0.1", Self.progress(3)))
        try await eventually("the last") { desk.moved.last == 3 }
        _ = await report.finish(ElementResult())
    }

    /// Of a listing its bytes are told, in the end all of them; of one that is through at once nothing.
    @Test func whatWasListed() async throws {
        let names = ["a", "b\"", "c"].map { [ListingEntry(name: $0, kind: .file, size: 5)] }
        let bytes = names.map { ListingLines.data(directory: "/d", entries: $0).count }
        var pace = Pace()
        pace.watchedProgress = 3600
        for isSlow in [false, true] {
            if isSlow { (pace.watchedProgress, pace.progress) = (0, 0) }
            let desk = ProgressDesk(isWatched: false)
            let report = try report(desk, pace)
            for (number, entries) in names.enumerated() {
                await report.take(.entries(id: "1.0.1", directory: "/d", entries))
                guard isSlow else { continue }
                let all = bytes.prefix(number + 1).reduce(0, +)
                try await eventually("\(all) bytes") { desk.moved.last == all }
            }
            let outcome = try #require(await report.finish(ElementResult()))
            #expect(outcome.returncode == 0 && outcome.transferred == bytes.reduce(0, +))
            #expect(desk.moved.count == (isSlow ? 3 : 0))
            #expect(desk.told.withLock { $0.allSatisfy { $0.average > 0 && $0.instant > 0 } })
        }
    }

    /// A backend that counts what it lists in a way of its own has the say.
    @Test func whatABackendCountsItself() async throws {
        var pace = Pace()
        (pace.watchedProgress, pace.progress) = (0, 0)
        let desk = ProgressDesk(isWatched: false)
        let report = try report(desk, pace)
        await report.take(.progress(id: "1.0.1", Self.progress(7)))
        try await eventually("its first") { desk.moved == [7] }
        await report.take(.entries(id: "1.0.1", directory: "/d", []))
        await report.take(.progress(id: "1.0.1", Self.progress(8)))
        try await eventually("its own") { desk.moved.last == 8 }
        #expect(desk.moved == [7, 8])
        #expect(await report.finish(ElementResult(transferred: 8))?.transferred == 8)
    }
}
