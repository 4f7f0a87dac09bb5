@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Keeps a socket that the server has finished with open for a moment and drops what its client still sends: closing it
/// with bytes unread resets the connection, and the client loses an answer that it has not read yet (RFC 9112, 9.6).
enum LingeringClose {
    /// Sockets at once; past it the rest are closed at once.
    private static let limit = 256
    private static let patience = DispatchTimeInterval.seconds(2)
    private static let queue = DispatchQueue(label: "haul.http.linger")
    private static let count = Atomic<Int>(0)

    /// Takes a duplicate of a socket that its owner will close.
    static func takeOver(_ socket: Int32) {
        guard socket >= 0 else { return }
        guard count.add(1, ordering: .relaxed).newValue <= limit else {
            count.subtract(1, ordering: .relaxed)
            return
        }
        let fd = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard fd >= 0 else {
            count.subtract(1, ordering: .relaxed)
            return
        }
        shutdown(fd, Int32(SHUT_WR))
        let source = DispatchSource.makeReadSource(fileDescriptor: fd, queue: queue)
        source.setEventHandler {
            if isDrained(fd) { source.cancel() }
        }
        source.setCancelHandler {
            close(fd)
            count.subtract(1, ordering: .relaxed)
        }
        source.activate()
        queue.asyncAfter(deadline: .now() + patience) { source.cancel() }
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
