import Foundation

/// A TCP client of the loopback interface that sends exactly the bytes that it is told to. Its waiting happens on a queue
/// of its own.
public final class RawConnection: Sendable {
    /// Why there is no connection.
    public struct Failure: Error {
        public let reason: String

        public init(reason: String) { self.reason = reason }
    }

    /// The socket.
    public let fd: Int32
    private let queue = DispatchQueue(label: "test.raw")

    /// Connects.
    ///
    /// - Parameter receiveBuffer: bytes that the kernel keeps of what was not read.
    public init(port: Int, receiveBuffer: Int32? = nil) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer { setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // `deinit` closes it: it runs after this error too, as every property has a value.
        guard code == 0 else { throw Failure(reason: String(cString: strerror(errno))) }
    }

    deinit { close(fd) }

    /// Closes with a FIN, or with a reset.
    public func hangUp() { shutdown(fd, Int32(SHUT_RDWR)) }

    /// Sends what the kernel takes; false when the other side has closed.
    @discardableResult
    public func send(_ text: String) async -> Bool { await send(Array(text.utf8)) }

    /// Sends what the kernel takes; false when the other side has closed.
    @discardableResult
    public func send(_ bytes: [UInt8]) async -> Bool {
        await onQueue { fd in
            var sent = 0
            while sent < bytes.count {
                let n = bytes[sent...].withUnsafeBytes {
                    Foundation.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if n <= 0 { return false }
                sent += n
            }
            return true
        }
    }

    /// Reads until the condition holds, the other side closes or the time is up.
    public func read(seconds: Double = 10, until done: @escaping @Sendable (String) -> Bool) async -> String {
        await onQueue { fd in
            var bytes: [UInt8] = []
            let end = ContinuousClock.now + .seconds(seconds)
            var buffer = [UInt8](repeating: 0, count: 65536)
            while ContinuousClock.now < end {
                var poller = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
                guard poll(&poller, 1, 50) > 0 else { continue }
                let n = recv(fd, &buffer, buffer.count, 0)
                if n <= 0 { break }
                bytes += buffer[..<n]
                if done(String(decoding: bytes, as: UTF8.self)) { break }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Everything until the other side closes.
    public func readToEnd(seconds: Double = 10) async -> String { await read(seconds: seconds) { _ in false } }

    /// Whether the other side closes within the time.
    public func closes(seconds: Double = 10) async -> Bool {
        await onQueue { fd in
            let end = ContinuousClock.now + .seconds(seconds)
            var buffer = [UInt8](repeating: 0, count: 65536)
            while ContinuousClock.now < end {
                var poller = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
                guard poll(&poller, 1, 50) > 0 else { continue }
                if recv(fd, &buffer, buffer.count, 0) <= 0 { return true }
            }
            return false
        }
    }

    private func onQueue<T: Sendable>(_ work: @escaping @Sendable (Int32) -> T) async -> T {
        await withCheckedContinuation { continuation in
            queue.async { [self] in continuation.resume(returning: work(fd)) }
        }
    }
}

extension RawConnection {
    /// Sends a few bytes at once, without a queue: for thousands of connections.
    public func sendNow(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Foundation.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Hangs up with a reset, as a machine that lost its client does.
    public func reset() {
        // AF_UNSPEC dissolves the connection (connect(2)); Linux sends a reset.
        var address = sockaddr()
        address.sa_family = sa_family_t(AF_UNSPEC)
        connect(fd, &address, socklen_t(MemoryLayout<sockaddr>.size))
    }
}
