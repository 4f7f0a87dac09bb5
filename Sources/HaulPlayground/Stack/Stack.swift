import Foundation
import HaulProtocol
import Synchronization

/// haul with everything around it, on the loopback interface: two sshd, two apache, two GridFTP servers, an S3 service where asked for, hauld on
/// SQLite, workers. All of it are the real programs with the config files of the source tree; it stands behind `make playground`, `make demo`
/// and the integration tests.
///
/// Ports stay the same for the stack's life, so that any part can be killed and started again. No part outlives the
/// process that started the stack, however that ends; nor does one that somebody else started again from what
/// ``StackDocument`` says.
public final class Stack: Sendable {
    /// What kind of stack.
    public struct Options: Sendable {
        /// Where everything of it stands; made where it is missing.
        public var directory: String
        /// How many workers: `worker-1` ...
        public var workers = 1
        /// Slots of each worker; nil: 4, or 2 where there are several.
        public var slots: Int?
        /// More environment for hauld and the workers (`HAULD_LEASE_SECONDS` ...; the config files say what there is).
        public var environment: [String: String] = [:]
        /// An S3 service too, where the Python that it needs is there (`make venv`).
        public var hasS3 = false
        /// The folder goes when the stack ends.
        public var isTemporary = false

        public init(directory: String) { self.directory = directory }
    }

    /// A token was made for each of these users.
    static let users = [("alice", "user"), ("bob", "user"), ("worker", "worker"), ("operator", "operator")]
    /// Those who have a password too.
    static let people = ["alice", "bob"]

    /// `http://127.0.0.1:PORT`.
    public let url: String
    /// By user: alice and bob, worker, operator.
    public let tokens: [String: String]
    /// By user: alice and bob.
    public let passwords: [String: String]
    /// By name.
    public let sites: [String: StackSite]
    /// True where an earlier stack's folder was taken up again, with its jobs and files.
    public let isContinued: Bool
    let folder: StackFolder
    let installation: Installation
    private let keeper: Keeper
    private let lock: FolderLock
    private let isTemporary: Bool
    /// In the order in which they were started.
    private let started: Mutex<[Part]>
    /// By part: the process that somebody else started in its place.
    private let successors = Mutex<[String: Int32]>([:])

    /// Starts it, and returns when all of it is ready.
    /// - Parameter say: Is told what happens, a line each.
    /// - Throws: ``StackError``; nothing runs then.
    public static func start(
        _ options: Options, say: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Stack {
        // Between the choice of a port and its use another program may take it: others are chosen then.
        for _ in 0..<4 {
            do { return try await startOnce(options, say: say) } catch let taken as PortTaken { say("\(taken)") }
        }
        return try await startOnce(options, say: say)
    }

    private static func startOnce(
        _ options: Options, say: @escaping @Sendable (String) -> Void
    ) async throws -> Stack {
        let build = try await StackBuilder(options, say: say)
        do {
            return Stack(try await build.run(), lock: build.lock, isTemporary: options.isTemporary)
        } catch {
            _ = await Self.end(build.parts, folder: build.folder, keeper: build.keeper, remove: options.isTemporary)
            throw error
        }
    }

    private init(_ built: StackBuilder.Built, lock: FolderLock, isTemporary: Bool) {
        url = built.url
        tokens = built.tokens
        passwords = built.passwords
        sites = built.sites
        isContinued = built.isContinued
        folder = built.folder
        installation = built.installation
        keeper = built.keeper
        started = Mutex(built.parts)
        self.lock = lock
        self.isTemporary = isTemporary
    }

    /// All parts, each as it was started last, in that order.
    public var parts: [Part] { started.withLock { $0 } }

    /// The part of that name.
    public subscript(part name: String) -> Part? { parts.first { $0.name == name } }

    /// Starts a part that ended once more, as it was.
    public func startAgain(_ name: String) async throws {
        guard let old = self[part: name] else { throw StackError("there is no part \(name)") }
        let part = try await Part.start(old.command)
        started.withLock { parts in
            parts.removeAll { $0.name == name }
            parts.append(part)
        }
        successors.withLock { $0[name] = nil }
        if FileManager.default.fileExists(atPath: folder.document) { try writeDocument() }
    }

    /// The process of a part, whoever started it last.
    func pid(of part: Part) -> Int32 { successors.withLock { $0[part.name] } ?? part.pid }

    /// Waits until somebody else has started a part again that ended, and takes the process for it from then on: the
    /// stack's document names it, and it ends with the stack.
    /// - Returns: the process; nil when the task was cancelled.
    func successor(of part: Part) async throws -> Int32? {
        while !Task.isCancelled {
            if let pid = part.command.process() {
                successors.withLock { $0[part.name] = pid }
                try writeDocument()
                return pid
            }
            // There is no event to wait for: it is no child of ours.
            try? await Task.sleep(for: .milliseconds(500))
        }
        return nil
    }

    /// Ends all of it, the last one first, and whatever else still runs in its name.
    /// - Returns: the processes that could not be ended.
    @discardableResult
    public func stop() async -> [Int32] {
        await Self.end(parts, folder: folder, keeper: keeper, remove: isTemporary)
    }

    private static func end(_ parts: [Part], folder: StackFolder, keeper: Keeper, remove: Bool) async -> [Int32] {
        // In a task of its own: a stack that is told to end in the middle of its start ends as well.
        await Task.detached {
            for part in parts.reversed() { await part.stop() }
            let left = await Leftovers(folder: folder.path, parts: parts.map(\.command)).end()
            unlink(folder.document)
            if remove { try? FileManager.default.removeItem(atPath: folder.path) }
            await keeper.dismiss()
            return left
        }.value
    }
}

/// A site of a stack.
public struct StackSite: Sendable, Codable, Hashable {
    public var id: Int
    public var `protocol`: String
    /// The directory on disk behind the site; null where there is none.
    public var root: String?
    /// The same place, as a job names it.
    public var path: String

    public init(id: Int, protocol name: String, root: String?, path: String) {
        self.id = id
        self.protocol = name
        self.root = root
        self.path = path
    }

    private enum CodingKeys: String, CodingKey { case id, `protocol`, root, path }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(self.protocol, forKey: .protocol)
        try container.encode(root, forKey: .root)
        try container.encode(path, forKey: .path)
    }
}
