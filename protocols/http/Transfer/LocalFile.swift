import Foundation
import HaulModel
import HaulProtocol

/// A file of this machine, the other end of a `get` or `put`. All calls block on a queue of their own.
struct LocalFile: Sendable {
    let path: String
    private static let queue = BlockingQueue(label: "haul.http.local")

    /// - Throws: ``BackendFailure`` for a path that is not absolute.
    init(_ path: String) throws {
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw BackendFailure(.invalid, "\(path): the local path of a get or put must be absolute")
        }
        self.path = path
    }

    private init(known path: String) { self.path = path }

    private var parent: String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.utf8.startIndex else { return "/" }
        return String(path[..<slash])
    }

    func sibling(_ name: String) -> LocalFile {
        LocalFile(known: parent == "/" ? "/" + name : parent + "/" + name)
    }

    func facts() async throws -> FileFacts? {
        try await Self.queue.run { [path] in
            var status = stat()
            guard lstat(path, &status) == 0 else {
                if errno == ENOENT || errno == ENOTDIR { return nil }
                throw Self.failure("stat", path)
            }
            let kind = ListingEntry(name: "", size: 0, mode: Int(status.st_mode), modified: 0).kind
            return FileFacts(
                kind: kind, size: Int(status.st_size), modified: Int(status.st_mtim.tv_sec),
                permissions: Int(status.st_mode & 0o777))
        }
    }

    func prepareParent(make: Bool) async throws {
        try await Self.queue.run { [parent] in
            var status = stat()
            if stat(parent, &status) == 0 { return }
            guard make else {
                throw BackendFailure(.notFound, "\(parent), the destination's directory, does not exist")
            }
            do {
                try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            } catch {
                throw BackendFailure(.permission, "\(parent) cannot be made: \(error.localizedDescription)")
            }
        }
    }

    func rename(to target: LocalFile, replace: Bool) async throws {
        try await Self.queue.run { [path] in
            if replace {
                if Foundation.rename(path, target.path) != 0 { throw Self.failure("rename to \(target.path)", path) }
                return
            }
            // A link, unlike a rename, never takes the place of what came in between.
            if link(path, target.path) != 0 { throw Self.failure("rename to \(target.path)", path) }
            unlink(path)
        }
    }

    func remove() async throws {
        try await Self.queue.run { [path] in
            if unlink(path) != 0, errno != ENOENT { throw Self.failure("remove", path) }
        }
    }

    /// Gives it a modification time (seconds since 1970).
    func setModified(_ seconds: Int) async throws {
        try await Self.queue.run { [path] in
            let time = timespec(tv_sec: seconds, tv_nsec: 0)
            if utimensat(AT_FDCWD, path, [time, time], 0) != 0 { throw Self.failure("set the time of", path) }
        }
    }

    /// Opens it for one reader, or for one writer, with what is in it.
    func open(writing: Bool) async throws -> OpenFile {
        try await Self.queue.run { [path] in
            let flags = writing ? O_RDWR | O_CREAT : O_RDONLY
            let descriptor = Foundation.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o644)
            guard descriptor >= 0 else { throw Self.failure("open", path) }
            let file = OpenFile(descriptor: descriptor, path: path)
            // An attempt whose lease ended may still be writing.
            if writing, flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                throw BackendFailure(.busy, "another attempt still writes \(path)")
            }
            return file
        }
    }

    static func failure(_ what: String, _ path: String) -> BackendFailure {
        let code = errno
        let errorClass: ErrorClass =
            switch code {
            case ENOENT, ENOTDIR: .notFound
            case EEXIST: .exists
            case EACCES, EPERM, EROFS: .permission
            case ENOSPC, EDQUOT: .noSpace
            case ELOOP, EISDIR, ENAMETOOLONG, EFBIG, EINVAL: .invalid
            default: .unknown
            }
        return BackendFailure(errorClass, "\(what) \(path): \(String(cString: strerror(code)))", returncode: Int(code))
    }
}

/// An open file of this machine; closed when it is let go.
final class OpenFile: Sendable {
    private static let queue = BlockingQueue(label: "haul.http.file")
    private let descriptor: Int32
    private let path: String

    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// The next piece; nil at the end.
    func read() async throws -> Data? {
        try await Self.queue.run { [self] in
            var data = Data(count: 1 << 18)
            let count = data.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw LocalFile.failure("read", path) }
            return count == 0 ? nil : data.prefix(count)
        }
    }

    /// Bytes that are in it.
    func size() async throws -> Int {
        try await Self.queue.run { [self] in
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw LocalFile.failure("look at", path) }
            return Int(status.st_size)
        }
    }

    /// The bytes of a range, fewer where the file ends in it.
    func bytes(from start: Int, to end: Int) async throws -> Data {
        try await Self.queue.run { [self] in
            var data = Data(count: end - start)
            let count = data.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(start)) }
            guard count >= 0 else { throw LocalFile.failure("read", path) }
            return data.prefix(count)
        }
    }

    /// Ends it after so many bytes; what is written next comes there.
    func cut(at end: Int) async throws {
        try await Self.queue.run { [self] in
            guard ftruncate(descriptor, off_t(end)) == 0, lseek(descriptor, off_t(end), SEEK_SET) >= 0 else {
                throw LocalFile.failure("write", path)
            }
        }
    }

    func write(_ data: Data) async throws {
        try await Self.queue.run { [self] in
            var rest = data
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw LocalFile.failure("write", path) }
                rest = rest.dropFirst(count)
            }
        }
    }
}
