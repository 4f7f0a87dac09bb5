import Synchronization

/// Wakes claims that are parked until there is work: the one that waits longest first, and the next only while
/// something is left, so that a registration wakes one worker and not a thousand.
///
/// Who was woken looks for work and then passes the bell on. Of what rings meanwhile nothing is missed: a claim
/// remembers the ring that it has heard before it looked.
final class WorkBell: Sendable {
    private struct Waiter {
        var ticket: Int
        var heard: Int
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var rings = 0
        var next = 0
        /// Woken, and not yet passed on.
        var awake = 0
        /// Woken since the beginning.
        var wakes = 0
        /// In the order of their coming, which is that of what they have heard.
        var waiters: [Waiter] = []
        /// Waits that have begun and are not parked yet: the timer may be faster.
        var coming: Set<Int> = []
        /// Nobody parks any more.
        var isClosed = false

        /// Takes those that are to be woken now.
        mutating func wake(_ count: Int, of most: Int) -> [Waiter] {
            var woken: [Waiter] = []
            while woken.count < count, awake < most, let first = waiters.first, first.heard < rings {
                woken.append(waiters.removeFirst())
                awake += 1
                wakes += 1
            }
            return woken
        }
    }

    /// Claims that look at the same time.
    private let width: Int
    private let state = Mutex(State())

    init(width: Int = 8) { self.width = width }

    /// The server is about to end: nobody parks any more.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Sends away whoever waits, and whoever comes.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: false) }
    }

    /// How often it rang until now.
    var rings: Int { state.withLock { $0.rings } }

    /// Claims that are parked.
    var parked: Int { state.withLock { $0.waiters.count } }

    /// How often a claim was woken until now.
    var wakes: Int { state.withLock { $0.wakes } }

    /// There is work.
    func ring() {
        let woken = state.withLock { state in
            state.rings += 1
            return state.wake(1, of: width)
        }
        for waiter in woken { waiter.continuation.resume(returning: true) }
    }

    /// A woken claim has looked.
    ///
    /// - Parameters:
    ///   - heard: the rings before it looked.
    ///   - hasMore: something is left: others shall look too.
    func pass(heard: Int, hasMore: Bool) {
        let woken = state.withLock { state in
            state.awake -= 1
            // Two for one: where there is much, all are awake soon.
            return hasMore || state.rings > heard ? state.wake(2, of: width) : []
        }
        for waiter in woken { waiter.continuation.resume(returning: true) }
    }

    /// Waits until it is this claim's turn after a ring that it has not heard, for at most `seconds`, or until the task
    /// is cancelled.
    ///
    /// - Returns: true when it was woken: it shall look, and then ``pass(heard:hasMore:)``.
    func wait(after heard: Int, seconds: Double) async -> Bool {
        let ticket = state.withLock { state in
            state.next += 1
            state.coming.insert(state.next)
            return state.next
        }
        let timer = Task { [self] in
            // Cancelled as soon as it is woken.
            if (try? await Task.sleep(for: .seconds(seconds))) != nil { release(ticket) }
        }
        let isWoken = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    guard state.coming.remove(ticket) != nil, !Task.isCancelled, !state.isClosed else { return false }
                    guard state.rings == heard else {
                        state.awake += 1
                        return true
                    }
                    state.waiters.append(Waiter(ticket: ticket, heard: heard, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            release(ticket)
        }
        timer.cancel()
        return isWoken
    }

    private func release(_ ticket: Int) {
        let waiter = state.withLock { state -> Waiter? in
            state.coming.remove(ticket)
            return state.waiters.firstIndex { $0.ticket == ticket }.map { state.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: false)
    }
}
