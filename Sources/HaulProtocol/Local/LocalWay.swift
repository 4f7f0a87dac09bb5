import CFiles
import Foundation
import HaulModel

/// How a path of this machine is reached: the worker's own by its path (``WorkerPath``), a site's below the site's root.
/// Calls block.
public protocol LocalWay: Sendable {
    /// Whether it leads into what is mounted below.
    var mounts: Bool { get }
    /// Opens what the path leads to; links are followed as far as this way allows.
    func open(_ flags: Int32) throws -> Descriptor
    /// Opens the directory that holds the path's last name, as `O_PATH`.
    /// - Parameter make: Make what is missing of it.
    func directory(make: Bool) throws -> Descriptor
}

/// A path of the worker's own: the local side of `get` and `put`.
struct WorkerPath: LocalWay {
    let mounts = true
    let path: String
    private let parent: String
    let name: String

    /// - Throws: ``BackendFailure`` for a path that is not absolute, or names no file.
    init(_ path: String) throws {
        let words = path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.last != UInt8(ascii: "/"), !path.utf8.contains(0),
            let name = words.last, name != ".", name != ".."
        else {
            throw BackendFailure(
                .invalid, "\(path) is no absolute path of a file, which the local side of a get or put must be")
        }
        self.path = path
        self.name = name
        parent = "/" + words.dropLast().joined(separator: "/")
    }

    func open(_ flags: Int32) throws -> Descriptor {
        try missing { try Descriptor(Foundation.open(path, flags | O_CLOEXEC), "cannot open \(path)") }
    }

    func directory(make: Bool) throws -> Descriptor {
        do {
            return try open(parent: parent)
        } catch let failure as BackendFailure where failure.errorClass == .notFound && make {
            try makeDirectory(parent)
            return try open(parent: parent)
        }
    }

    private func open(parent: String) throws -> Descriptor {
        try missing {
            try Descriptor(
                Foundation.open(parent, HAUL_O_PATH | O_DIRECTORY | O_CLOEXEC), "cannot open \(parent)")
        }
    }

    /// With those above it; others may be making them, too.
    private func makeDirectory(_ path: String) throws {
        guard mkdir(path, 0o777) != 0, errno != EEXIST else { return }
        guard errno == ENOENT, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.utf8.startIndex
        else { throw BackendFailure.system(errno, "cannot make the directory \(path)") }
        try makeDirectory(String(path[..<slash]))
        if mkdir(path, 0o777) != 0, errno != EEXIST {
            throw BackendFailure.system(errno, "cannot make the directory \(path)")
        }
    }

    /// Below a file there is nothing.
    private func missing(_ open: () throws -> Descriptor) throws -> Descriptor {
        do { return try open() } catch let failure as BackendFailure {
            throw errno == ENOTDIR ? BackendFailure(.notFound, failure.reason) : failure
        }
    }
}
