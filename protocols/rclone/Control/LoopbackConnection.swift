import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// A connection to a server of this machine, for one request; its calls block on a queue of their own.
final class LoopbackConnection: Sendable {
    private static let queue = BlockingQueue(label: "haul.rclone.connection")

    private let descriptor: Int32
    private let isOpen = Mutex(true)

    /// - Parameter descriptor: A connected socket; closed with this.
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    static func open(port: UInt16) async throws -> LoopbackConnection {
        try await queue.run {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw failure("no socket") }
            let connection = LoopbackConnection(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard status == 0 else { throw failure("rclone does not answer") }
            return connection
        }
    }

    func send(_ data: Data) async throws {
        try await Self.queue.run { [self] in
            try data.withUnsafeBytes { bytes in
                var sent = 0
                while sent < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
                    let count = Foundation.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { throw Self.failure("rclone does not listen any more") }
                    sent += count
                }
            }
        }
    }

    /// What there is, at least a byte; nil at the end.
    func receive(upTo count: Int = 1 << 18) async throws -> Data? {
        try await Self.queue.run { [self] in
            var data = Data(count: count)
            while true {
                let received = data.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
                if received < 0, errno == EINTR { continue }
                guard received >= 0 else { throw Self.failure("rclone broke off") }
                return received == 0 ? nil : data.prefix(received)
            }
        }
    }

    /// Ends it; what waits here comes back.
    func abandon() {
        isOpen.withLock { isOpen in
            if isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
            isOpen = false
        }
    }

    private static func failure(_ what: String) -> BackendFailure {
        BackendFailure(.interrupted, "\(what): \(String(cString: strerror(errno)))")
    }
}
