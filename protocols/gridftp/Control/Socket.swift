import Foundation
import HaulModel
import HaulProtocol

/// Where a server listens.
struct Address: Sendable, Hashable, CustomStringConvertible {
    var host: String
    var port: Int

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A TCP connection of this process.
final class Socket: Sendable {
    let reader: PipeReader
    let writer: PipeWriter
    /// The address at the other end, in figures.
    let peer: String
    private let descriptor: SharedDescriptor

    /// Blocks for as long as the connection takes to be made.
    /// - Parameter loop: Reads and writes there.
    /// - Throws: ``BackendFailure`` (`connect`).
    init(_ address: Address, on loop: EventLoop?, limit: Duration) throws {
        let socket = try Self.connect(address, limit)
        guard let peer = Self.peer(socket) else {
            Foundation.close(socket)
            throw BackendFailure(.connect, "\(address): the connection broke at once")
        }
        let (reading, writing) = (fcntl(socket, F_DUPFD_CLOEXEC, 0), fcntl(socket, F_DUPFD_CLOEXEC, 0))
        guard reading >= 0, writing >= 0 else {
            [reading, writing, socket].filter { $0 >= 0 }.forEach { Foundation.close($0) }
            throw BackendFailure(.backend, "no descriptors are left for a connection")
        }
        self.peer = peer
        reader = PipeReader(descriptor: reading, on: loop)
        writer = PipeWriter(descriptor: writing, on: loop)
        descriptor = SharedDescriptor(socket)
    }

    /// Closes the writing half.
    func endWriting() { descriptor.shut(Int32(SHUT_WR)) }

    func close() {
        descriptor.shut(Int32(SHUT_RDWR))
        reader.close()
        writer.close()
    }

    private static func connect(_ address: Address, _ limit: Duration) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(address.host, "\(address.port)", &hints, &found)
        guard code == 0 else {
            throw BackendFailure(.connect, "\(address): \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(found) }
        var last: Int32 = EHOSTUNREACH
        var next = found
        while let info = next?.pointee {
            next = info.ai_next
            let handle = socket(info.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard handle >= 0 else { continue }
            last = attempt(handle, info, limit)
            if last == 0 {
                var on: Int32 = 1
                let size = socklen_t(MemoryLayout<Int32>.size)
                setsockopt(handle, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
                setsockopt(handle, SOL_SOCKET, SO_KEEPALIVE, &on, size)
                return handle
            }
            Foundation.close(handle)
        }
        throw BackendFailure(.connect, "\(address): \(String(cString: strerror(last)))")
    }

    private static func peer(_ handle: Int32) -> String? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getpeername(handle, address, &size) == 0 else { return EAI_FAIL }
                return getnameinfo(address, size, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            }
        }
        return code == 0 ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }

    /// - Returns: 0, or errno.
    private static func attempt(_ handle: Int32, _ info: addrinfo, _ limit: Duration) -> Int32 {
        _ = fcntl(handle, F_SETFL, fcntl(handle, F_GETFL) | O_NONBLOCK)
        if Foundation.connect(handle, info.ai_addr, info.ai_addrlen) == 0 { return 0 }
        guard errno == EINPROGRESS else { return errno }
        var ready = pollfd(fd: handle, events: Int16(POLLOUT), revents: 0)
        guard poll(&ready, 1, Int32(limit.components.seconds * 1000)) == 1 else { return ETIMEDOUT }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(handle, SOL_SOCKET, SO_ERROR, &code, &size)
        return code
    }
}

/// A descriptor that is closed with its last holder, never while another thread uses it.
private final class SharedDescriptor: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    func shut(_ how: Int32) { shutdown(descriptor, how) }
}
