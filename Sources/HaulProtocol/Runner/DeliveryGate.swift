/// Lets one event at a time through, first come first served, so that an element's result is the last thing told of
/// it although stdout, stderr and the clock each have something to tell. Used inside of one actor only.
struct DeliveryGate {
    private var busy = false
    private var queue: [CheckedContinuation<Void, Never>] = []

    /// True where the caller may go on at once.
    mutating func enter() -> Bool {
        defer { busy = true }
        return !busy
    }

    mutating func wait(_ continuation: CheckedContinuation<Void, Never>) { queue.append(continuation) }

    mutating func leave() {
        if queue.isEmpty { busy = false } else { queue.removeFirst().resume() }
    }
}
