import CMicroHTTPD
import Foundation

/// The socket that a server listens on, opened here so that each fault gets its own words.
enum ListenSocket {
    static func open(host: String, port: Int) throws(HTTPServerError) -> Int32 {
        guard (0...65535).contains(port) else {
            throw HTTPServerError(kind: .badAddress, message: "port \(port) is not between 0 and 65535")
        }
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &found)
        defer { if found != nil { freeaddrinfo(found) } }
        guard code == 0, let address = found?.pointee else {
            let reason = String(cString: gai_strerror(code))
            throw HTTPServerError(kind: .badAddress, message: "cannot listen on \(host):\(port): \(reason)")
        }
        let fd = socket(address.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw failure(errno, host, port) }
        var on: Int32 = 1
        var off: Int32 = 0
        let size = socklen_t(MemoryLayout<Int32>.size)
        // A restart must not wait for the old connections' TIME_WAIT.
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, size)
        // A client that is gone without a word (a dropped route, a machine that lost power) is found out within a minute,
        // also where nothing is sent to it for long. Connections have this from the socket that they came by.
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, size)
        for (option, value) in [(TCP_KEEPIDLE, 30), (TCP_KEEPINTVL, 10), (TCP_KEEPCNT, 3)] {
            var value = Int32(value)
            setsockopt(fd, Int32(IPPROTO_TCP), option, &value, size)
        }
        if address.ai_family == AF_INET6 { setsockopt(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, size) }
        guard bind(fd, address.ai_addr, address.ai_addrlen) == 0, listen(fd, 4096) == 0,
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0
        else {
            let reason = errno
            close(fd)
            throw failure(reason, host, port)
        }
        return fd
    }

    /// Refuses connections from here on. The number stays taken, by something that is never ready: a thread of
    /// libmicrohttpd may be about to accept from it.
    ///
    /// Not MHD_quiesce_daemon: it takes the socket out of epoll beside the threads, which do so too as soon as they see
    /// its flag, and libmicrohttpd (1.0 too) aborts the process when the second finds it gone.
    static func silence(_ fd: Int32) {
        shutdown(fd, Int32(SHUT_RDWR))
        // Without a port: nothing arrives.
        let silent = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        // Without a descriptor the threads turn round on the socket that was shut down, until the server ends.
        guard silent >= 0 else { return }
        dup2(silent, fd)
        _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
        close(silent)
    }

    /// The port that the kernel gave.
    static func port(of fd: Int32) -> Int {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            let address = base.assumingMemoryBound(to: sockaddr.self)
            guard getsockname(fd, address, &size) == 0 else { return 0 }
            // sin_port and sin6_port stand at the same place: after the family.
            return Int(UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self)))
        }
    }

    /// A numeric address without its port.
    static func name(of address: UnsafePointer<sockaddr>?) -> String {
        guard let address else { return "" }
        let size = Int32(address.pointee.sa_family) == AF_INET6 ? MemoryLayout<sockaddr_in6>.size : 16
        var text = [CChar](repeating: 0, count: 64)
        guard getnameinfo(address, socklen_t(size), &text, 64, nil, 0, NI_NUMERICHOST) == 0 else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Thousands of connections need as many descriptors: the soft limit goes to the hard one.
    /// - Returns: how many the process may have from now on.
    static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return 1024 }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        return Int(clamping: before >= limit.rlim_max || setrlimit(resource, &limit) != 0 ? before : limit.rlim_max)
    }

    private static func failure(_ code: Int32, _ host: String, _ port: Int) -> HTTPServerError {
        let kind: HTTPServerError.Kind =
            switch code {
            case EADDRINUSE: .portInUse
            case EADDRNOTAVAIL, EAFNOSUPPORT: .badAddress
            case EACCES, EPERM: .notPermitted
            default: .system
            }
        let reason = String(cString: strerror(code)).lowercased()
        return HTTPServerError(kind: kind, message: "cannot listen on \(host):\(port): \(reason)")
    }
}
