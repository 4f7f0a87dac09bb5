import Synchronization

/// The beginning of a body that goes no further: to see what a server makes of one that is cut off. Nothing of it leaves
/// before the server has asked for it (`100 Continue`).
public final class CurlHalt: Sendable {
    /// Bytes that are announced.
    let length: Int
    /// Bytes that are sent; all of them are zeros.
    let sent: Int
    private let left: Mutex<Int>
    private let reached: AsyncStream<Void>
    private let reach: AsyncStream<Void>.Continuation

    public init(sending sent: Int, of length: Int) {
        self.length = length
        self.sent = min(sent, length)
        left = Mutex(self.sent)
        (reached, reach) = AsyncStream.makeStream()
    }

    /// Returns once all that is sent was handed over to the connection; false where ``end()`` was called, or this task
    /// cancelled, before.
    public func wait() async -> Bool {
        for await _ in reached { return true }
        return false
    }

    /// Nobody waits any longer.
    public func end() { reach.finish() }

    /// - Returns: How many of `room` bytes come now; 0: none any more.
    func take(_ room: Int) -> Int {
        let count = left.withLock { left in
            let count = min(room, left)
            left -= count
            return count
        }
        if count == 0 { reach.yield() }
        return count
    }
}
