import Foundation
import HaulModel

/// Where a server listens.
public struct Address: Sendable, Hashable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) { (self.host, self.port) = (host, port) }

    /// `host`, `host:port` or `[v6]:port`; nil for anything else.
    public init?(_ endpoint: String, standardPort: Int) {
        let text: Substring
        var port: Substring?
        if endpoint.hasPrefix("["), let end = endpoint.firstIndex(of: "]") {
            text = endpoint[endpoint.index(after: endpoint.startIndex)..<end]
            let rest = endpoint[endpoint.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            let parts = endpoint.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, let host = parts.first else { return nil }
            text = host
            port = parts.count == 2 ? parts[1] : nil
        }
        let isHost =
            !text.isEmpty && text.first != "-"
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || ".-_:%".utf8.contains(byte)
            }
        guard isHost, let number = port.map({ Int($0) }) ?? standardPort, (1...65535).contains(number) else {
            return nil
        }
        self.init(host: String(text), port: number)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// A connected TCP socket, which does not block. Blocks itself, for each of the host's addresses as long as `limit`.
    /// - Throws: ``BackendFailure`` (`connect`).
    public func connect(limit: Duration) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, "\(port)", &hints, &found)
        guard code == 0 else { throw BackendFailure(.connect, "\(self): \(String(cString: gai_strerror(code)))") }
        defer { freeaddrinfo(found) }
        var last: Int32 = EHOSTUNREACH
        var next = found
        while let info = next?.pointee {
            next = info.ai_next
            let handle = socket(info.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard handle >= 0 else { continue }
            last = Self.attempt(handle, info, limit)
            if last == 0 {
                var on: Int32 = 1
                let size = socklen_t(MemoryLayout<Int32>.size)
                setsockopt(handle, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
                setsockopt(handle, SOL_SOCKET, SO_KEEPALIVE, &on, size)
                return handle
            }
            close(handle)
        }
        throw BackendFailure(.connect, "\(self): \(String(cString: strerror(last)))")
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
