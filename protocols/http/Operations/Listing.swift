import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// LIST: a PROPFIND of depth 1 for each directory, a few ahead, their answers on disk; no server is asked for a whole
/// tree at once, because nginx refuses that and apache answers it from memory.
struct Listing: Sendable {
    private struct Directory: Sendable {
        var location: Location
        var shown: String
        /// Levels below the path that was asked for.
        var level: Int
    }

    private static let ahead = 4
    /// Answers that may wait on disk.
    private static let most = 12
    /// A link to a directory above itself, which servers that follow links never say, ends here.
    private static let deepest = 200
    /// Where it may have ended before: Linux follows forty links of one path, and a server then fails somehow.
    private static let deep = 40
    private static let chunk = 1_000

    let server: Server
    let depth: Int?
    let report: ElementReport

    func run(_ source: String) async throws {
        let location = try Location.checked(source)
        guard let found = try await server.facts(location) else {
            throw BackendFailure(.notFound, "\(source) does not exist")
        }
        guard found.kind == .directory, depth != 0 else {
            let (directory, name) = ListingPath.parent(source)
            let entry = ListingEntry(name: name, kind: found.kind, size: found.size, modified: found.modified ?? 0)
            return try await report.entries(directory: directory, [entry])
        }
        let top = Directory(location: location, shown: ListingPath.directory(source), level: 1)
        let walk = TreeWalk<Directory, Answer>(ahead: Self.ahead, most: Self.most) { directory in
            try await server.ask(directory.location)
        } discard: {
            $0.drop()
        }
        try await walk.run(from: top) { try await list($0, $1) }
    }

    /// Reports one directory; returns those in it that are to be listed too.
    private func list(_ directory: Directory, _ answer: Result<Answer, any Error>) async throws -> [Directory] {
        guard directory.level <= Self.deepest else {
            (try? answer.get())?.drop()
            throw BackendFailure(
                .invalid, "\(directory.shown) is more than \(Self.deepest) levels deep: a link in a circle?")
        }
        let chunks = Chunks(directory: directory.shown, size: Self.chunk, report: report)
        let below = Mutex<[Directory]>([])
        let goesOn = depth.map { directory.level < $0 } ?? true
        do {
            try await server.children(in: try answer.get()) { child in
                let entry = try child.entry(in: directory.shown)
                try chunks.add(entry)
                guard goesOn, child.isDirectory else { return }
                let next = Directory(
                    location: directory.location.child(child.name),
                    shown: ListingPath.child(directory.shown, entry.name), level: directory.level + 1)
                below.withLock { $0.append(next) }
            }
        } catch let failure as BackendFailure where failure.errorClass == .notFound && directory.level > 1 {
            report.log("\(directory.shown) was removed while the tree was listed")
            return []
        } catch let failure as BackendFailure where failure.errorClass == .unknown && directory.level > Self.deep {
            throw BackendFailure(.invalid, "\(failure.reason), \(directory.level) levels deep: a link in a circle?")
        }
        try await chunks.finish()
        return below.withLock { $0 }
    }
}

/// Carries entries from the thread that reads an answer to the report, a chunk at a time; that thread waits while the
/// worker does not keep up, so no more than a chunk is in memory.
private final class Chunks: Sendable {
    private struct State {
        var entries: [ListingEntry] = []
        var sent = false
    }

    private let directory: String
    private let size: Int
    private let report: ElementReport
    private let state = Mutex(State())

    init(directory: String, size: Int, report: ElementReport) {
        self.directory = directory
        self.size = size
        self.report = report
    }

    /// On a thread that may block only.
    func add(_ entry: ListingEntry) throws {
        let full: [ListingEntry]? = state.withLock { state in
            state.entries.append(entry)
            guard state.entries.count >= size else { return nil }
            defer { state.entries = [] }
            state.sent = true
            return state.entries
        }
        guard let full else { return }
        if report.isCancelled { throw CancellationError() }
        let done = DispatchSemaphore(value: 0)
        let failure = Mutex<(any Error)?>(nil)
        Task { [report, directory] in
            do { try await report.entries(directory: directory, full) } catch { failure.withLock { $0 = error } }
            done.signal()
        }
        done.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// The rest; for an empty directory, that it is empty.
    func finish() async throws {
        let rest: [ListingEntry]? = state.withLock { $0.entries.isEmpty && $0.sent ? nil : $0.entries }
        if let rest { try await report.entries(directory: directory, rest) }
    }
}
