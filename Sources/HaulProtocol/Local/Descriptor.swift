public import Foundation
import HaulModel

/// An open file or directory, closed when nobody holds it any more.
public final class Descriptor: Sendable {
    public let raw: Int32

    /// - Parameter raw: What an open call returned: below zero, its `errno` is thrown with `what`.
    public init(_ raw: Int32, _ what: @autoclosure () -> String) throws {
        if raw < 0 { throw BackendFailure.system(errno, what()) }
        self.raw = raw
    }

    /// Takes over what is open.
    init(owning raw: Int32) { self.raw = raw }

    deinit { if raw >= 0 { close(raw) } }

    public func status(_ what: String) throws -> stat {
        var status = stat()
        if fstat(raw, &status) != 0 { throw BackendFailure.system(errno, "cannot look at \(what)") }
        return status
    }

    /// Makes what happened in a directory last: an entry is durable when its directory is.
    public func syncDirectory() throws {
        let directory = try Descriptor(
            openat(raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "cannot open the directory")
        // Some network file systems cannot; the entry is theirs to keep then.
        if fsync(directory.raw) != 0, errno != EINVAL, errno != ENOTSUP {
            throw BackendFailure.system(errno, "cannot write the directory")
        }
    }
}

extension FileFacts {
    public init(_ status: stat) {
        self.init(
            kind: ListingEntry(name: "", size: 0, mode: Int(status.st_mode), modified: 0).kind,
            size: Int(status.st_size), modified: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
            permissions: Int(status.st_mode) & 0o777,
            version: "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)")
    }
}
