import Foundation
import HaulModel
import HaulProtocol

/// Answers what many elements ask about single files with few questions: those of one moment that concern one directory
/// become one listing of it, or one bundle of MLSTs, and a listing answers for a short while.
actor Lookout {
    private struct Asker {
        let path: RemotePath
        let continuation: CheckedContinuation<FactLine?, any Error>
    }

    private struct Snapshot {
        var entries: [Data: FactLine]
        var time: ContinuousClock.Instant
        /// Names that were changed since.
        var stale: Set<Data> = []
    }

    /// How long a listing is believed.
    private static let lifetime = Duration.seconds(2)
    /// How long a question waits for others.
    private static let gathering = Duration.milliseconds(2)
    /// Fewer questions are asked one by one.
    private static let fewest = 8
    private static let mostSnapshots = 16
    /// Bytes of a directory for each name that is asked for, beyond which listing it is not worth it.
    private static let bytesForEach = 1024

    private let server: Server
    private var rounds: [RemotePath: [Int: Asker]] = [:]
    private var snapshots: [RemotePath: Snapshot] = [:]
    private var nextID = 0

    init(_ server: Server) { self.server = server }

    /// What stands at a path; nil for nothing.
    /// - Parameter fresh: What was known before does not count.
    func look(_ path: RemotePath, fresh: Bool = false) async throws -> FactLine? {
        if path.isRoot { return try await server.look(path) }
        let directory = path.parent
        if !fresh, let known = known(path, in: directory) { return known.fact }
        nextID += 1
        let id = nextID
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                if rounds[directory] == nil {
                    rounds[directory] = [:]
                    Task {
                        try? await Task.sleep(for: Self.gathering)
                        await run(directory)
                    }
                }
                rounds[directory]?[id] = Asker(path: path, continuation: continuation)
            }
        } onCancel: {
            Task { await self.abandon(id, directory) }
        }
    }

    /// A path was changed: what is known of it does not count any more.
    func changed(_ path: RemotePath) {
        snapshots[path.parent]?.stale.insert(Data(path.name.utf8))
    }

    /// Directories came or went.
    func forget() { snapshots = [:] }

    private struct Known { let fact: FactLine? }

    private func known(_ path: RemotePath, in directory: RemotePath) -> Known? {
        guard let snapshot = snapshots[directory], ContinuousClock.now - snapshot.time < Self.lifetime else {
            return nil
        }
        let name = Data(path.name.utf8)
        if snapshot.stale.contains(name) { return nil }
        return Known(fact: snapshot.entries[name])
    }

    private func abandon(_ id: Int, _ directory: RemotePath) {
        // One that is being answered gets its answer soon; nothing is waited for beyond the server's patience.
        rounds[directory]?.removeValue(forKey: id)?.continuation.resume(throwing: CancellationError())
        answering.removeValue(forKey: id)?.continuation.resume(throwing: CancellationError())
    }

    private var answering: [Int: Asker] = [:]

    private func run(_ directory: RemotePath) async {
        let askers = rounds.removeValue(forKey: directory) ?? [:]
        guard !askers.isEmpty else { return }
        answering.merge(askers) { $1 }
        if askers.count >= Self.fewest, await listed(directory, askers) { return }
        await each(askers)
    }

    private func each(_ askers: [Int: Asker]) async {
        let ordered = askers.sorted { $0.key < $1.key }
        do {
            let replies = try await server.ask(ordered.map { "MLST \($0.value.path.absolute)" })
            for (asker, reply) in zip(ordered, replies) {
                answer(asker.key, Result { try Server.fact(reply, asker.value.path) })
            }
        } catch {
            for asker in ordered { answer(asker.key, .failure(error)) }
        }
    }

    /// - Returns: False where a listing is not the way.
    private func listed(_ directory: RemotePath, _ askers: [Int: Asker]) async -> Bool {
        do {
            guard let found = try await server.look(directory) else {
                askers.keys.forEach { answer($0, .success(nil)) }
                return true
            }
            guard found.kind == .directory, found.size <= askers.count * Self.bytesForEach else { return false }
            let time = ContinuousClock.now
            let listing = try await server.list(directory)
            var entries: [Data: FactLine] = [:]
            for entry in listing.entries { entries[Data(entry.name)] = entry }
            for (id, asker) in askers { answer(id, .success(entries[Data(asker.path.name.utf8)])) }
            keep(Snapshot(entries: entries, time: time), of: directory)
            return true
        } catch {
            // Asked one by one, each says for itself why.
            return false
        }
    }

    private func keep(_ snapshot: Snapshot, of directory: RemotePath) {
        if snapshots.count >= Self.mostSnapshots,
            let oldest = snapshots.min(by: { $0.value.time < $1.value.time })?.key
        {
            snapshots[oldest] = nil
        }
        snapshots[directory] = snapshot
    }

    private func answer(_ id: Int, _ result: Result<FactLine?, any Error>) {
        answering.removeValue(forKey: id)?.continuation.resume(with: result)
    }
}
