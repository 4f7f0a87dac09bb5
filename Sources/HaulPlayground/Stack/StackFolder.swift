import Foundation

/// The folder of a stack: what stands where in it.
///
///     sites/NAME     what the sites hold
///     private/       keys and tokens (0700)
///     state/         hauld's database, logs and listings
///     parts/NAME/    configuration of sshd and apache, work folders of workers
///     logs/NAME.log  what the parts say
struct StackFolder: Sendable {
    let path: String

    /// Says that the folder is a stack's; locked while one runs in it.
    private var mark: String { path + "/.haul-playground" }

    init(_ path: String) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    }

    /// A new folder of this process's own, below `TMPDIR`.
    static func temporary(_ name: String) throws -> String {
        let top = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(top)/\(name)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw StackError("\(top): \(String(cString: strerror(errno)))") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func site(_ name: String) -> String { "\(path)/sites/\(name)" }
    var secrets: String { path + "/private" }
    var state: String { path + "/state" }
    func part(_ name: String) -> String { "\(path)/parts/\(name)" }
    func log(_ name: String) -> String { "\(path)/logs/\(name).log" }
    var document: String { path + "/playground.json" }

    enum Found: Sendable { case empty, earlier }

    /// Makes the folder this process's own for its lifetime.
    /// - Returns: whether it was empty, or an earlier stack's, and the lock to hold on to.
    /// - Throws: ``StackError`` where it is somebody else's, another stack runs in it, or it can't be written.
    func claim() throws -> (found: Found, lock: FolderLock) {
        guard !path.contains(where: { "\"\\\n\r".contains($0) }) else {
            throw StackError("\(path): quotes, backslashes or line breaks do not fit into the servers' configurations")
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw StackError("\(path): can't be made: \(error.localizedDescription)")
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw StackError("\(path): is no folder that can be read")
        }
        let found = names.isEmpty ? Found.empty : .earlier
        guard names.isEmpty || FileManager.default.fileExists(atPath: mark) else {
            throw StackError("\(path): is not empty and no playground of haul: take an empty folder")
        }
        let lock = try FolderLock(mark)
        for folder in ["sites", "parts", "logs"] { try make(path + "/" + folder, mode: 0o755) }
        for folder in [secrets, state] { try make(folder, mode: 0o700) }
        return (found, lock)
    }

    /// Makes a folder of that mode where it is missing.
    func make(_ folder: String, mode: Int) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder)
        } catch {
            throw StackError("\(folder): can't be made: \(error.localizedDescription)")
        }
    }

    /// Writes a file at once and as a whole, never readable for more than `mode` says.
    static func write(_ text: String, to file: String, mode: mode_t = 0o600) throws {
        let draft = file + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw StackError("\(draft): \(String(cString: strerror(errno)))") }
        do {
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
        } catch {
            throw StackError("\(draft): can't be written: \(error.localizedDescription)")
        }
        guard rename(draft, file) == 0 else { throw StackError("\(file): \(String(cString: strerror(errno)))") }
    }
}

/// The lock of a stack's folder; gone with the process, however that ends.
final class FolderLock: Sendable {
    private let descriptor: Int32

    fileprivate init(_ path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StackError("\(path): \(String(cString: strerror(errno)))") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            // `deinit` closes it: it runs after this error too, as every property has a value.
            throw StackError("\(path): another playground runs in this folder")
        }
    }

    deinit { close(descriptor) }
}
