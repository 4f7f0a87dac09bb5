/// Ids of queues and lanes that a writer has seen: a registration need not look for them again. They are never removed,
/// nor given other names. Confined to the connection's queue.
///
/// Whoever takes back a transaction, or a savepoint, has to ``forget()``: what was made in it is gone.
final class WriterMemory {
    struct QueueKey: Hashable {
        var userID: Int
        var name: String
    }

    struct LaneKey: Hashable {
        var userID, queueID, priority, type: Int
        var protocolName: String
        var sourceSiteID, destinationSiteID: Int
    }

    private var queues: [QueueKey: Int] = [:]
    private var lanes: [LaneKey: Int] = [:]
    /// Of either; beyond it all are forgotten.
    private static let limit = 20_000

    subscript(queue: QueueKey) -> Int? {
        get { queues[queue] }
        set {
            if queues.count >= Self.limit { queues = [:] }
            queues[queue] = newValue
        }
    }

    subscript(lane: LaneKey) -> Int? {
        get { lanes[lane] }
        set {
            if lanes.count >= Self.limit { lanes = [:] }
            lanes[lane] = newValue
        }
    }

    func forget() {
        queues.removeAll(keepingCapacity: true)
        lanes.removeAll(keepingCapacity: true)
    }
}
