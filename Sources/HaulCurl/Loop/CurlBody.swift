import CCurl
import Foundation
import HaulModel
import HaulProtocol

/// Where an answer's body goes, no more of it than may come.
struct CurlSink {
    let limit: Int
    /// Bytes that came, those that are too much included.
    private(set) var count = 0
    private(set) var bytes = Data()
    /// Why it takes no more.
    private(set) var failure: String?
    private let keeps: Bool
    private let file: CurlFile?

    /// Takes the bytes and keeps none.
    init(limit: Int = 0) { (self.limit, keeps, file) = (limit, false, nil) }

    init(memory limit: Int) { (self.limit, keeps, file) = (limit, true, nil) }

    init(path: String, limit: Int) {
        (self.limit, keeps) = (limit, false)
        // Private from the start, and there also where nothing comes.
        file = CurlFile(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600))
        if file == nil { failure = "cannot write \(path): \(Self.reason(errno))" }
    }

    mutating func take(_ piece: UnsafeRawBufferPointer) -> Bool {
        count += piece.count
        guard count <= limit else {
            failure = "the answer is longer than \(limit) bytes"
            return false
        }
        if keeps { bytes.append(contentsOf: piece) }
        guard let file else { return true }
        var rest = piece[...]
        while !rest.isEmpty {
            let written = write(file.raw, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                failure = "cannot write: \(Self.reason(errno))"
                return false
            }
            rest = rest.dropFirst(written)
        }
        return true
    }

    static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// A file of this machine as the body of a request.
struct CurlSource {
    private(set) var size = 0
    private(set) var failure: String?
    private var left = 0
    private let file: CurlFile?

    init(path: String) {
        file = CurlFile(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY))
        guard let file else {
            failure = "cannot read \(path): \(CurlSink.reason(errno))"
            return
        }
        var status = stat()
        guard fstat(file.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            failure = "\(path) is no file that can be sent"
            return
        }
        size = Int(status.st_size)
        left = size
    }

    /// - Returns: Bytes; nil where the file does not have what was announced.
    mutating func fill(_ room: UnsafeMutableRawBufferPointer) -> Int? {
        guard let file else { return nil }
        if left == 0 { return 0 }
        let count = read(file.raw, room.baseAddress, min(room.count, left))
        guard count > 0 else {
            failure = count < 0 ? "cannot read: \(CurlSink.reason(errno))" : "the file became shorter as it was sent"
            return nil
        }
        left -= count
        return count
    }

    mutating func go(to offset: Int, _ origin: Int32) -> Bool {
        guard let file, origin == SEEK_SET, lseek(file.raw, off_t(offset), SEEK_SET) == off_t(offset) else {
            return false
        }
        left = max(0, size - offset)
        return true
    }
}

/// An open file; nil for what could not be opened.
private final class CurlFile {
    let raw: Int32

    init?(_ raw: Int32) {
        guard raw >= 0 else { return nil }
        self.raw = raw
    }

    deinit { close(raw) }
}

/// What curl(1) reads from its environment and libcurl does not.
enum CurlSystem {
    static let authorities = ProcessInfo.processInfo.environment["SSL_CERT_FILE"].flatMap { $0.isEmpty ? nil : $0 }
    static let authoritiesFolder = ProcessInfo.processInfo.environment["SSL_CERT_DIR"].flatMap {
        $0.isEmpty ? nil : $0
    }
}
