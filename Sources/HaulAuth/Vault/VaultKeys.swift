import Foundation
import HaulCrypto
import Synchronization

/// Why the vault can't be used.
public struct VaultProblem: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String
}

/// The keys that credentials are sealed with: a file of mode 600 outside the database, a key a line (`ID BASE64`), the one
/// that seals first. It is read again when it changed: a rotation needs no restart.
public final class VaultKeys: Sendable {
    struct Key: Sendable, Hashable {
        var id: String
        var bytes: [UInt8]

        static func make() -> Key { Key(Random.bytes(Sealing.keyBytes)) }

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            // Says nothing of the key that helps to find it.
            id = String(Text.hex(Hash.sha256(Array("haul vault key".utf8) + bytes)).prefix(16))
        }

        var line: String { "\(id) \(Data(bytes).base64EncodedString())\n" }
    }

    private struct Stamp: Sendable, Hashable {
        var inode: UInt64
        var seconds: Int
        var nanoseconds: Int
        var size: Int
    }

    private struct State: Sendable {
        var stamp: Stamp?
        var keys: [Key] = []
    }

    public let path: String
    private let state = Mutex(State())

    public init(_ path: String) { self.path = path }

    public var isThere: Bool { FileManager.default.fileExists(atPath: path) }

    /// Makes the file with a first key.
    public func make() throws(VaultProblem) { try write([Key.make()], isNew: true) }

    /// All keys, the one that seals first.
    func all() throws(VaultProblem) -> [Key] {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw VaultProblem(
                description: "\(path): the vault's key file can't be read: \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw VaultProblem(description: "\(path): others may read the vault's keys: chmod 600 \(path)")
        }
        let stamp = Stamp(
            inode: UInt64(status.st_ino), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
            size: Int(status.st_size))
        let known = state.withLock { $0.stamp == stamp ? $0.keys : nil }
        if let known { return known }
        let keys = try read()
        state.withLock { $0 = State(stamp: stamp, keys: keys) }
        return keys
    }

    func current() throws(VaultProblem) -> Key { try all()[0] }

    func key(_ id: String) throws(VaultProblem) -> Key? { try all().first { $0.id == id } }

    /// Puts a new key before the others.
    func add() throws(VaultProblem) -> Key {
        let key = Key.make()
        try write([key] + read(), isNew: false)
        return key
    }

    /// Keeps the first key alone.
    /// - Returns: how many went.
    func dropOld() throws(VaultProblem) -> Int {
        let keys = try read()
        if keys.count > 1 { try write([keys[0]], isNew: false) }
        return keys.count - 1
    }

    private func read() throws(VaultProblem) -> [Key] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw VaultProblem(description: "\(path): the vault's key file can't be read")
        }
        var keys: [Key] = []
        for (number, line) in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).enumerated() {
            let words = line.split(separator: " ")
            guard words.count == 2, let bytes = Data(base64Encoded: String(words[1])), bytes.count == Sealing.keyBytes
            else { throw VaultProblem(description: "\(path): line \(number + 1) is no key of a vault") }
            let key = Key(Array(bytes))
            guard key.id == words[0] else {
                throw VaultProblem(description: "\(path): line \(number + 1): the key is not the one of its name")
            }
            keys.append(key)
        }
        guard !keys.isEmpty else { throw VaultProblem(description: "\(path): holds no key") }
        return keys
    }

    /// In one step, and on the disk before anything is sealed with it.
    private func write(_ keys: [Key], isNew: Bool) throws(VaultProblem) {
        let text = Array(keys.map(\.line).joined().utf8)
        let temporary = isNew ? path : "\(path).new-\(getpid())"
        func fail(_ what: String) -> VaultProblem {
            VaultProblem(description: "\(temporary): \(what): \(String(cString: strerror(errno)))")
        }
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw fail("the vault's key file can't be made") }
        defer { close(descriptor) }
        guard Foundation.write(descriptor, text, text.count) == text.count, fsync(descriptor) == 0 else {
            defer { unlink(temporary) }
            throw fail("the vault's key file can't be written")
        }
        if !isNew, rename(temporary, path) != 0 {
            defer { unlink(temporary) }
            throw fail("the vault's key file can't be replaced")
        }
        let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }
}
