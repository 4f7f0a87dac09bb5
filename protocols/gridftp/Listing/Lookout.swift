import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// Answers what many elements ask about single files with few questions: those of one moment that concern one directory
/// become one listing of it, or one bundle of MLSTs, and a listing answers for a short while.
final class Lookout: Sendable {
    /// How old an answer may be. One from before a change that this process made counts in no case.
    enum Age {
        /// A listing answers for a short while.
        case lately
        /// It was asked for then, or later.
        case after(ContinuousClock.Instant)
        /// It is asked for now.
        case now
    }

    /// Fewer questions are asked one by one.
    private static let fewest = 8
    /// Bytes of a directory for each name that is asked for, beyond which listing it is not worth it.
    private static let bytesForEach = 1024
    /// The same in entries, where it was listed before.
    private static let entriesForEach = 12
    /// So many do not wait for more; nor does anybody longer than these beats, or where none came in one.
    private static let enough = 48
    private static let mostBeats = 6

    private let server: Server
    private let state: Mutex<LookoutState>

    /// - Parameter lifetime: How long a listing is believed by those who take one of lately.
    init(_ server: Server, lifetime: Duration = .seconds(2)) {
        self.server = server
        state = Mutex(LookoutState(lifetime: lifetime))
    }

    /// What stands at a path; nil for nothing.
    func look(_ path: RemotePath, _ age: Age) async throws -> FactLine? {
        if path.isRoot { return try await server.look(path) }
        return try await ask(path, age).value()
    }

    /// Asks what stands at a path that is not the root.
    func ask(_ path: RemotePath, _ age: Age) -> Answer<FactLine?> {
        let directory = path.parent
        let name = Array(path.name.utf8)
        if let known = state.withLock({ $0.known(name, in: directory, age) }) { return Answer(.success(known.fact)) }
        let answer = Answer<FactLine?>()
        let asker = LookoutState.Asker(path: path, name: name, answer: answer)
        if state.withLock({ $0.gather(asker, in: directory) }) {
            Task(executorPreference: EventLoop.shared) { await self.gather(directory) }
        }
        return answer
    }

    /// Paths were changed: what is known of them does not count any more, nor what is being asked.
    func changed(_ paths: RemotePath...) { changed(paths) }

    func changed(_ paths: [RemotePath]) {
        state.withLock { state in
            for path in paths { state.changed(Array(path.name.utf8), in: path.parent) }
        }
    }

    /// Directories came or went.
    func forget() { state.withLock { $0.forget() } }

    /// Waits while more come.
    private func gather(_ directory: RemotePath) async {
        var seen = 1
        for _ in 0..<Self.mostBeats {
            await Beat.shared.next()
            let count = state.withLock { $0.gathered(in: directory) }
            if count == seen || count >= Self.enough { break }
            seen = count
        }
        let (askers, weight, size) = state.withLock { $0.begin(directory) }
        let isMany = weight >= Self.fewest && size.map { $0 <= weight * Self.entriesForEach } ?? true
        if isMany, await listed(directory, askers, weight, isKnown: size != nil) { return }
        state.withLock { $0.end(directory, single: askers.count) }
        await each(askers)
    }

    private func each(_ askers: [LookoutState.Asker]) async {
        do {
            let replies = try await server.ask(askers.map { "MLST \($0.path.absolute)" })
            for (asker, reply) in zip(askers, replies) {
                asker.answer.resume(Result { try Server.fact(reply, asker.path) })
            }
        } catch {
            for asker in askers { asker.answer.resume(.failure(error)) }
        }
    }

    /// - Parameters:
    ///   - weight: How many asked lately.
    ///   - isKnown: The directory was there, and not too large.
    /// - Returns: False where a listing is not the way.
    private func listed(
        _ directory: RemotePath, _ askers: [LookoutState.Asker], _ weight: Int, isKnown: Bool
    ) async -> Bool {
        do {
            if !isKnown {
                guard let found = try await server.look(directory) else {
                    state.withLock { $0.end(directory, single: 0) }
                    askers.forEach { $0.answer.resume(.success(nil)) }
                    return true
                }
                guard found.kind == .directory, found.size <= weight * Self.bytesForEach else { return false }
            }
            let time = ContinuousClock.now
            let listing = try await server.list(directory)
            var entries: [[UInt8]: FactLine] = Dictionary(minimumCapacity: listing.entries.count)
            for entry in listing.entries { entries[Array(entry.name)] = entry }
            state.withLock { $0.end(directory, LookoutState.Snapshot(entries: entries, time: time)) }
            for asker in askers { asker.answer.resume(.success(entries[asker.name])) }
            return true
        } catch {
            // Asked one by one, each says for itself why.
            return false
        }
    }
}
