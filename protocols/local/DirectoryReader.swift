import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// Reads one directory, a chunk of entries at a time.
final class DirectoryReader: Sendable {
    /// A part of a directory.
    struct Chunk: Sendable {
        var entries: [ListingEntry] = []
        var isLast = false
    }

    let descriptor: Descriptor
    /// Which directory this is, however it is called.
    let identity: Identity
    /// Unsafe in the compiler's eyes only: the lock guards it, one chunk is read at a time.
    nonisolated(unsafe) private let stream: OpaquePointer
    private let lock = Mutex(())

    struct Identity: Hashable, Sendable {
        var device: UInt
        var inode: UInt
    }

    init(_ descriptor: Descriptor, shown: String) throws {
        self.descriptor = descriptor
        let status = try descriptor.status(shown)
        identity = Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
        // The stream closes its descriptor, so it gets one of its own.
        let own = fcntl(descriptor.raw, F_DUPFD_CLOEXEC, 3)
        guard own >= 0, let stream = fdopendir(own) else {
            let code = errno
            if own >= 0 { close(own) }
            throw BackendFailure.system(code, "cannot read \(shown)")
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    func next(_ shown: String) throws -> Chunk {
        try lock.withLock { _ in
            var chunk = Chunk()
            while chunk.entries.count < BackendLine.mostEntries {
                errno = 0
                guard let entry = readdir(stream) else {
                    if errno != 0 { throw BackendFailure.system(errno, "cannot read \(shown)") }
                    chunk.isLast = true
                    break
                }
                try add(entry, to: &chunk, shown)
            }
            return chunk
        }
    }

    private func add(_ entry: UnsafeMutablePointer<dirent>, to chunk: inout Chunk, _ shown: String) throws {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return }
        let name = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
        let bytes = UnsafeRawBufferPointer(start: name, count: strlen(name))
        if bytes.elementsEqual(".".utf8) || bytes.elementsEqual("..".utf8) { return }
        var status = stat()
        if fstatat(descriptor.raw, name, &status, AT_SYMLINK_NOFOLLOW) != 0 {
            if errno == ENOENT { return }  // gone since
            throw BackendFailure.system(errno, "cannot look at an entry of \(shown)")
        }
        chunk.entries.append(ListingEntry(name: try EntryName.text(bytes, in: shown), status))
    }
}

extension ListingEntry {
    init(name: String, _ status: stat) {
        self.init(
            name: name, size: Int(status.st_size), mode: Int(status.st_mode), modified: status.st_mtim.tv_sec)
    }
}
