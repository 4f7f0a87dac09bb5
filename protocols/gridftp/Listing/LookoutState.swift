import Foundation
import HaulProtocol

/// What a ``Lookout`` knows, and who waits for what.
struct LookoutState {
    struct Asker: Sendable {
        let path: RemotePath
        /// The path's last.
        let name: [UInt8]
        let answer: Answer<FactLine?>
    }

    struct Snapshot {
        /// By name, as bytes: Data hashes the first 80 of them alone.
        var entries: [[UInt8]: FactLine]
        /// When it was asked for.
        var time: ContinuousClock.Instant
        /// Names that were changed since.
        var stale: Set<[UInt8]> = []
    }

    struct Known { let fact: FactLine? }

    /// Questions of a directory that are on their way.
    private struct Asking {
        var count = 0
        /// Names that were changed since the first of them began.
        var changed: Set<[UInt8]> = []
    }

    /// How long its size counts for something.
    private static let memory = Duration.seconds(20)
    private static let mostSnapshots = 16
    private static let mostSingles = 1000

    /// How long a listing is believed.
    private let lifetime: Duration
    private var gathering: [RemotePath: [Asker]] = [:]
    private var asking: [RemotePath: Asking] = [:]
    private var snapshots: [RemotePath: Snapshot] = [:]
    /// How many names of a directory were asked for one by one, and since when.
    private var singles: [RemotePath: (count: Int, since: ContinuousClock.Instant)] = [:]

    init(lifetime: Duration) { self.lifetime = lifetime }

    func known(_ name: [UInt8], in directory: RemotePath, _ age: Lookout.Age) -> Known? {
        let oldest: ContinuousClock.Instant
        switch age {
        case .now: return nil
        case .lately: oldest = .now - lifetime
        case .after(let time): oldest = time
        }
        guard let snapshot = snapshots[directory], snapshot.time >= oldest, !snapshot.stale.contains(name) else {
            return nil
        }
        return Known(fact: snapshot.entries[name])
    }

    /// - Returns: True for the first, who is to see to the answers.
    mutating func gather(_ asker: Asker, in directory: RemotePath) -> Bool {
        gathering[directory, default: []].append(asker)
        return gathering[directory]?.count == 1
    }

    func gathered(in directory: RemotePath) -> Int { gathering[directory]?.count ?? 0 }

    /// From here on they are answered, and others gather anew.
    /// - Returns: Those who asked, how many did lately, and how many entries the directory had when it was listed last.
    mutating func begin(_ directory: RemotePath) -> (askers: [Asker], weight: Int, size: Int?) {
        let askers = gathering.removeValue(forKey: directory) ?? []
        asking[directory, default: Asking()].count += 1
        if let since = singles[directory]?.since, since < .now - lifetime { singles[directory] = nil }
        let weight = askers.count + (singles[directory]?.count ?? 0)
        let snapshot = snapshots[directory].flatMap { ContinuousClock.now - $0.time < Self.memory ? $0 : nil }
        return (askers, weight, snapshot?.entries.count)
    }

    /// - Parameter single: Questions that are asked one by one.
    mutating func end(_ directory: RemotePath, single: Int) {
        _ = leave(directory)
        guard single > 0 else { return }
        if singles.count >= Self.mostSingles { singles = [:] }
        singles[directory, default: (0, .now)].count += single
    }

    mutating func end(_ directory: RemotePath, _ snapshot: Snapshot) {
        var snapshot = snapshot
        snapshot.stale = leave(directory)
        singles[directory] = nil
        if snapshots[directory] == nil, snapshots.count >= Self.mostSnapshots,
            let oldest = snapshots.min(by: { $0.value.time < $1.value.time })?.key
        {
            snapshots[oldest] = nil
        }
        snapshots[directory] = snapshot
    }

    mutating func changed(_ name: [UInt8], in directory: RemotePath) {
        snapshots[directory]?.stale.insert(name)
        asking[directory]?.changed.insert(name)
    }

    mutating func forget() {
        snapshots = [:]
        singles = [:]
    }

    private mutating func leave(_ directory: RemotePath) -> Set<[UInt8]> {
        guard var asked = asking.removeValue(forKey: directory) else { return [] }
        asked.count -= 1
        if asked.count > 0 { asking[directory] = asked }
        return asked.changed
    }
}
