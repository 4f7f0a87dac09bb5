import Foundation
import HaulModel
import HaulProtocol

/// What stands below a directory: each file's size and SHA-256, and each directory. By the bytes of their names: two
/// spellings of `é` are two files. Blocking.
struct FileTree: Equatable {
    struct File: Equatable {
        var size: Int
        /// `sha256:HEX`
        var checksum: String
    }

    private(set) var files: [[UInt8]: File] = [:]
    private(set) var directories: Set<[UInt8]> = []

    var bytes: Int { files.values.reduce(0) { $0 + $1.size } }

    /// Reads all of it, every byte of every file.
    init(of root: String) throws { try read(root, below: "") }

    private mutating func read(_ root: String, below path: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: root + path) {
            let inner = path + "/" + name
            var status = stat()
            guard lstat(root + inner, &status) == 0 else { throw StackError("\(root + inner): can't be read") }
            let key = Array(inner.utf8)
            if status.st_mode & S_IFMT == S_IFDIR {
                directories.insert(key)
                try read(root, below: inner)
            } else {
                files[key] = File(size: Int(status.st_size), checksum: try Self.checksum(root + inner))
            }
        }
    }

    private static func checksum(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StackError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        let hash = try StreamHash(.sha256)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw StackError("\(path): \(String(cString: strerror(errno)))") }
            if count == 0 { return hash.finish() }
            buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
        }
    }

    /// What another tree has otherwise, a line each; empty when it is the same.
    func differences(to other: FileTree) -> [String] {
        func text(_ key: [UInt8]) -> String { String(decoding: key, as: UTF8.self) }
        var lines: [String] = []
        for (key, file) in files {
            guard let copy = other.files[key] else {
                lines.append("\(text(key)) is missing")
                continue
            }
            if copy.size != file.size {
                lines.append("\(text(key)) has \(copy.size) bytes, not \(file.size)")
            } else if copy.checksum != file.checksum {
                lines.append("\(text(key)) has other content")
            }
        }
        lines += other.files.keys.filter { files[$0] == nil }.map { "\(text($0)) should not be there" }
        lines += directories.subtracting(other.directories).map { "the directory \(text($0)) is missing" }
        lines += other.directories.subtracting(directories).map { "the directory \(text($0)) should not be there" }
        return lines.sorted()
    }
}
