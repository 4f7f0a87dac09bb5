public import HaulModel

/// A log that came whole with its attempt's report.
public struct FinishedLog: Sendable, Hashable {
    public var key: AttemptKey
    /// The worker's name; what cannot stand in a header line is replaced.
    public var worker: String
    public var time: Timestamp
    /// Kept byte for byte, whatever they are.
    public var text: [UInt8]

    public init(key: AttemptKey, worker: String, time: Timestamp, text: [UInt8]) {
        self.key = key
        self.worker = worker
        self.time = time
        self.text = text
    }
}
