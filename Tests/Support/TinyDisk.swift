import Foundation
import Glibc
import Synchronization

/// A file system of a few hundred KiB or a few MiB (tmpfs), unmounted with its last reference.
public final class TinyDisk: Sendable {
    /// Where it is mounted.
    public let root: String
    /// True while it is mounted.
    private let isMounted = Mutex(true)

    /// Why there is none.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private init(at root: String, kibibytes: Int) throws {
        self.root = root
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        guard mount("tmpfs", root, "tmpfs", 0, "size=\(kibibytes)k") == 0 else {
            let problem = String(cString: strerror(errno))
            try FileManager.default.removeItem(atPath: root)
            throw Failure(description: "mount: \(problem)")
        }
    }

    deinit { remove() }

    /// Mounts one on a new folder.
    ///
    /// - Parameter root: the folder, which is made; nil is one below the system's temporary folder.
    /// - Returns: nil where this process may not mount, which is said on standard output.
    public static func open(at root: String? = nil, kibibytes: Int) -> TinyDisk? {
        do {
            let place = root ?? NSTemporaryDirectory() + "haul-tiny-" + UUID().uuidString
            return try TinyDisk(at: place, kibibytes: kibibytes)
        } catch {
            print("NOT TESTED: a full disk. It takes root and mount(2): \(error)")
            return nil
        }
    }

    /// Unmounts it and removes its folder.
    public func remove() {
        let wasMounted = isMounted.withLock { isMounted in
            defer { isMounted = false }
            return isMounted
        }
        guard wasMounted else { return }
        umount2(root, Int32(2))
        rmdir(root)
    }

    /// Takes space away, as any other program on the disk would: so much, or all that is left.
    public func take(kibibytes: Int = .max) throws {
        let file = Glibc.open(ballast, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { throw Failure(description: "\(ballast): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let page = [UInt8](repeating: 0x62, count: 1024)
        var written = 0
        while written < kibibytes {
            guard write(file, page, page.count) == page.count else {
                if errno == ENOSPC { return }
                throw Failure(description: "\(ballast): \(String(cString: strerror(errno)))")
            }
            written += 1
        }
    }

    /// Gives back what was taken.
    public func giveBack() throws { try FileManager.default.removeItem(atPath: ballast) }

    private var ballast: String { root + "/ballast" }
}
