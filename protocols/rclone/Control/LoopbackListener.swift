import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// A port of this machine at which rclone fetches one file (`GET /SECRET`); whoever else comes is sent away.
final class LoopbackListener: Sendable {
    private static let queue = BlockingQueue(label: "haul.rclone.listener")
    private static let longestRequest = 16 << 10
    /// What rclone asks for comes with its connection.
    private static let patience = 2

    let url: String
    private let descriptor: Int32
    private let secret: String
    private let isOpen = Mutex(true)

    private init(_ descriptor: Int32, _ port: UInt16) {
        self.descriptor = descriptor
        secret = (0..<4).map { _ in String(UInt64.random(in: 0 ... .max), radix: 36) }.joined()
        url = "http://127.0.0.1:\(port)/\(secret)"
    }

    deinit { close(descriptor) }

    static func open() async throws -> LoopbackListener {
        try await queue.run {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw failure("no socket") }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let status = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    guard bind(descriptor, address, length) == 0, listen(descriptor, 8) == 0 else { return Int32(-1) }
                    return getsockname(descriptor, address, &length)
                }
            }
            guard status == 0 else {
                let failed = failure("no port to listen at")
                close(descriptor)
                throw failed
            }
            return LoopbackListener(descriptor, UInt16(bigEndian: address.sin_port))
        }
    }

    /// Waits for who knows the secret.
    func accept() async throws -> LoopbackConnection {
        try await Self.queue.run { [self] in
            while true {
                let taken = Foundation.accept(descriptor, nil, nil)
                if taken < 0, errno == EINTR || errno == ECONNABORTED { continue }
                guard taken >= 0 else { throw Self.failure("rclone does not fetch the file") }
                let connection = LoopbackConnection(taken)
                _ = fcntl(taken, F_SETFD, FD_CLOEXEC)
                if isRight(taken) { return connection }
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

    private func isRight(_ taken: Int32) -> Bool {
        var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
        setsockopt(taken, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var request = Data()
        var piece = [UInt8](repeating: 0, count: 4096)
        while request.range(of: Data("\r\n\r\n".utf8)) == nil {
            let count = recv(taken, &piece, piece.count, 0)
            guard count > 0, request.count < Self.longestRequest else { return false }
            request += piece.prefix(count)
        }
        return request.starts(with: Data("GET /\(secret) HTTP/1.".utf8))
    }

    private static func failure(_ what: String) -> BackendFailure {
        BackendFailure(.interrupted, "\(what): \(String(cString: strerror(errno)))")
    }
}
