import Foundation
import HaulModel
import HaulProtocol

/// Copies between two servers, whose bytes do not pass through this machine: lanes that many small files share, and
/// some that belong to one large file at a time.
actor ThirdParty {
    /// Files up to this size share lanes, and go through them whole.
    static let small = 4 << 20
    /// Bytes of a large file that are asked for at a time. Blocks arrive out of order (extended block mode), so a part
    /// that broke off has holes; but nothing is missing before the piece that was on its way.
    static let piece = 128 << 20

    private static let largeFiles = 4
    private static let usualStreams = 4

    private let source: RemoteSite
    private let target: RemoteSite
    private let attendance = Attendance()
    private let opener: LaneOpener
    private let shared: SharedLanes
    private var idle: [Int: [Lane]] = [:]
    private var running = 0
    private var waiting: [(id: Int, continuation: CheckedContinuation<Void, Never>)] = []
    private var turn = 0
    /// Why nothing goes from one server to the other.
    private var obstacle: BackendFailure?
    /// Files whose servers did not reach each other, since the last that arrived.
    private var unreached = 0
    private static let mostUnreached = 3

    init(_ source: RemoteSite, _ target: RemoteSite) {
        self.source = source
        self.target = target
        let opener = LaneOpener(source, target)
        self.opener = opener
        shared = SharedLanes { try await opener.open(streams: 1) }
    }

    func close() async {
        attendance.close()
        await shared.close()
        for lane in idle.values.flatMap({ $0 }) { await lane.close() }
    }

    nonisolated func mover() -> CopyMover<RemoteEnd, RemoteEnd> {
        .whole("", paces: false, resumes: true) { [self] move in
            defer { move.target.site.lookout.changed(move.target.path) }
            guard try await isThrough(move) else { return nil }
            // What is known of the part is of before; both ends are looked at in the same moment.
            move.target.site.lookout.changed(move.target.path)
            let arrived = move.target.site.lookout.ask(move.target.path, .now)
            let source = try await move.source.site.lookout.ask(move.source.path, .now).value()
            move.target.arrival.saw(try await arrived.value())
            return CopyMoved(source: source?.facts(follow: move.follow))
        }
    }

    /// - Returns: False where the servers do not copy from one to the other: then it goes through the worker.
    private nonisolated func isThrough(_ move: CopyMove<RemoteEnd, RemoteEnd>) async throws -> Bool {
        if let obstacle = await obstacle { return try await declines(move, obstacle) }
        do {
            try await run(move)
            await noteArrival()
            return true
        } catch let none as NoDirectWay {
            await note(none.failure)
            return try await declines(move, none.failure)
        } catch {
            guard let failure = Self.unreached(error) else { throw error }
            // What came of it says that they do.
            let there = try await move.target.site.lookout.ask(move.target.path, .now).value()
            if let size = there?.facts(follow: false).size, size > move.offset { throw error }
            await noteUnreached(failure)
            return try await declines(move, failure)
        }
    }

    /// A server's answer to the transfer itself that it has no connection to the other one; nil for any other failure.
    private static func unreached(_ error: any Error) -> BackendFailure? {
        let failure = (error as? CopyWriteFailure)?.failure ?? error as? BackendFailure
        guard let failure, failure.errorClass == .connect, (400..<600).contains(failure.returncode),
            failure.returncode != 421
        else { return nil }
        return failure
    }

    /// What an earlier attempt, or this one, brought directly has holes, which the worker's own way knows nothing of: in the
    /// pieces that were on their way, or anywhere.
    private nonisolated func declines(
        _ move: CopyMove<RemoteEnd, RemoteEnd>, _ why: BackendFailure
    ) async throws -> Bool {
        move.report.log("the servers do not copy from one to the other (\(why.reason)): through the worker")
        move.target.arrival.unsure = LargeFile.atOnce * Self.piece
        if !LargeFile.hasParts(move) { try await move.target.discard() }
        return false
    }

    private func note(_ failure: BackendFailure) { obstacle = obstacle ?? failure }
    private func noteArrival() { unreached = 0 }

    /// Each that is tried may take as long as the servers wait for each other.
    private func noteUnreached(_ failure: BackendFailure) {
        unreached += 1
        if unreached >= Self.mostUnreached { note(failure) }
    }

    private nonisolated func run(_ move: CopyMove<RemoteEnd, RemoteEnd>) async throws {
        if move.facts.size <= Self.small {
            let ticket = attendance.enter(move.report)
            defer { attendance.leave(ticket) }
            do {
                try await shared.run(LaneJob(whole: move, settles: true))
                return attendance.count(max(1, move.facts.size))
            } catch is Lane.Again {
                // Beside others that fail it would fail with each of them: now alone.
            }
        }
        try await large(move)
    }

    private func large(_ move: CopyMove<RemoteEnd, RemoteEnd>) async throws {
        let ticket = attendance.enter(move.report)
        await admission()
        attendance.leave(ticket)
        defer { leave() }
        try Task.checkCancellation()
        let streams = move.streams ?? Self.usualStreams
        let lane: Lane
        if let kept = idle[streams]?.popLast(), kept.load != nil {
            lane = kept
        } else {
            lane = try await Abandonable.run { [opener] in
                try await opener.open(streams: streams)
            } late: {
                await $0.close()
            }
        }
        do {
            try await LargeFile(move: move, lane: lane) { [attendance] in attendance.count($0) }.run()
        } catch is Lane.Again {
            throw BackendFailure(.interrupted, "\(move.target.shown): the connection between the servers ended")
        } catch {
            // Well or not: nobody knows what of it is still on its way.
            await lane.close()
            throw error
        }
        idle[streams, default: []].append(lane)
    }

    /// Waits until there are not too many large files on their way.
    private func admission() async {
        if running < Self.largeFiles {
            running += 1
            return
        }
        turn += 1
        let id = turn
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiting.append((id, $0)) }
        } onCancel: {
            Task { await self.giveUp(id) }
        }
    }

    private func giveUp(_ id: Int) {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return }
        running += 1
        waiting.remove(at: index).continuation.resume()
    }

    private func leave() {
        if running > Self.largeFiles || waiting.isEmpty {
            running -= 1
        } else {
            waiting.removeFirst().continuation.resume()
        }
    }
}
