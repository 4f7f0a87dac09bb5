import Glibc
import Synchronization

/// The folders of jobs below the root, `ab/LOG_UID/`: made when first needed, and known once they are durable.
final class JobFolders: Sendable {
    let root: String
    /// Which server's these are: several may share a root, and none writes to a file that another appends to.
    let server: Int
    /// All files stand in the root, `LOG_UID.NAME`.
    let isFlat: Bool
    let rootFolder: OpenFile
    /// What files are opened with to be written.
    let room: OpenFile.Room?
    /// Paths whose entries in their folder are on disk. Forgotten all at once when they are many: that costs a sync.
    private let durable = Mutex<Set<String>>([])
    private static let rememberedPaths = 16_384

    init(
        root: String, server: Int, isFlat: Bool = false, room: OpenFile.Room? = nil
    ) throws(LogError) {
        self.root = root
        self.server = server
        self.isFlat = isFlat
        self.room = room
        if mkdir(root, 0o700) != 0 && errno != EEXIST {
            throw .unusableRoot("cannot make the log folder \(root): \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard stat(root, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw .unusableRoot("the log folder \(root) is not a folder")
        }
        // Asking for permission (access(2)) does not see a read-only or full disk: writing does.
        let probe = root + "/.writable-\(getpid())"
        do throws(LogError) {
            guard let file = try OpenFile(probe, O_WRONLY | O_CREAT) else { throw LogError.io("open") }
            unlink(probe)
            _ = file
            guard let folder = try OpenFile(root, O_RDONLY | O_DIRECTORY) else { throw LogError.io("open") }
            rootFolder = folder
        } catch {
            throw .unusableRoot("cannot write to the log folder \(root): \(error)")
        }
    }

    /// A name that is this server's alone; the first server's are plain.
    func own(_ name: String) -> String { server == 1 ? name : "\(name)-s\(server)" }

    func shard(_ logUID: String) -> String { root + "/" + logUID.prefix(2) }
    func folder(_ logUID: String) -> String { isFlat ? root : shard(logUID) + "/" + logUID }
    func path(_ logUID: String, _ name: String) -> String {
        folder(logUID) + "/" + (isFlat ? logUID + "." : "") + name
    }

    /// Makes the job's folder if it is not there.
    func make(_ logUID: String) throws(LogError) {
        if isFlat { return }
        for path in [shard(logUID), folder(logUID)] where mkdir(path, 0o700) != 0 && errno != EEXIST {
            throw LogError.system("mkdir")
        }
    }

    /// Opens a file of a job to read and write it, and makes it and its folder if they are not there.
    func create(_ logUID: String, _ name: String, exclusively: Bool = false) throws(LogError) -> OpenFile {
        let flags = O_RDWR | O_CREAT | (exclusively ? O_EXCL : 0)
        let path = path(logUID, name)
        // The folder is usually there: asking for the file first saves two calls.
        var status = stat()
        if stat(folder(logUID), &status) != 0 { try make(logUID) }
        guard let file = try OpenFile(path, flags, room: room) else { throw .io("open") }
        return file
    }

    func open(_ logUID: String, _ name: String) throws(LogError) -> OpenFile? {
        try OpenFile(path(logUID, name), O_RDONLY)
    }

    /// Folders, innermost first, that have to be synced before a file of a job is found after a crash.
    func unsynced(_ logUID: String, _ name: String) -> [String] {
        durable.withLock { known in
            if known.contains(path(logUID, name)) { return [] }
            if isFlat { return [root] }
            return known.contains(folder(logUID)) ? [folder(logUID)] : [folder(logUID), shard(logUID), root]
        }
    }

    func markDurable(_ logUID: String, _ name: String) {
        durable.withLock { known in
            if known.count > Self.rememberedPaths { known.removeAll() }
            known.insert(folder(logUID))
            known.insert(path(logUID, name))
        }
    }

    func forget(_ logUID: String) {
        let prefix = path(logUID, "")
        let folder = folder(logUID)
        durable.withLock { known in known = known.filter { $0 != folder && !$0.hasPrefix(prefix) } }
    }

    func sync(folder path: String) throws(LogError) {
        // A folder that went meanwhile (its job was removed) has nothing to keep.
        try OpenFile(path, O_RDONLY | O_DIRECTORY)?.sync()
    }

    /// A file's data, and everything that leads to it.
    func makeDurable(_ file: OpenFile, _ logUID: String, _ name: String) throws(LogError) {
        try file.syncData()
        for folder in unsynced(logUID, name) { try sync(folder: folder) }
        markDurable(logUID, name)
    }
}
