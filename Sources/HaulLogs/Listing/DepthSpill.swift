import Foundation
import HaulModel

extension LogStore {
    /// Lines sorted by depth on disk, for the expansion of a REMOVE.
    public func spill(_ logUID: String) -> DepthSpill { DepthSpill(store: self, logUID: logUID) }
}

/// Lines sorted by depth on disk: a file a depth in the job's folder. It counts once it is sealed; what a crash left
/// before that is made anew.
public actor DepthSpill {
    private let store: LogStore
    private let logUID: String
    private var buffers: [Int: [UInt8]] = [:]
    private var buffered = 0
    private var hasBegun = false

    private static let seal = "spill.sealed"

    init(store: LogStore, logUID: String) {
        self.store = store
        self.logUID = logUID
    }

    private nonisolated static func name(_ depth: Int) -> String { "spill.depth-\(depth).ndjson" }

    /// The depth that a file of the job is of.
    private nonisolated static func depth(_ name: String) -> Int? {
        guard name.hasPrefix("spill.depth-"), name.hasSuffix(".ndjson") else { return nil }
        return Int(name.dropFirst(12).dropLast(7))
    }

    /// Whether all is there.
    public func isSealed() async throws(LogError) -> Bool {
        try AttemptKey.validate(logUID: logUID)
        return try await run { folders, logUID throws(LogError) in try folders.open(logUID, Self.seal) != nil }
    }

    /// Adds a line, which has no newline of its own.
    public func append(depth: Int, line: [UInt8]) async throws(LogError) {
        guard depth >= 0 else { throw .invalidKey("depth \(depth)") }
        try await begin()
        buffers[depth, default: []] += line + [0x0A]
        buffered += line.count + 1
        if buffered > store.limits.spillBuffer { try await flush() }
    }

    /// Writes what is left and marks all as there, durably.
    public func seal() async throws(LogError) {
        try await begin()
        try await flush()
        try await run { folders, logUID throws(LogError) in
            for name in try folders.names(logUID) where Self.depth(name) != nil {
                guard let file = try folders.open(logUID, name) else { continue }
                try folders.makeDurable(file, logUID, name)
            }
            try folders.makeDurable(try folders.create(logUID, Self.seal), logUID, Self.seal)
        }
    }

    /// The depths that have lines.
    public func depths() async throws(LogError) -> [Int] {
        try await run { folders, logUID throws(LogError) in try folders.names(logUID).compactMap(Self.depth) }
    }

    /// Up to `limit` lines of a depth from `offset` on: as ``ListingReader/next(from:limit:)``.
    public func read(
        _ depth: Int, from offset: Int, limit: Int
    ) async throws(LogError) -> (lines: [[UInt8]], offset: Int, isEnd: Bool) {
        let longest = 1 << 20
        return try await run { folders, logUID throws(LogError) in
            guard let file = try folders.open(logUID, Self.name(depth)) else { throw .missing(Self.name(depth)) }
            let piece = try LineFile(file: file, longest: longest).next(from: offset, limit: limit)
            return (piece.lines.map(Array.init), piece.offset, piece.isEnd)
        }
    }

    /// Removes all of it.
    public func remove() async throws(LogError) {
        try await run { folders, logUID throws(LogError) in
            // The seal first: what is left without it does not count.
            folders.unlink(logUID, Self.seal)
            for name in try folders.names(logUID) where Self.depth(name) != nil { folders.unlink(logUID, name) }
        }
    }

    private func begin() async throws(LogError) {
        if hasBegun { return }
        hasBegun = true
        try await remove()
    }

    private func flush() async throws(LogError) {
        let pieces = buffers
        buffers.removeAll()
        buffered = 0
        try await run { folders, logUID throws(LogError) in
            for (depth, bytes) in pieces {
                let file = try folders.create(logUID, Self.name(depth))
                try file.writeWhole(bytes[...], at: try file.size())
            }
        }
    }

    private func run<Value: Sendable>(
        _ work: @escaping @Sendable (JobFolders, String) throws(LogError) -> Value
    ) async throws(LogError) -> Value {
        let folders = store.folders
        let logUID = logUID
        return try await store.queues[logUID].run { () throws(LogError) in try work(folders, logUID) }
    }
}
