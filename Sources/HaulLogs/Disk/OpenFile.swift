import CDisk
import Glibc

/// An open file or folder, closed with its last reference. Calls interrupted by a signal go on.
final class OpenFile: Sendable {
    /// How many of so many bytes the disk takes: fewer than are wanted is a full disk. For a test of one.
    typealias Room = @Sendable (_ wanted: Int) -> Int

    private let descriptor: Int32
    private let room: Room?

    /// Nil where there is no such file and `flags` do not create it.
    init?(_ path: String, _ flags: Int32, room: Room? = nil) throws(LogError) {
        self.room = room
        var opened: Int32 = -1
        repeat { opened = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600) } while opened < 0 && errno == EINTR
        if opened < 0 {
            if errno == ENOENT && flags & O_CREAT == 0 { return nil }
            throw LogError.system("open")
        }
        descriptor = opened
    }

    deinit { close(descriptor) }

    func size() throws(LogError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw LogError.system("fstat") }
        return Int(status.st_size)
    }

    /// Bytes that it takes up on its disk.
    var bytesOnDisk: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_blocks) * 512 : 0
    }

    /// Whether it is what a path names.
    func stands(at path: String) -> Bool {
        var own = stat()
        var there = stat()
        return fstat(descriptor, &own) == 0 && lstat(path, &there) == 0 && own.st_ino == there.st_ino
            && own.st_dev == there.st_dev
    }

    /// Locks it until it is closed; false where another has. A file system that knows no locks keeps nobody out.
    func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK }

    /// Up to `count` bytes from `offset`: fewer only at the end of the file.
    func read(at offset: Int, count: Int) throws(LogError) -> [UInt8] {
        var failure: LogError?
        let bytes = [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
            while filled < count {
                guard let start = buffer.baseAddress else { break }
                let got = pread(descriptor, start + filled, count - filled, off_t(offset + filled))
                if got == 0 { break }
                if got > 0 {
                    filled += got
                } else if errno != EINTR {
                    failure = LogError.system("read")
                    break
                }
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes all of `bytes`, or throws with some of them written.
    func write(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(LogError) {
        let taken = room?(bytes.count) ?? bytes.count
        try writeAll(bytes.prefix(taken), at: offset)
        if taken < bytes.count { throw .full }
    }

    private func writeAll(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(LogError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written, off_t(offset + written)
                )
            }
            if count > 0 { written += count } else if count == 0 || errno != EINTR { throw LogError.system("write") }
        }
    }

    /// Writes all of `bytes`, or nothing that stays: what was written of them is cut off again where that is possible.
    func writeWhole(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(LogError) {
        do throws(LogError) {
            try write(bytes, at: offset)
        } catch {
            cut(to: offset)
            throw error
        }
    }

    /// Drops what stands past `length`. A failure is not told: the next writer looks for the end itself.
    func cut(to length: Int) { _ = ftruncate(descriptor, off_t(length)) }

    /// The data and the length of a file are durable after it.
    func syncData() throws(LogError) {
        guard fdatasync(descriptor) == 0 else { throw LogError.failedSync("fdatasync") }
    }

    /// The entries of a folder are durable after it.
    func sync() throws(LogError) {
        guard fsync(descriptor) == 0 else { throw LogError.failedSync("fsync") }
    }

    /// Everything written so far to the whole file system is durable after it.
    func syncFileSystem() throws(LogError) {
        guard haul_syncfs(descriptor) == 0 else { throw LogError.failedSync("syncfs") }
    }
}

extension LogError {
    /// What `errno` says of a call that just failed.
    static func system(_ call: String) -> LogError {
        let number = errno
        switch number {
        case ENOSPC, EDQUOT: return .full
        default: return .io("\(call): \(String(cString: strerror(number)))")
        }
    }

    static func failedSync(_ call: String) -> LogError {
        .fsyncFailed("\(call): \(String(cString: strerror(errno)))")
    }
}
