import CMicroHTTPD
import Foundation
import Synchronization

/// Keeps a socket that the server has finished with open for a moment and drops what its client still sends: closing it
/// with bytes unread resets the connection, and the client loses an answer that it has not read yet (RFC 9112, 9.6).
///
/// One thread polls them while there are any. No source of Dispatch: where a client hangs up at the moment of a
/// cancellation, libdispatch ends the process ("source finalized twice").
enum LingeringClose {
    private struct Held {
        let fd: Int32
        let until: ContinuousClock.Instant
    }

    private struct State {
        /// Those that the thread has not seen yet.
        var new: [Held] = []
        var count = 0
        /// The thread is there.
        var isRunning = false
    }

    /// Sockets at once; past it the rest are closed at once.
    private static let limit = 256
    private static let patience = Duration.seconds(2)
    private static let state = Mutex(State())
    /// Has the thread look at what is new.
    private static let bell: (out: Int32, in: Int32) = {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return (-1, -1) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        return (ends[0], ends[1])
    }()

    /// Takes a duplicate of a socket that its owner will close.
    static func takeOver(_ socket: Int32) {
        guard socket >= 0, state.withLock({ $0.count < limit }) else { return }
        let fd = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard fd >= 0 else { return }
        shutdown(fd, Int32(SHUT_WR))
        let isRunning = state.withLock { state in
            state.new.append(Held(fd: fd, until: .now + patience))
            state.count += 1
            defer { state.isRunning = true }
            return state.isRunning
        }
        if isRunning {
            var ring: UInt8 = 1
            // A full pipe has rung.
            _ = write(bell.in, &ring, 1)
            return
        }
        let thread = Thread { run() }
        thread.name = "haul-linger"
        thread.start()
    }

    private static func run() {
        var held: [Held] = []
        var closed = 0
        while true {
            let isOver = state.withLock { state in
                held += state.new
                state.new = []
                state.count -= closed
                if held.isEmpty { state.isRunning = false }
                return held.isEmpty
            }
            if isOver { return }
            closed = 0
            let ready = wait(held)
            let now = ContinuousClock.now
            held.removeAll { one in
                guard one.until <= now || ready.contains(one.fd) && isDrained(one.fd) else { return false }
                close(one.fd)
                closed += 1
                return true
            }
        }
    }

    /// Waits until one of them has something, the first one's time is over, or another has come.
    private static func wait(_ held: [Held]) -> Set<Int32> {
        var sockets = held.map { pollfd(fd: $0.fd, events: Int16(POLLIN), revents: 0) }
        sockets.append(pollfd(fd: bell.out, events: Int16(POLLIN), revents: 0))
        let left = (held.map(\.until).min() ?? .now) - .now
        guard poll(&sockets, UInt(sockets.count), Int32(max(0, (left / .milliseconds(1)).rounded(.up)))) > 0 else {
            return []
        }
        if sockets.removeLast().revents != 0 {
            var rings = [UInt8](repeating: 0, count: 512)
            _ = read(bell.out, &rings, rings.count)
        }
        return Set(sockets.lazy.filter { $0.revents != 0 }.map(\.fd))
    }

    /// Reads what is there, up to a bound; true when the client is done.
    private static func isDrained(_ fd: Int32) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
            for _ in 0..<16 {
                let got = recv(fd, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                if got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR) { return true }
                if got < 0 { return false }
            }
            return false
        }
    }
}
