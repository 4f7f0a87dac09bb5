import Foundation
import HaulModel
import HaulProtocol

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
        let socket = try address.connect(limit: limit)
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
}

/// A descriptor that is closed with its last holder, never while another thread uses it.
private final class SharedDescriptor: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    func shut(_ how: Int32) { shutdown(descriptor, how) }
}
