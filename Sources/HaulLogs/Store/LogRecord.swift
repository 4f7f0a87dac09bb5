import HaulModel

/// What a numbered file gets a header line for.
struct LogRecord: Sendable {
    enum Content: Sendable {
        case text([UInt8])
        /// The log has a file of its own; the header says which.
        case elsewhere(Attempt.LogPlace)
    }

    var key: AttemptKey
    var worker: String
    var time: Timestamp
    var content: Content

    /// Bytes that wait with it, its header and itself included.
    var cost: Int {
        if case .text(let text) = content { return text.count + 512 }
        return 512
    }
}
