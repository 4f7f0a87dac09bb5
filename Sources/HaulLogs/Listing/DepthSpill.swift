import Glibc
import Synchronization

/// Lines sorted by depth on disk, so that a REMOVE's elements are numbered deepest first without memory that follows
/// their number. One task at a time may write it.
///
/// What a process did not `seal` is worth nothing after a crash: the first `append` begins anew.
public final class DepthSpill: Sendable {
    /// Deeper than any path of `TransferPath.maximumLength` bytes.
    public static let maximumDepth = 4096
    private static let longestLine = 256 << 10
    private static let piece = 512 << 10

    private struct State {
        var lines: [Int: [UInt8]] = [:]
        var buffered = 0
        var hasBegun = false
    }

    private let folders: JobFolders
    private let queue: WorkQueue
    private let logUID: String
    private let bufferSize: Int
    private let state = Mutex(State())

    init(folders: JobFolders, queue: WorkQueue, logUID: String, bufferSize: Int) {
        self.folders = folders
        self.queue = queue
        self.logUID = logUID
        self.bufferSize = bufferSize
    }

    private var folder: String { folders.path(logUID, folders.own("spill")) }
    private var mark: String { folder + "/sealed" }
    private func file(_ depth: Int) -> String { folder + "/depth-\(depth)" }

    /// Adds a line (without its end) to those of its depth. Most calls only touch memory.
    ///
    /// - Throws: `invalidKey` for a depth out of range or a line that holds a line end; `full`, `io`.
    public func append(depth: Int, line: [UInt8]) async throws(LogError) {
        guard (0...Self.maximumDepth).contains(depth) else { throw .invalidKey("depth \(depth)") }
        guard line.count <= Self.longestLine, !line.contains(0x0A) else { throw .invalidKey("line") }
        let isFull = state.withLock { state in
            state.lines[depth, default: []] += line
            state.lines[depth, default: []].append(0x0A)
            state.buffered += line.count + 1
            return state.buffered >= bufferSize
        }
        if isFull { try await flush() }
    }

    /// Makes what was appended durable and ready to be read.
    public func seal() async throws(LogError) {
        try await flush()
        try await run { spill throws(LogError) in
            for name in FolderRemoval.names(spill.folder) {
                try OpenFile(spill.folder + "/" + name, O_RDWR)?.syncData()
            }
            try spill.folders.sync(folder: spill.folder)
            // The mark comes last: where it is found, all else is.
            try OpenFile(spill.mark, O_RDWR | O_CREAT)?.sync()
            for folder in [spill.folder] + spill.folders.unsynced(spill.logUID, spill.folders.own("spill")) {
                try spill.folders.sync(folder: folder)
            }
        }
    }

    public func isSealed() async throws(LogError) -> Bool {
        try await run { spill throws(LogError) in
            var status = stat()
            if lstat(spill.mark, &status) == 0 { return true }
            guard errno == ENOENT || errno == ENOTDIR else { throw LogError.system("stat") }
            return false
        }
    }

    /// The depths that hold a line, in ascending order.
    public func depths() async throws(LogError) -> [Int] {
        try await run { spill throws(LogError) -> [Int] in
            let names = FolderRemoval.names(spill.folder).filter { $0.hasPrefix("depth-") }
            return names.compactMap { Int($0.dropFirst("depth-".count)) }.sorted()
        }
    }

    /// Up to `limit` lines of a depth, beginning `offset` bytes from its start.
    ///
    /// - Returns: the lines without their ends, the offset of the next one, and whether there is none.
    /// - Throws: `missing`, `io`.
    public func read(
        _ depth: Int, from offset: Int, limit: Int
    ) async throws(LogError) -> (lines: [[UInt8]], offset: Int, isEnd: Bool) {
        guard offset >= 0 else { throw .invalidKey("offset") }
        return try await run { spill throws(LogError) -> (lines: [[UInt8]], offset: Int, isEnd: Bool) in
            guard let file = try OpenFile(spill.file(depth), O_RDONLY) else { throw .missing("depth-\(depth)") }
            let found = try LineFile.lines(file, from: offset, count: Self.piece, limit: limit)
            return (found.lines.map { Array($0) }, found.offset, found.offset >= (try file.size()))
        }
    }

    /// Drops everything.
    ///
    /// - Throws: `io` when something stays.
    public func remove() async throws(LogError) {
        try await run { spill throws(LogError) in
            spill.state.withLock { $0 = State() }
            try spill.clear()
        }
    }

    /// The mark goes first: what a crash leaves of the rest is not taken for whole.
    private func clear() throws(LogError) {
        unlink(mark)
        try FolderRemoval.remove(folder)
    }

    private func run<Value: Sendable>(
        _ work: @escaping @Sendable (DepthSpill) throws(LogError) -> Value
    ) async throws(LogError) -> Value {
        try AttemptKey.validate(logUID: logUID)
        return try await queue.run { [self] () throws(LogError) in try work(self) }
    }

    /// Writes what is buffered, one open file after the other. It is not durable before `seal`.
    public func flush() async throws(LogError) {
        try await run { spill throws(LogError) in
            let (lines, isFirst) = spill.state.withLock { state in
                let taken = state.lines
                let isFirst = !state.hasBegun
                state = State(hasBegun: true)
                return (taken, isFirst)
            }
            do throws(LogError) {
                if isFirst { try spill.begin() }
                for (depth, bytes) in lines {
                    guard let file = try OpenFile(spill.file(depth), O_RDWR | O_CREAT, room: spill.folders.room) else {
                        throw .io("open")
                    }
                    try file.write(bytes[...], at: try file.size())
                }
            } catch {
                // Some lines are written and some lost: only a new beginning is sound.
                spill.state.withLock { $0 = State() }
                throw error
            }
        }
    }

    private func begin() throws(LogError) {
        try clear()
        try folders.make(logUID)
        guard mkdir(folder, 0o700) == 0 else { throw LogError.system("mkdir") }
    }
}

extension LogStore {
    /// Scratch of a job's expansion, as it is on disk.
    public func spill(_ logUID: String) -> DepthSpill {
        DepthSpill(folders: folders, queue: growing[logUID], logUID: logUID, bufferSize: limits.spillBuffer)
    }
}
