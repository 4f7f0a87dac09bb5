import CFiles
public import Foundation
import HaulModel

/// A name in an open directory. Every operation goes through the directory's descriptor: whatever is renamed or
/// linked meanwhile, it stays that directory.
public struct LocalName: Sendable {
    public let directory: Descriptor
    public let name: String
    /// The path as the user wrote it, for messages.
    public let shown: String
    /// Whether what is mounted at the name may be opened.
    public let mounts: Bool

    public init(directory: Descriptor, name: String, shown: String, mounts: Bool = true) {
        self.directory = directory
        self.name = name
        self.shown = shown
        self.mounts = mounts
    }

    /// What is there, links as links; nil for nothing.
    public func facts() throws -> FileFacts? { try status().map(FileFacts.init) }

    public func status() throws -> stat? {
        var status = stat()
        if fstatat(directory.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
        if errno == ENOENT { return nil }
        throw BackendFailure.system(errno, "cannot look at \(shown)")
    }

    /// Another name in the same directory.
    public func sibling(_ name: String) -> LocalName {
        LocalName(directory: directory, name: name, shown: shown, mounts: mounts)
    }

    /// Something is mounted there that must be left alone.
    private var isForeign: Bool { !mounts && isMountPoint }

    /// Whether both are one entry of one directory, whichever way leads there.
    public func isEntry(_ other: LocalName) throws -> Bool {
        guard name.utf8.elementsEqual(other.name.utf8) else { return false }
        let (one, two) = (try directory.status(shown), try other.directory.status(other.shown))
        return one.st_ino == two.st_ino && one.st_dev == two.st_dev
    }

    /// Whether something is mounted at the name.
    public var isMountPoint: Bool {
        let file = haul_open_beneath(directory.raw, name, HAUL_O_PATH | O_NOFOLLOW, 0, false, false)
        if file >= 0 { close(file) }
        return file < 0 && errno == EXDEV
    }

    public func open(_ flags: Int32, mode: UInt32 = 0o600) throws -> Descriptor {
        let flags = flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        if mounts { return try Descriptor(openat(directory.raw, name, flags, mode), "cannot open \(shown)") }
        let file = haul_open_beneath(directory.raw, name, flags, mode_t(mode), false, false)
        if file < 0, errno == EXDEV { throw BackendFailure.mounted(shown) }
        return try Descriptor(file, "cannot open \(shown)")
    }

    /// Opens this part file for one writer, making it where it is missing. An attempt whose lease ended may still be
    /// writing, and may give the file its final name between this one's open and its lock: then it is not this part any
    /// more, and must not be touched.
    ///
    /// - Parameter opened: called between the two, for a test of that.
    public func openAlone(opened: () throws -> Void = {}) throws -> Descriptor {
        for _ in 0..<8 {
            let file = try openToWrite()
            try opened()
            guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else { break }
            let mine = try file.status("the part file")
            if let there = try status(), there.st_ino == mine.st_ino, there.st_dev == mine.st_dev { return file }
        }
        throw BackendFailure(.busy, "another attempt still writes the part file of \(shown)")
    }

    /// A part that was finished has its source's permissions: maybe none to write. No link is followed.
    private func openToWrite() throws -> Descriptor {
        do {
            return try open(O_RDWR | O_CREAT)
        } catch let failure as BackendFailure where failure.errorClass == .permission {
            guard !isForeign, try facts()?.kind == .file, fchmodat(directory.raw, name, 0o600, AT_SYMLINK_NOFOLLOW) == 0
            else {
                throw failure
            }
            return try open(O_RDWR)
        }
    }

    public func unlink(directory isDirectory: Bool = false) throws {
        if unlinkat(directory.raw, name, isDirectory ? AT_REMOVEDIR : 0) != 0 {
            let code = errno
            if code == EBUSY, isForeign { throw BackendFailure.mounted(shown) }
            // Linux says EEXIST or ENOTEMPTY, as the file system likes.
            throw BackendFailure.system(code == EEXIST ? ENOTEMPTY : code, "cannot remove \(shown)")
        }
    }

    public func rename(to other: LocalName, replace: Bool) throws {
        let status =
            replace
            ? renameat(directory.raw, name, other.directory.raw, other.name)
            : haul_rename_noreplace(directory.raw, name, other.directory.raw, other.name)
        guard status != 0 else { return }
        let code = errno
        if code == EBUSY, let mount = [self, other].first(where: \.isForeign) {
            throw BackendFailure.mounted(mount.shown)
        }
        throw BackendFailure.system(code, "cannot rename to \(other.shown)")
    }
}
