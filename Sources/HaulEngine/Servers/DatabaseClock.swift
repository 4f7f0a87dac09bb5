import Foundation
public import HaulModel
public import HaulStore
import Synchronization

/// The time that all servers of a database go by: that of its machine. A lease that one of them gave is over for all at
/// the same moment, whatever their own clocks say. Of a database that is a file, it is this machine's clock.
public final class DatabaseClock: Sendable {
    /// What a journey may take in seconds, that is worth something.
    private static let longestJourney = 2.0

    private let own: @Sendable () -> Timestamp
    /// Milliseconds that the database is ahead.
    private let ahead = Atomic<Int>(0)

    /// - Parameter own: this machine's clock.
    public init(own: @escaping @Sendable () -> Timestamp = World.real.now) { self.own = own }

    public func now() -> Timestamp { Timestamp(milliseconds: own().milliseconds + ahead.load(ordering: .relaxed)) }

    /// Asks the database what time it is.
    public func ask(_ store: Store) async throws {
        let asked = own()
        let said = try await store.read { try $0.time() }
        if let said { heed(said, asked: asked, answered: own()) }
    }

    /// It was `said` at some moment between the two: what stands between these bounds already is left as it is, so that
    /// time does not hop about with the journeys.
    func heed(_ said: Timestamp, asked: Timestamp, answered: Timestamp) {
        let journey = answered.milliseconds - asked.milliseconds
        guard journey >= 0, journey <= Int(Self.longestJourney * 1000) else { return }
        let (least, most) = (said.milliseconds - answered.milliseconds, said.milliseconds - asked.milliseconds)
        let old = ahead.load(ordering: .relaxed)
        if old < least || old > most { ahead.store(least + journey / 2, ordering: .relaxed) }
    }
}

/// Asks the database for the time again and again: a clock that is set, or drifts, is followed.
struct ClockKeeper: Duty {
    let engine: Engine
    let name = "clock"
    let period = 5.0
    let bell = Bell()

    func run() async throws -> Bool {
        try await engine.world.clock?.ask(engine.store)
        return false
    }
}
