import HaulProtocol
import Synchronization

/// Lanes that many small files share: one where it has not much to do, up to four where there is more.
final class SharedLanes: Sendable {
    private struct Place {
        var lane: Lane?
        var opening: Task<Lane, any Error>?
        /// Jobs, those that wait for it to open included.
        var load = 0
    }

    private static let most = 4
    /// A lane with so many jobs is worth another one beside it: more than both servers are sent ahead.
    private static let busy = 64

    private let places = Mutex([Place](repeating: Place(), count: most))
    private let open: @Sendable () async throws -> Lane

    init(open: @escaping @Sendable () async throws -> Lane) { self.open = open }

    /// Runs a job on the lane with the least to do.
    /// - Throws: As ``Lane/wait(for:)``.
    func run(_ job: LaneJob) async throws {
        let (index, lane) = places.withLock { places in
            let index = Self.leastBusy(places)
            places[index].load += 1
            return (index, places[index].lane)
        }
        defer { places.withLock { $0[index].load -= 1 } }
        if let lane, lane.load != nil { return try await lane.run(job) }
        try await opened(index).run(job)
    }

    func close() async {
        for lane in places.withLock({ $0.compactMap(\.lane) }) { await lane.close() }
    }

    /// One that is not there yet costs a connection: as good as one with some to do.
    private static func leastBusy(_ places: [Place]) -> Int {
        var best = (index: 0, load: Int.max)
        for (index, place) in places.enumerated() {
            let isOpen = place.lane != nil || place.opening != nil
            let load = place.load + (isOpen ? 0 : busy)
            if load < best.load { best = (index, load) }
        }
        return best.index
    }

    private func opened(_ index: Int) async throws -> Lane {
        let (task, there): (Task<Lane, any Error>?, Lane?) = places.withLock { places in
            if let lane = places[index].lane, lane.load != nil { return (nil, lane) }
            let task = places[index].opening ?? Task { [open] in try await open() }
            places[index].opening = task
            return (task, nil)
        }
        if let there { return there }
        guard let task else { throw Lane.Again() }
        do {
            let lane = try await Abandonable.run { try await task.value }
            places.withLock { places in
                guard places[index].opening == task else { return }
                places[index].opening = nil
                places[index].lane = lane
            }
            return lane
        } catch {
            places.withLock { places in
                if !Task.isCancelled, places[index].opening == task { places[index].opening = nil }
            }
            throw error
        }
    }
}
