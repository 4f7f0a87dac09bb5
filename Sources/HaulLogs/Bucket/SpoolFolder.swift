import Foundation
import Glibc

/// The folder on a server's own disk where logs wait for the bucket: one server's, for as long as it runs. It remembers
/// which server it is of, so that what waits in it is found under any address.
public final class SpoolFolder: Sendable {
    public let root: String
    private let lock: FolderLock

    /// Makes the folder (mode 0700) if it is missing.
    ///
    /// - Throws: `unusableRoot` with one line for the operator: another hauld uses it, or it can't be written to.
    public init(root: String) throws(LogError) {
        self.root = root
        if mkdir(root, 0o700) != 0 && errno != EEXIST {
            throw .unusableRoot("cannot make the spool \(root): \(String(cString: strerror(errno)))")
        }
        lock = try FolderLock(root + "/lock", of: root)
    }

    /// The server that it is of; nil for a new one.
    public var server: Int? {
        guard let file = try? OpenFile(mark, O_RDONLY), let bytes = try? file.read(at: 0, count: 32) else { return nil }
        return Int(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Says which server it is of. Durable.
    ///
    /// - Throws: `unusableRoot`.
    public func keep(server: Int) throws(LogError) {
        guard self.server != server else { return }
        let fresh = mark + ".new"
        do throws(LogError) {
            guard let file = try OpenFile(fresh, O_RDWR | O_CREAT | O_TRUNC) else { throw .io("open") }
            try file.write(Array("\(server)\n".utf8)[...], at: 0)
            try file.syncData()
            try FolderRemoval.rename(fresh, to: mark)
            try OpenFile(root, O_RDONLY | O_DIRECTORY)?.sync()
        } catch {
            throw .unusableRoot("cannot write to the spool \(root): \(error)")
        }
    }

    private var mark: String { root + "/server" }
}

/// Keeps other processes out of a folder, until the last reference to it goes.
public final class FolderLock: Sendable {
    private let file: OpenFile

    /// - Parameter folder: for the message.
    /// - Throws: `unusableRoot` with one line for the operator.
    public init(_ path: String, of folder: String) throws(LogError) {
        let opened: OpenFile?
        do { opened = try OpenFile(path, O_RDWR | O_CREAT) } catch {
            throw .unusableRoot("cannot write to \(folder): \(error)")
        }
        guard let opened, opened.lock() else {
            throw .unusableRoot("\(folder) is in use by another hauld: give each its own, or its own `advertise`")
        }
        file = opened
    }
}
