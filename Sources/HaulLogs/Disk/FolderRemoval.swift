import Glibc

/// Removal of a job's folder: files, and folders of files.
enum FolderRemoval {
    /// Takes a folder out of the way; one that is not there is no fault.
    static func rename(_ path: String, to other: String) throws(LogError) {
        if Glibc.rename(path, other) != 0 && errno != ENOENT { throw LogError.system("rename") }
    }

    /// Removes a folder and what is in it; one that is not there is no fault.
    static func remove(_ path: String) throws(LogError) {
        for name in names(path) {
            let entry = path + "/" + name
            // Of the few folders there are, none holds another.
            if unlink(entry) != 0 && (errno == EISDIR || errno == EPERM) {
                for inner in names(entry) { unlink(entry + "/" + inner) }
                rmdir(entry)
            }
        }
        if rmdir(path) != 0 && errno != ENOENT { throw LogError.system("rmdir") }
    }

    /// What a folder holds, `limit` names of it at most; empty where it is none.
    static func names(_ path: String, limit: Int = .max) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var result: [String] = []
        while result.count < limit, let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { result.append(name) }
        }
        return result
    }

    /// Bytes that the files below a folder take up on their disk; one under two names counts once for each.
    static func bytes(below path: String) -> Int {
        var total = 0
        for name in names(path) {
            var status = stat()
            guard lstat(path + "/" + name, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                total += bytes(below: path + "/" + name)
            } else {
                total += Int(status.st_blocks) * 512
            }
        }
        return total
    }
}
