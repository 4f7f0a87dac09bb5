import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// Answers what many elements ask about single files with few requests: those of one moment that concern one directory
/// become one PROPFIND of it, which costs a server about as much as ten HEADs where it has a hundred files.
///
/// What an element is told was looked at after it had asked, but for one thing: a name that a listing of the last moments did
/// not have is taken to be missing. That saves a request a file, and is no more than a guess: who acts on it must have
/// the server refuse what is there after all (`If-None-Match`, `Overwrite: F`).
final class Lookout: Sendable {
    enum Answer: Sendable {
        case found(Server.Glance)
        /// Ask for this one file: few others ask, or the directory is large.
        case askYourself
    }

    private struct Asker {
        var name: [UInt8]
        var isAfter: Bool
        var continuation: CheckedContinuation<Answer, any Error>
    }

    private struct Round {
        /// That of its first asker.
        let id: Int
        let directory: Location
        var askers: [Int: Asker] = [:]
    }

    private struct Snapshot {
        var names: Set<[UInt8]>
        var time: ContinuousClock.Instant
    }

    private struct State {
        var nextID = 0
        /// Copies at work, and how many of them wait for others to ask.
        var active = 0
        var waiting = 0
        /// Copies that ended since then: others are about to take their places.
        var ended = (count: 0, since: ContinuousClock.now)
        /// Askers that wait for others to ask, by directory.
        var rounds: [String: Round] = [:]
        var answering: [Int: Asker] = [:]
        var snapshots: [String: Snapshot] = [:]
        /// Bytes beyond which the listing of a directory went; `.max` where it has none.
        var large: [String: Int] = [:]
    }

    /// How long a name that was not there is believed not to be there.
    private static let lifetime = Duration.seconds(2)
    /// How long a question waits for others: before a copy, when many begin at once, and after it.
    typealias Gathering = (before: Duration, after: Duration)
    /// How long it takes until others are at work where many copies ended at once.
    private static let refilling = Duration.milliseconds(20)
    /// Fewer ask each for itself.
    private static let fewest = 4
    private static let mostDirectories = 64
    /// Bytes of a listing for each asker (an entry has about 500) beyond which asking for each is cheaper.
    private static let bytesForEach = 6 << 10
    private static let leastBytes = 64 << 10

    private let gathering: Gathering
    private let state = Mutex(State())

    init(gathering: Gathering = (.milliseconds(2), .milliseconds(50))) { self.gathering = gathering }

    /// Runs the copy of a small file: while others are at work, questions wait for theirs.
    func during<Value: Sendable>(_ server: Server, _ body: () async throws -> Value) async throws -> Value {
        state.withLock { state in
            state.active += 1
            if state.ended.count > 0 { state.ended.count -= 1 }
        }
        defer {
            let due = state.withLock { state in
                state.active -= 1
                let now = ContinuousClock.now
                if now - state.ended.since > Self.refilling { state.ended = (0, now) }
                state.ended.count += 1
                return Self.due(&state)
            }
            start(due, server)
        }
        return try await body()
    }

    /// What is at a place before a copy; nothing may be a guess.
    func before(_ location: Location, _ server: Server) async throws -> Answer {
        guard let name = location.segments.last, !server.isPlain else { return .askYourself }
        let key = location.parent.encoded
        let isMissing = state.withLock { state in
            guard let snapshot = state.snapshots[key], ContinuousClock.now - snapshot.time < Self.lifetime else {
                return false
            }
            return !snapshot.names.contains(name)
        }
        if isMissing { return .found(.nothing) }
        return try await ask(name, in: location.parent, key, server, gathering.before, isAfter: false)
    }

    /// What is at a place after a copy.
    func after(_ location: Location, _ server: Server) async throws -> Answer {
        guard let name = location.segments.last, !server.isPlain else { return .askYourself }
        let directory = location.parent
        return try await ask(name, in: directory, directory.encoded, server, gathering.after, isAfter: true)
    }

