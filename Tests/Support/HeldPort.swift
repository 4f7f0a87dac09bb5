import Foundation

/// A port of this machine on which nobody listens, and that nobody is given while this is held.
public final class HeldPort: Sendable {
    private let descriptor: Int32

    /// - Throws: where somebody has it.
    public init(_ port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        // Connections of who had it before may rest there.
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard code == 0 else {
            close(descriptor)
            throw NeverHappened(description: "port \(port) is somebody else's: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }
}
