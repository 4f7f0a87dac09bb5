import Foundation
import HaulConfig
import HaulProtocol
import Synchronization

/// The worker's private folder (0700): a scratch folder for each batch, and file data in transit. One worker's alone,
/// held by a lock that goes with the process; what an earlier run left behind is removed.
public final class WorkFolder: Sendable {
    /// What is wrong with the folder, in one line.
    public struct Problem: Error, CustomStringConvertible {
        public var description: String
    }

    let path: String
    private let lock: Int32
    private let counter = Mutex(0)
    private let files = BlockingQueue(label: "haul.worker.files")

    /// Takes hold of the folder, making it where it is missing. Reads and writes the disk: once, at start.
    public init(_ path: String) throws(Problem) {
        self.path = path
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw Problem(description: "work_dir \(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw Problem(description: "work_dir \(path) is no directory")
        }
        guard status.st_uid == geteuid(), chmod(path, 0o700) == 0 else {
            throw Problem(description: "work_dir \(path) belongs to another user")
        }
        lock = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw Problem(description: "work_dir \(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            // `deinit` closes it: it runs after this error too, as every property has a value.
            throw Problem(description: "work_dir \(path) is in use by another worker: give each its own")
        }
        do {
            for name in ["scratch", "spool"] {
                let folder = "\(path)/\(name)"
                if FileManager.default.fileExists(atPath: folder) {
                    try FileManager.default.removeItem(atPath: folder)
                }
                try PrivateFolder.make(folder, isNew: true)
            }
        } catch {
            throw Problem(description: "work_dir \(path) cannot be cleared: \(error.localizedDescription)")
        }
    }

    deinit { close(lock) }

    var spool: String { "\(path)/spool" }

    /// Makes a new private folder; its name is short, because sockets in it have at most 107 bytes.
    func makeScratch() async throws -> String { try await makeFolder(in: "\(path)/scratch") }

    /// Where an element's file data stands, the same for each attempt at it; nil for a seed that makes no file name.
    func spool(of seed: String) -> String? {
        let isPlain = seed.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return isPlain && (1...128).contains(seed.utf8.count) ? "\(spool)/element-\(seed)" : nil
    }

    /// Makes so many, or none.
    func makeScratch(_ count: Int) async throws -> [String] {
        var made: [String] = []
        do {
            for _ in 0..<count { made.append(try await makeScratch()) }
        } catch {
            for folder in made { await remove(folder) }
            throw error
        }
        return made
    }

    /// Makes a private folder, with those above it, where it is missing.
    func make(_ folder: String) async throws {
        try await files.run {
            try PrivateFolder.make(folder, withParents: true)
        }
    }

    /// The bytes of a folder's files whose names begin so.
    func bytes(in folder: String, of prefix: String) async -> Int {
        let sizes = try? await files.run {
            try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(prefix) }.map { name in
                var status = stat()
                return lstat("\(folder)/\(name)", &status) == 0 ? Int(status.st_size) : 0
            }
        }
        return sizes?.reduce(0, +) ?? 0
    }

    private func makeFolder(in parent: String) async throws -> String {
        let number = counter.withLock { value in
            value += 1
            return value
        }
        let folder = "\(parent)/\(number)"
        try await make(folder)
        return folder
    }

    /// Writes a new file that nobody else reads (0600).
    func write(_ data: Data, to path: String) async throws {
        try await files.run {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw Problem(description: "\(path): \(String(cString: strerror(errno)))") }
            try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: data)
        }
    }

    /// Removes a file or folder, if it is there.
    func remove(_ path: String) async {
        _ = try? await files.run { try FileManager.default.removeItem(atPath: path) }
    }

    /// Runs a look at the disk on a thread of its own.
    func look<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async throws -> Value {
        try await files.run(work)
    }
}