    private func ask(
        _ name: [UInt8], in directory: Location, _ key: String, _ server: Server, _ patience: Duration, isAfter: Bool
    ) async throws -> Answer {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                let (isFirst, due) = state.withLock { state in
                    let isFirst = state.rounds[key] == nil
                    state.rounds[key, default: Round(id: id, directory: directory)].askers[id] = Asker(
                        name: name, isAfter: isAfter, continuation: continuation)
                    state.waiting += 1
                    // Those that begin come one after the other: the last is not known.
                    return (isFirst, isAfter ? Self.due(&state) : [])
                }
                start(due, server)
                if isFirst, !due.contains(where: { $0.id == id }) { end(id, key, server, after: patience) }
            }
        } onCancel: {
            let asker = state.withLock { state -> Asker? in
                if let asker = state.rounds[key]?.askers.removeValue(forKey: id) {
                    state.waiting -= 1
                    return asker
                }
                return state.answering.removeValue(forKey: id)
            }
            asker?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Has a round wait for others no longer than that.
    private func end(_ id: Int, _ key: String, _ server: Server, after patience: Duration) {
        Task {
            try? await Task.sleep(for: patience)
            let round = state.withLock { $0.rounds[key]?.id == id ? Self.take(key, &$0) : nil }
            start(round.map { [$0] } ?? [], server)
        }
    }

    /// The rounds that are not worth waiting for others any longer: three in four of those at work wait for one. Few of one
    /// directory wait on while others are answered, whose places may be taken by more of it.
    private static func due(_ state: inout State) -> [Round] {
        let coming = ContinuousClock.now - state.ended.since <= refilling ? state.ended.count : 0
        guard state.waiting * 4 >= (state.active + coming) * 3 else { return [] }
        let many = state.rounds.filter { $0.value.askers.count >= fewest }
        return (many.isEmpty ? state.rounds : many).keys.compactMap { take($0, &state) }
    }

    private static func take(_ key: String, _ state: inout State) -> Round? {
        guard let round = state.rounds.removeValue(forKey: key), !round.askers.isEmpty else { return nil }
        state.answering.merge(round.askers) { $1 }
        state.waiting -= round.askers.count
        return round
    }

    private func start(_ rounds: [Round], _ server: Server) {
        for round in rounds {
            let key = round.directory.encoded
            let most = max(Self.leastBytes, round.askers.count * Self.bytesForEach)
            let isWorth = round.askers.count >= Self.fewest && state.withLock { $0.large[key] ?? 0 < most }
            guard isWorth else {
                round.askers.keys.forEach { answer($0, .askYourself) }
                continue
            }
            // Not of one element's task: its cancellation must not fail its neighbours.
            Task { await list(round, key, server, most: most) }
        }
    }

    private func list(_ round: Round, _ key: String, _ server: Server, most: Int) async {
        let time = ContinuousClock.now
        let listing = try? await server.children(round.directory, within: most)
        state.withLock { state in
            if state.snapshots.count >= Self.mostDirectories { state.snapshots = [:] }
            if state.large.count >= Self.mostDirectories { state.large = [:] }
            switch listing {
            case .members(let members)?:
                state.snapshots[key] = Snapshot(names: Set(members.keys), time: time)
            case .missing?: state.snapshots[key] = Snapshot(names: [], time: time)
            case .tooLong?: state.large[key] = 2 * most
            case nil: break
            case .refused?: state.large[key] = .max
            }
        }
        for (id, asker) in round.askers {
            switch listing {
            case .members(let members)?: answer(id, .found(members[asker.name] ?? .nothing))
            case .missing? where !asker.isAfter: answer(id, .found(.nothing))
            // Each is told by the server why.
            case .missing?, .tooLong?, .refused?, nil: answer(id, .askYourself)
            }
        }
    }

    private func answer(_ id: Int, _ answer: Answer) {
        let asker = state.withLock { $0.answering.removeValue(forKey: id) }
        asker?.continuation.resume(returning: answer)
    }
}

extension Server {
    enum Children: Sendable {
        case members([[UInt8]: Glance])
        /// There is no such directory.
        case missing
        case tooLong
        case refused
    }

    /// What a directory holds, by name, as far as its listing has no more than so many bytes. A directory, and what has no
    /// size or time, is ``Glance/unclear``.
    func children(_ directory: Location, within most: Int) async throws -> Children {
        let response = try await curl.metadata.perform(
            request(.propfind(depth: 1), directory, directory: true, body: .memory(most)))
        if response.exitCode == 23 { return .tooLong }
        if response.status == 404 { return .missing }
        guard response.status == 207, response.exitCode == 0 else { return .refused }
        let names = ChildNames(of: directory, at: site)
        let own = Array((site.prefix.encoded + directory.encoded + "/").utf8)
        var members: [[UInt8]: Glance] = [:]
        func add(_ resource: Resource) {
            var href = resource.href
            let name: [UInt8]? = href.withUTF8 { href in
                // As most servers write it; what is not plain is taken apart properly.
                guard href.starts(with: own) else { return nil }
                let rest = href.dropFirst(own.count)
                return rest.isEmpty || rest.contains(UInt8(ascii: "%")) || rest.contains(UInt8(ascii: "/"))
                    ? nil : Array(rest)
            }
            let glance: Glance =
                if !resource.isCollection, resource.status ?? 200 == 200, let size = resource.size,
                    let modified = resource.modified
                {
                    .file(FileFacts(kind: .file, size: size, modified: modified))
                } else {
                    .unclear
                }
            if let name {
                members[name] = glance
            } else if case .child(let name) = names.child(resource.href) {
                members[name] = glance
            }
        }
        if !PlainMultistatus.parse(response.body, found: add) {
            members = [:]
            try Curl.parse(response.body, what: "PROPFIND \(directory.given)", most: .max).forEach(add)
        }
        return .members(members)
    }
}
