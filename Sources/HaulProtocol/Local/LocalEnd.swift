import CFiles
import Foundation
public import HaulModel
import Synchronization

/// A file of this machine as one end of a copy: the worker's own in `get` and `put`, or one of a site that is this
/// machine's disk. Everything happens below the open directory that holds it: whatever is renamed or linked meanwhile, it
/// stays that directory. All calls block on queues of their own.
public struct LocalEnd: CopyEnd {
    static let files = BlockingQueue(label: "haul.local.files")

    public let shown: String
    public let traits = CopyTraits(isNear: true)
    /// The absolute path, for tools that read or write the file themselves; nil where it is reached in another way.
    public let path: String?
    /// Nil for a directory that has no name, a root.
    private let name: String?
    private let way: any LocalWay
    /// It stands beside what ``way`` leads to: its name alone counts, and no link is followed.
    private let isSibling: Bool
    /// What is written is on disk before it is published.
    private let isDurable: Bool
    private let parent: Parent

    /// The directory, opened once for the file and its part.
    private final class Parent: Sendable {
        private let opened = Mutex<Descriptor?>(nil)

        func directory(_ open: () throws -> Descriptor) throws -> Descriptor {
            try opened.withLock { opened in
                if let opened { return opened }
                let directory = try open()
                opened = directory
                return directory
            }
        }
    }

    /// The local side of a `get` or `put`. What is written there is not made durable: a spool goes with its batch.
    /// - Parameter path: Absolute.
    /// - Throws: ``BackendFailure`` for a path that is none of a file.
    public init(worker path: String) throws {
        let way = try WorkerPath(path)
        self.init(path, name: way.name, way: way, path: path, isDurable: false)
    }

    /// A file of a site.
    /// - Parameters:
    ///   - shown: Its path, as the user wrote it.
    ///   - name: Its last name; nil for a root.
    public init(_ shown: String, name: String?, way: any LocalWay) {
        self.init(shown, name: name, way: way, path: nil, isDurable: true)
    }

    private init(
        _ shown: String, name: String?, way: any LocalWay, path: String?, isDurable: Bool, besides: Parent? = nil
    ) {
        self.shown = shown
        self.name = name
        self.way = way
        self.path = path
        self.isDurable = isDurable
        isSibling = besides != nil
        parent = besides ?? Parent()
    }

    public func facts(follow: Bool) async throws -> FileFacts? {
        try await Self.files.run {
            do {
                if follow && !isSibling || name == nil { return FileFacts(try way.open(HAUL_O_PATH).status(shown)) }
                return try place().facts()
            } catch let failure as BackendFailure where failure.errorClass == .notFound {
                return nil
            }
        }
    }

    public func sibling(_ name: String) throws -> LocalEnd {
        let directory = path.map { ListingPath.parent($0).directory }
        return LocalEnd(
            shown, name: name, way: way, path: directory.map { ListingPath.child($0, name) }, isDurable: isDurable,
            besides: parent)
    }

    public func prepareParent(make: Bool, isMissing: Bool) async throws {
        _ = try await Self.files.run { try place(make: make) }
    }

    public func publish(as target: LocalEnd, replace: Bool) async throws -> Bool {
        try await Self.files.run {
            let place = try target.place()
            try self.place().rename(to: place, replace: replace)
            if isDurable { try place.directory.syncDirectory() }
            return true
        }
    }

    public func discard() async throws {
        try await Self.files.run {
            do { try place().unlink() } catch let failure as BackendFailure where failure.errorClass == .notFound {}
        }
    }

    /// Reading it is the way.
    public func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? { nil }

    public func reader(_ order: ReadOrder) async throws -> any CopyReader {
        try await Self.files.run { try openReader(order) }
    }

    func openReader(_ order: ReadOrder) throws -> LocalReader {
        // Neither a pipe nor a device is waited for: the look at what it is comes after.
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY
        let file = try order.follow && !isSibling ? way.open(flags) : place().open(flags)
        guard FileFacts(try file.status(shown)).kind == .file else {
            throw BackendFailure(.busy, "\(shown) is no file any more")
        }
        return LocalReader(file, shown: shown, order)
    }

    public func writer(_ order: WriteOrder) async throws -> any CopyWriter {
        try await Self.files.run {
            do {
                let file = try place().openAlone()
                let found = FileFacts(try file.status(shown))
                guard found.kind == .file else {
                    throw BackendFailure(.exists, "the part file's name is taken by something else")
                }
                return LocalWriter(file, shown: shown, existing: found.size, isDurable: isDurable)
            } catch let failure as BackendFailure where failure.errorClass == .busy {
                throw CopyWriteFailure(failure, wroteNothing: true)
            }
        }
    }

    public func settle(_ source: FileFacts) async throws -> FileFacts? {
        try await Self.files.run {
            let file = try place().open(O_RDONLY)
            try LocalWriter.keep(source, file, isDurable: isDurable, shown: shown)
            return FileFacts(try file.status(shown))
        }
    }

    private func place(make: Bool = false) throws -> LocalName {
        guard let name else { throw BackendFailure(.invalid, "\(shown) is a root itself") }
        let directory = try parent.directory { try way.directory(make: make) }
        return LocalName(directory: directory, name: name, shown: shown, mounts: way.mounts)
    }
}
