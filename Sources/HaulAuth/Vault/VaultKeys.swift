import Foundation
import HaulCrypto
import Synchronization

/// Why the vault can't be used.
public struct VaultProblem: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String
}

/// What the servers of a database share and the database does not hold, in a file of mode 600: a secret (`secret BASE64`)
/// that goes into all that they prove to each other and to workers, and the keys that credentials are sealed with, a line
/// each (`ID BASE64`), the newest last. It is read again when it changed: a rotation needs no restart.
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

    /// What stands in the file.
    struct Content: Sendable, Hashable {
        var secret: [UInt8]
        var keys: [Key]

        var text: String {
            "secret \(Data(secret).base64EncodedString())\n" + keys.map(\.line).joined()
        }
    }

    private struct State: Sendable {
        var stamp: Stamp?
        var content: Content?
    }

    public let path: String
    private let state = Mutex(State())

    public init(_ path: String) { self.path = path }

    public var isThere: Bool { FileManager.default.fileExists(atPath: path) }

    /// Makes the file with a secret and a first key.
    public func make() throws(VaultProblem) {
        try write(Content(secret: Random.bytes(Sealing.keyBytes), keys: [Key.make()]), isNew: true)
    }

    /// A key that only who has the file and the database can know.
    ///
    /// - Parameters:
    ///   - purpose: what it is for: one is no other's.
    ///   - stored: the database's part of it.
    public func shared(_ purpose: String, _ stored: [UInt8]) throws(VaultProblem) -> [UInt8] {
        Hash.keyed(Array("\(purpose):".utf8) + stored, key: try content().secret)
    }

    func newest() throws(VaultProblem) -> Key {
        guard let key = try content().keys.last else { throw VaultProblem(description: "\(path): holds no key") }
        return key
    }

    func key(_ id: String) throws(VaultProblem) -> Key? { try content().keys.first { $0.id == id } }

    /// Adds a new key behind the others.
    func add() throws(VaultProblem) -> Key {
        let key = Key.make()
        try change { $0.keys.append(key) }
        return key
    }

    /// Keeps this key alone.
    /// - Returns: how many went.
    func drop(allBut id: String) throws(VaultProblem) -> Int {
        var gone = 0
        try change { content in
            gone = content.keys.count { $0.id != id }
            content.keys.removeAll { $0.id != id }
        }
        return gone
    }

    /// What stands in the file by now.
    private func content() throws(VaultProblem) -> Content {
        var status = stat()
        guard stat(path, &status) == 0 else { throw unreadable() }
        guard status.st_mode & 0o077 == 0 else {
            throw VaultProblem(description: "\(path): others may read the vault's keys: chmod 600 \(path)")
        }
        let stamp = Stamp(
            inode: UInt64(status.st_ino), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
            size: Int(status.st_size))
        if let known = state.withLock({ $0.stamp == stamp ? $0.content : nil }) { return known }
        let content = try read()
        state.withLock { $0 = State(stamp: stamp, content: content) }
        return content
    }

    private func unreadable() -> VaultProblem {
        let code = errno
        let hint = code == ENOENT ? ": copy it from another of the database's servers, or from a backup" : ""
        return VaultProblem(
            description: "\(path): the vault's key file can't be read: \(String(cString: strerror(code)))\(hint)")
    }

    private func read() throws(VaultProblem) -> Content {
        guard let data = FileManager.default.contents(atPath: path) else { throw unreadable() }
        var content = Content(secret: [], keys: [])
        for (number, line) in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).enumerated() {
            let words = line.split(separator: " ")
            guard words.count == 2, let bytes = Data(base64Encoded: String(words[1])), bytes.count == Sealing.keyBytes
            else { throw VaultProblem(description: "\(path): line \(number + 1) is no key of a vault") }
            if words[0] == "secret" {
                content.secret = Array(bytes)
                continue
            }
            let key = Key(Array(bytes))
            guard key.id == words[0] else {
                throw VaultProblem(description: "\(path): line \(number + 1): the key is not the one of its name")
            }
            content.keys.append(key)
        }
        guard !content.keys.isEmpty, !content.secret.isEmpty else {
            throw VaultProblem(description: "\(path): holds no \(content.keys.isEmpty ? "key" : "secret")")
        }
        return content
    }

    /// Changes the file, one process after the other.
    private func change(_ body: (inout Content) -> Void) throws(VaultProblem) {
        while true {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else { throw unreadable() }
            defer { close(descriptor) }
            var (held, there) = (stat(), stat())
            // Whoever had it before put another file in its place.
            guard fstat(descriptor, &held) == 0, stat(path, &there) == 0, held.st_ino == there.st_ino else { continue }
            var content = try read()
            body(&content)
            return try write(content, isNew: false)
        }
    }

    /// In one step, and on the disk before anything is sealed with it.
    private func write(_ content: Content, isNew: Bool) throws(VaultProblem) {
        let text = Array(content.text.utf8)
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
