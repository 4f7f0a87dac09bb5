import Foundation
import Support
import Synchronization

/// A server that answers with exactly the bytes that it was given, right or wrong. Each connection has a thread of
/// its own, as does accepting.
final class CannedServer: Sendable {
    /// What happens once the bytes are out.
    enum After: Sendable { case close, hold, next }

    let port: Int
    let accepted = Counter()
    let requests = Counter()
    private let fd: Int32
    private let open = Mutex<[Int32]>([])
    private let ended = Atomic<Bool>(false)

    /// - Parameter answer: sent after the head of each request; empty sends nothing.
    init(_ answer: [UInt8], _ after: After) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let fd = fd
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, size) == 0 && listen(fd, 100) == 0 && getsockname(fd, $0, &size) == 0
            }
        }
        guard code else { throw RawConnection.Failure(reason: String(cString: strerror(errno))) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread { [self] in
            while !ended.load(ordering: .sequentiallyConsistent) {
                let client = accept(fd, nil, nil)
                guard client >= 0 else { break }
                accepted.add()
                self.open.withLock { $0.append(client) }
                Thread { [self] in serve(client, answer, after) }.start()
            }
        }.start()
    }

    convenience init(_ answer: String, _ after: After) throws { try self.init(Array(answer.utf8), after) }

    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Ends all of it.
    func stop() {
        ended.store(true, ordering: .sequentiallyConsistent)
        shutdown(fd, Int32(SHUT_RDWR))
        for client in open.withLock({ $0 }) { shutdown(client, Int32(SHUT_RDWR)) }
    }

    deinit {
        for client in open.withLock({ $0 }) { close(client) }
        close(fd)
    }

    private func serve(_ client: Int32, _ answer: [UInt8], _ after: After) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let n = recv(client, &buffer, buffer.count, 0)
            guard n > 0 else { return }
            bytes += buffer[..<n]
            guard String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") else { continue }
            bytes = []
            requests.add()
            var sent = 0
            while sent < answer.count {
                let n = answer[sent...].withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard n > 0 else { return }
                sent += n
            }
            if after == .close { shutdown(client, Int32(SHUT_RDWR)) }
        }
    }
}
