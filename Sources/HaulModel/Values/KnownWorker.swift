/// A worker as it was last heard of.
public struct KnownWorker: Sendable, Hashable {
    public var record: WorkerRecord
    /// One-minute load average of its machine.
    public var load: Double?
    public var seen: Timestamp
    /// Since when it gets no more work.
    public var drained: Timestamp?
    /// Nil while it has none.
    public var session: Int?
    /// Elements that it holds.
    public var holding: Int

    public init(
        record: WorkerRecord, load: Double?, seen: Timestamp, drained: Timestamp?, session: Int?, holding: Int
    ) {
        self.record = record
        self.load = load
        self.seen = seen
        self.drained = drained
        self.session = session
        self.holding = holding
    }
}
