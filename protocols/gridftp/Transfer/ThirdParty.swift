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

    private static let sharedLanes = 4
    private static let largeFiles = 4
    private static let usualStreams = 4
    /// A lane with so many jobs is worth another one beside it.
    private static let busy = 16
    /// How often what waits says that its time is not over, while others move.
    private static let beat = Duration.seconds(15)

    private let source: RemoteSite
    private let target: RemoteSite
    private var shared: [Lane?] = Array(repeating: nil, count: sharedLanes)
    private var opening: [Task<Lane, any Error>?] = Array(repeating: nil, count: sharedLanes)
    /// Jobs of each, those that wait for it to open included.
    private var loads = Array(repeating: 0, count: sharedLanes)
    private var idle: [Int: [Lane]] = [:]
    private var running = 0
    private var waiting: [(id: Int, continuation: CheckedContinuation<Void, Never>)] = []
    private var turn = 0
    private var waitingReports: [Int: ElementReport] = [:]
    private var beating: Task<Void, Never>?
    /// Bytes of all that this batch has moved, for whoever waits.
    private var moved = 0
    /// `DCAU` for both, once known.
    private var security: Task<(source: String?, target: String?), any Error>?

    init(_ source: RemoteSite, _ target: RemoteSite) {
        self.source = source
        self.target = target
    }

    func close() async {
        beating?.cancel()
        for lane in shared.compactMap({ $0 }) + idle.values.flatMap({ $0 }) { await lane.close() }
    }

    nonisolated func mover() -> CopyMover<RemoteEnd, RemoteEnd> {
        .whole("", paces: false, resumes: true) { [self] move in
            try await run(move)
            return CopyMoved()
        }
    }

    private func run(_ move: CopyMove<RemoteEnd, RemoteEnd>) async throws {
        if move.facts.size <= Self.small {
            let ticket = attend(move.report)
            defer { waitingReports[ticket] = nil }
            let index = leastBusy()
            loads[index] += 1
            defer { loads[index] -= 1 }
            do {
                try await sharedLane(index).run(LaneJob(whole: move))
                moved += max(1, move.facts.size)
                return
            } catch is Lane.Again {
                // Beside others that fail it would fail with each of them: now alone.
            }
        }
        try await large(move)
    }

    /// The lane with the least to do. One that is not there yet costs a connection: as good as one with some to do.
    private func leastBusy() -> Int {
        var best = (index: 0, load: Int.max)
        for index in 0..<Self.sharedLanes {
            let isOpen = shared[index] != nil || opening[index] != nil
            let load = loads[index] + (isOpen ? 0 : Self.busy)
            if load < best.load { best = (index, load) }
        }
        return best.index
    }

    private func sharedLane(_ index: Int) async throws -> Lane {
        if let lane = shared[index], lane.load != nil { return lane }
        let task = opening[index] ?? Task { try await self.open(streams: 1) }
        opening[index] = task
        do {
            let lane = try await Abandonable.run { try await task.value }
            if opening[index] == task {
                opening[index] = nil
                shared[index] = lane
            }
            return lane
        } catch {
            if !Task.isCancelled, opening[index] == task { opening[index] = nil }
            throw error
        }
    }

    private func large(_ move: CopyMove<RemoteEnd, RemoteEnd>) async throws {
        let ticket = attend(move.report)
        await admission()
        waitingReports[ticket] = nil
        defer { leave() }
        try Task.checkCancellation()
        let streams = move.streams ?? Self.usualStreams
        let lane: Lane
        if let kept = idle[streams]?.popLast(), kept.load != nil {
            lane = kept
        } else {
            lane = try await Abandonable.run { [self] in try await open(streams: streams) }
        }
        do {
            try await LargeFile(move: move, lane: lane) { bytes in Task { await self.count(bytes) } }.run()
        } catch is Lane.Again {
            throw BackendFailure(.interrupted, "\(move.target.shown): the connection between the servers ended")
        }
        idle[streams, default: []].append(lane)
    }

    private func count(_ bytes: Int) { moved += bytes }

    /// An element whose turn has not come makes no progress of its own, and must not be taken for one that stands still
    /// while others move.
    private func attend(_ report: ElementReport) -> Int {
        turn += 1
        waitingReports[turn] = report
        if beating == nil {
            beating = Task { [weak self] in
                var last = -1
                var tick = 0
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.beat)
                    guard let self else { return }
                    let now = await self.moved
                    if now != last {
                        // Another figure is what counts as progress; that it is none of bytes shows in that it goes up
                        // and down.
                        tick = 1 - tick
                        for report in await self.waitingReports.values { report.progress(transferred: tick) }
                    }
                    last = now
                }
            }
        }
        return turn
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

    private func open(streams: Int) async throws -> Lane {
        let security = try await protection()
        async let sending = source.server.exclusive()
        async let receiving = target.server.exclusive()
        let (from, to) = try await (sending, receiving)
        do {
            var commands = ["MODE E"] + (security.source.map { [$0] } ?? [])
            if streams > 1 { commands.append("OPTS RETR Parallelism=\(streams),\(streams),\(streams);") }
            try await Self.expect(commands, from, source)
            try await Self.expect(["MODE E"] + (security.target.map { [$0] } ?? []), to, target)
            let place = try await DataTransfer.passive(to, "\(target.server.site.address)", at: target.server.site)
            guard let port = DataNodes.port(place) else {
                throw BackendFailure(
                    .invalid, "\(target.server.site.address) is at \(place): between two servers only IPv4 will do")
            }
            try await Self.expect(["PORT " + port], from, source)
            return Lane(source: from, target: to)
        } catch {
            await from.close()
            await to.close()
            if let lost = error as? ControlConnection.Lost { throw lost.failure }
            throw error
        }
    }

    private static func expect(_ commands: [String], _ connection: ControlConnection, _ site: RemoteSite) async throws {
        for (command, reply) in zip(commands, try await connection.perform(commands)) where !reply.isSuccess {
            throw ReplyTable.failure(reply, "\(site.server.site.address): \(command)")
        }
    }

    /// How the two servers know each other on the data connection. Each has a delegated proxy; of one identity they
    /// know each other by themselves (`DCAU A`, what both begin with), of two each is told whom to expect.
    private func protection() async throws -> (source: String?, target: String?) {
        let task =
            security
            ?? Task { [source = source.server.site, target = target.server.site] in
                let (one, other) = try await (source.identity(), target.identity())
                switch (one, other) {
                case (nil, nil): return (nil, nil)
                case (_?, nil): return ("DCAU N", nil)
                case (nil, _?): return (nil, "DCAU N")
                case (let one?, let other?) where one == other: return (nil, nil)
                case (let one?, let other?): return ("DCAU S \(other)", "DCAU S \(one)")
                }
            }
        security = task
        return try await Abandonable.run { try await task.value }
    }
}
