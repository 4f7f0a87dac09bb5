public import HaulModel

/// A worker that was asked for of a queue (`GET /queues/NAME/launch`).
public struct LaunchDocument: Sendable, Hashable, Codable {
    /// Counts from 1 in its queue.
    public var number: Int
    /// What the worker is called.
    public var worker: String
    /// `waiting`, `starting`, `running`, `ended`.
    public var state: String
    /// How often it was started.
    public var starts: Int
    /// What a cluster calls it; left out where it is not there.
    public var place: String?
    /// What went wrong last; left out where nothing did.
    public var reason: String?
    /// When it is started again: UTC, milliseconds, `Z`; left out unless it waits for that.
    public var until: String?
    public var asked: String
    public var changed: String

    public init(_ launch: Launch) {
        number = launch.number
        worker = launch.worker
        state = Self.word(launch.phase)
        starts = launch.starts
        place = launch.place
        reason = launch.reason
        until = launch.notBefore?.text
        asked = launch.asked.text
        changed = launch.changed.text
    }

    private static func word(_ phase: Launch.Phase) -> String {
        switch phase {
        case .waiting: "waiting"
        case .starting: "starting"
        case .running: "running"
        case .ended: "ended"
        }
    }
}

extension LaunchDocument: Documented {
    public static let schema = Schema.object(
        "Launch",
        [
            "number": .count, "worker": .text.about("What it is called"),
            "state": .one(of: Launch.Phase.allCases.map(word)), "starts": .count.about("How often it was started"),
            "place?": .text.about("What a cluster calls it"), "reason?": .text.about("What went wrong last"),
            "until?": .time.about("When it is started again"), "asked": .time, "changed": .time,
        ])
}
