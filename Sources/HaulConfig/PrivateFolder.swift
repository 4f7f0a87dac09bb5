import Foundation

/// A folder that nobody but its owner reads.
public enum PrivateFolder {
    /// Makes a folder, mode 0700 from its first moment on: Foundation makes one that all may read and shuts it then. One
    /// that is there already stays as it is. Writes to the disk.
    ///
    /// - Parameter withParents: whether those above it are made too, as private, where they are missing.
    /// - Parameter isNew: whether one that is there already is an error.
    /// - Throws: a `POSIXError`, what the system says; `EEXIST` also where something stands there that is no folder.
    public static func make(_ path: String, withParents: Bool = false, isNew: Bool = false) throws {
        guard mkdir(path, 0o700) != 0 else { return }
        switch errno {
        case EEXIST where !isNew && isFolder(path): return
        case ENOENT where withParents:
            let parent = (path as NSString).deletingLastPathComponent
            guard !parent.isEmpty, parent != path else { throw POSIXError(.ENOENT) }
            try make(parent, withParents: true)
            try make(path, isNew: isNew)
        case let code: throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO)
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
