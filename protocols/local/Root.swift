import CFiles
import Foundation
import HaulModel
import HaulProtocol

/// A directory that jobs may touch, held open: every path is resolved below its descriptor, and never leads out.
struct Root: Sendable {
    let directory: Descriptor
    /// The paths that mean it: as configured, and without links.
    let paths: [[Substring]]
    /// Whether what is mounted below belongs to it.
    let mounts: Bool

    init(_ path: String) throws {
        directory = try Descriptor(
            open(path, HAUL_O_PATH | O_DIRECTORY | O_CLOEXEC), "the configured root \(path) cannot be opened")
        let real = realpath(path, nil).map { pointer in
            defer { free(pointer) }
            return String(cString: pointer)
        }
        paths = [path, real ?? path].map { Self.words($0) }
        mounts = true
    }

    /// A directory that is open already, for walks that start there.
    init(directory: Descriptor, mounts: Bool) { self.init(directory, [], mounts: mounts) }

    private init(_ directory: Descriptor, _ paths: [[Substring]], mounts: Bool) {
        (self.directory, self.paths, self.mounts) = (directory, paths, mounts)
    }

    /// The same as a site wants it, by its option `mounts`.
    func with(mounts: Bool) -> Root { Root(directory, paths, mounts: mounts) }

    /// The words of a path below this root, where the absolute path is below it.
    func words(below path: String) -> [Substring]? {
        let words = Self.words(path)
        return paths.first { words.starts(with: $0) }.map { Array(words.dropFirst($0.count)) }
    }

    /// The path's names. By bytes: `\r\n` and combining marks are no boundaries and no joins.
    static func words(_ path: String) -> [Substring] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }.filter { $0 != "." }
    }
}

/// A user's path, found in its root: the names below it, resolved whenever something is opened.
struct LocalPath: Sendable {
    let root: Root
    let words: [Substring]
    let shown: String

    /// The longest relative path that is given to one system call.
    private static let reach = 3000

    /// Opens what the path leads to; links are followed where they stay below the root.
    func open(_ flags: Int32, links: Bool = true) throws -> Descriptor {
        try open(words[...], flags, links: links)
    }

    /// The directory that holds the path's last name, and that name.
    /// - Parameter parents: Make what is missing of the directory.
    func place(parents: Bool = false) throws -> LocalName {
        guard let name = words.last else { throw BackendFailure(.invalid, "\(shown) is a root itself") }
        guard name != ".." else { throw BackendFailure(.invalid, "\(shown) ends in ..") }
        let above = words.dropLast()
        do {
            let directory = try open(above, HAUL_O_PATH | O_DIRECTORY)
            return LocalName(directory: directory, name: String(name), shown: shown, mounts: root.mounts)
        } catch let failure as BackendFailure where failure.errorClass == .notFound && parents {
            return LocalName(directory: try make(above), name: String(name), shown: shown, mounts: root.mounts)
        }
    }

    /// Opens a directory of any depth, making what is missing of it. Others may be making the same meanwhile.
    func make(_ words: ArraySlice<Substring>) throws -> Descriptor {
        var current = root.directory
        for end in words.indices {
            let way = words[...end]
            do {
                current = try open(way, HAUL_O_PATH | O_DIRECTORY)
            } catch let failure as BackendFailure where failure.errorClass == .notFound {
                if mkdirat(current.raw, String(words[end]), 0o777) != 0, errno != EEXIST {
                    throw BackendFailure.system(errno, "cannot make a directory of \(shown)")
                }
                current = try open(way, HAUL_O_PATH | O_DIRECTORY)
            }
        }
        return current
    }

    private func open(_ words: ArraySlice<Substring>, _ flags: Int32, links: Bool = true) throws -> Descriptor {
        var current = root.directory
        var rest = words
        repeat {
            var length = 0
            var piece: [Substring] = []
            while let word = rest.first, length + word.utf8.count < Self.reach {
                piece.append(word)
                length += word.utf8.count + 1
                rest = rest.dropFirst()
            }
            if piece.isEmpty, !rest.isEmpty { throw BackendFailure.system(ENAMETOOLONG, "cannot open \(shown)") }
            let path = piece.isEmpty ? "." : piece.joined(separator: "/")
            let step = rest.isEmpty ? flags : HAUL_O_PATH | O_DIRECTORY
            let next = haul_open_beneath(current.raw, path, step, 0, links, root.mounts)
            if next < 0, errno == EXDEV, leadsIntoMount(current, path, links: links) {
                throw BackendFailure.mounted(shown)
            }
            current = try Descriptor(next, "cannot open \(shown)")
        } while !rest.isEmpty
        return current
    }

    /// Whether a path leads out of the root's own mount, and not out of the root. Leaves `errno` as it is.
    private func leadsIntoMount(_ directory: Descriptor, _ path: String, links: Bool) -> Bool {
        guard !root.mounts else { return false }
        let code = errno
        defer { errno = code }
        let file = haul_open_beneath(directory.raw, path, HAUL_O_PATH, 0, links, true)
        // Behind the mount there may be nothing.
        if file < 0 { return errno != EXDEV }
        close(file)
        return true
    }
}
