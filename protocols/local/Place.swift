import CFiles
import Foundation
import HaulModel
import HaulProtocol

/// A name in an open directory. Every operation goes through the directory's descriptor: whatever is renamed or
/// linked meanwhile, it stays that directory.
struct Place: Sendable {
    let directory: Descriptor
    let name: String
    /// The path as the user wrote it, for messages.
    let shown: String

    /// What is there, links as links; nil for nothing.
    func facts() throws -> FileFacts? { try status().map(FileFacts.init) }

    func status() throws -> stat? {
        var status = stat()
        if fstatat(directory.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
        if errno == ENOENT { return nil }
        throw BackendFailure.system(errno, "cannot look at \(shown)")
    }

    /// Another name in the same directory.
    func sibling(_ name: String) -> Place { Place(directory: directory, name: name, shown: shown) }

    func open(_ flags: Int32, mode: mode_t = 0o600) throws -> Descriptor {
        try Descriptor(
            openat(directory.raw, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode),
            "cannot open \(shown)")
    }

    func unlink(directory isDirectory: Bool = false) throws {
        if unlinkat(directory.raw, name, isDirectory ? AT_REMOVEDIR : 0) != 0 {
            // Linux says EEXIST or ENOTEMPTY, as the file system likes.
            throw BackendFailure.system(errno == EEXIST ? ENOTEMPTY : errno, "cannot remove \(shown)")
        }
    }

    func rename(to other: Place, replace: Bool) throws {
        let status =
            replace
            ? renameat(directory.raw, name, other.directory.raw, other.name)
            : haul_rename_noreplace(directory.raw, name, other.directory.raw, other.name)
        if status != 0 { throw BackendFailure.system(errno, "cannot rename to \(other.shown)") }
    }
}
