import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// The worker's own disk: the spool that `get` fills and `put` empties. Not synced: what stands in a spool is gone
/// with its batch.
struct LocalPlace: Place {
    let files = BlockingQueue(label: "haul.ssh.files")

    func facts(_ path: String, follow: Bool) async throws -> FileFacts? {
        try await files.run {
            var status = stat()
            if (follow ? stat(path, &status) : lstat(path, &status)) == 0 { return FileFacts(local: status) }
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw BackendFailure.system("cannot look at \(path)")
        }
    }

    func reader(_ path: String, from offset: Int, to end: Int) async throws -> any ChunkReader {
        try await files.run {
            LocalFile(try LocalFile.open(path, O_RDONLY), path: path, offset: offset, end: end, files: files)
        }
    }

    func openPart(_ path: String) async throws -> any PartWriter {
        try await files.run {
            let flags = O_RDWR | O_CREAT | O_NOFOLLOW
            let descriptor: Int32
            do {
                descriptor = try LocalFile.open(path, flags)
            } catch let failure as BackendFailure where failure.errorClass == .permission {
                // A part that was finished has its source's permissions: maybe none to write. No link is followed.
                var status = stat()
                guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, chmod(path, 0o600) == 0 else {
                    throw failure
                }
                descriptor = try LocalFile.open(path, flags)
            }
            return LocalFile(descriptor, path: path, offset: 0, end: 0, files: files)
        }
    }

    func makeParents(of path: String) async throws {
        let parent = ListingPath.parent(path).directory
        try await files.run {
            do {
                try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            } catch {
                throw BackendFailure(.permission, "cannot make the directory \(parent)")
            }
        }
    }

    func publish(_ part: String, as path: String, replace: Bool) async throws {
        try await files.run {
            if replace {
                if rename(part, path) != 0 { throw BackendFailure.system("cannot rename \(part) to \(path)") }
            } else {
                // link(2) takes no name that is there, where rename(2) would.
                if link(part, path) != 0 { throw BackendFailure.system("cannot make \(path)") }
                unlink(part)
            }
        }
    }

    func discard(_ path: String) async throws {
        try await files.run {
            if unlink(path) != 0, errno != ENOENT { throw BackendFailure.system("cannot remove \(path)") }
        }
    }
}

extension FileFacts {
    fileprivate init(local status: stat) {
        self.init(
            kind: ListingEntry(name: "", size: 0, mode: Int(status.st_mode), modified: 0).kind,
            size: Int(status.st_size), modified: status.st_mtim.tv_sec, permissions: Int(status.st_mode) & 0o7777)
    }
}

extension BackendFailure {
    /// What `errno` says of a call that failed just now.
    fileprivate static func system(_ what: String) -> BackendFailure {
        let code = errno
        let errorClass: ErrorClass =
            switch code {
            case ENOENT, ENOTDIR: .notFound
            case EACCES, EPERM, EROFS: .permission
            case EEXIST: .exists
            case ENOSPC, EDQUOT: .noSpace
            case ENAMETOOLONG, EINVAL, ELOOP, EISDIR: .invalid
            default: .unknown
            }
        return BackendFailure(errorClass, "\(what): \(String(cString: strerror(code)))")
    }
}

/// An open local file, read or written in order.
private final class LocalFile: ChunkReader, PartWriter {
    private static let chunk = 1 << 20

    private struct Position {
        var offset: Int
        var descriptor: Int32?
    }

    let existing: Int
    private let path: String
    private let end: Int
    private let files: BlockingQueue
    private let position: Mutex<Position>

    static func open(_ path: String, _ flags: Int32) throws -> Int32 {
        let descriptor = Foundation.open(path, flags | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw BackendFailure.system("cannot open \(path)") }
        return descriptor
    }

    init(_ descriptor: Int32, path: String, offset: Int, end: Int, files: BlockingQueue) {
        var status = stat()
        existing = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
        self.path = path
        self.end = end
        self.files = files
        position = Mutex(Position(offset: offset, descriptor: descriptor))
    }

    deinit { abandon() }

    func next() async throws -> Data? {
        try await files.run { [self] in
            try position.withLock { position in
                guard let descriptor = position.descriptor else { throw CancellationError() }
                let count = min(Self.chunk, end - position.offset)
                if count <= 0 { return nil }
                var data = Data(count: count)
                let got = data.withUnsafeMutableBytes {
                    pread(descriptor, $0.baseAddress, count, off_t(position.offset))
                }
                if got < 0 { throw BackendFailure.system("cannot read \(path)") }
                if got == 0 { throw BackendFailure(.interrupted, "\(path) became shorter while it was read") }
                position.offset += got
                return data.prefix(got)
            }
        }
    }

    func finish() async throws -> FileFacts? {
        defer { abandon() }
        return try await files.run { [self] in
            position.withLock { position in
                var status = stat()
                guard let descriptor = position.descriptor, fstat(descriptor, &status) == 0 else { return nil }
                return FileFacts(local: status)
            }
        }
    }

    func truncate() async throws {
        try await onDescriptor { if ftruncate($0, 0) != 0 { throw BackendFailure.system("cannot empty \(self.path)") } }
    }

    func write(_ data: Data, at offset: Int) async throws {
        try await onDescriptor { descriptor in
            try data.withUnsafeBytes { bytes in
                var written = 0
                while written < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                    let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + written))
                    if count < 0, errno == EINTR { continue }
                    if count < 0 { throw BackendFailure.system("cannot write \(self.path)") }
                    written += count
                }
            }
        }
    }

    func finish(_ source: FileFacts) async throws -> Int {
        defer { abandon() }
        return try await onDescriptor { descriptor in
            if let permissions = source.permissions { fchmod(descriptor, mode_t(permissions & 0o777)) }
            if let modified = source.modified {
                let time = timespec(tv_sec: modified, tv_nsec: 0)
                _ = [time, time].withUnsafeBufferPointer { futimens(descriptor, $0.baseAddress) }
            }
            var status = stat()
            if fstat(descriptor, &status) != 0 { throw BackendFailure.system("cannot look at \(self.path)") }
            return Int(status.st_size)
        }
    }

    func abandon() {
        let descriptor = position.withLock { position in
            defer { position.descriptor = nil }
            return position.descriptor
        }
        if let descriptor { close(descriptor) }
    }

    private func onDescriptor<Value: Sendable>(
        _ work: @escaping @Sendable (Int32) throws -> Value
    ) async throws -> Value {
        try await files.run { [self] in
            // Held for the length of the call, so that the number stays this file's.
            try position.withLock { position in
                guard let descriptor = position.descriptor else { throw CancellationError() }
                return try work(descriptor)
            }
        }
    }
}
