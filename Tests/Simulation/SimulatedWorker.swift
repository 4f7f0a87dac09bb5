import HaulModel
import HaulStore
import Support

@testable import HaulEngine

/// A worker as a bad network and a bad machine make it: answers are lost, reports late, twice or in another order, it
/// forgets all in the middle.
final class SimulatedWorker {
    /// An element in its hands.
    struct Held {
        var job: Int
        var element: Element
        var attempt: Int
        var token: String
        /// Where it acts.
        var sites: [Int]

        var name: String { "\(job).\(element.id).\(attempt)" }
    }

    let name: String
    private let bearer: TokenRecord
    private let chance: Seeded
    private let places: SimulatedPlaces
    private var session: Int?
    private var held: [Held] = []
    /// Reports that were not answered yet; some of them of sessions that are over.
    private var outbox: [Report] = []
    /// While it behaves nothing of its is lost, and it fails nothing.
    var behaves = false

    init(name: String, bearer: TokenRecord, chance: Seeded, places: SimulatedPlaces) {
        self.name = name
        self.places = places
        self.bearer = bearer
        self.chance = chance
    }

    private func isLost(_ share: Int) -> Bool { !behaves && chance.percent(share) }

    /// Does one thing.
    func step(_ server: SimulatedServer, _ record: Record) async throws {
        if isLost(2) {
            // It died. What it knew is gone, but for reports that are still on their way.
            held = []
            session = nil
            return
        }
        guard let session else { return try await register(server) }
        do {
            switch chance.number(0...9) {
            case 0...2: try await claim(server, session)
            case 3: try await beat(server, session)
            case 4: try await progress(server)
            case 5: try await sendPiece(server)
            case 6...7: finish()
            default: try await send(server, record)
            }
            if behaves { try await beat(server, session) }
        } catch let error as EngineError where error.code == "session_ended" {
            held = []
            self.session = nil
        }
    }

    /// A piece of a log that grows.
    private func sendPiece(_ server: SimulatedServer) async throws {
        guard let item = chance.pick(held) else { return }
        do {
            _ = try await server.ask {
                try await $0.appendLog(
                    Array("a piece\n".utf8), at: 0, job: item.job, element: item.element.id, token: item.token)
            }
        } catch let error as EngineError where Self.isOver(error) {
            // Its lease is over.
        }
    }

    private func register(_ server: SimulatedServer) async throws {
        let worker = WorkerRecord(
            name: name, host: "h", version: "1", slots: 2, protocols: ["SSH"], sites: [])
        let started = try await server.ask { try await $0.startSession(worker, bearer: self.bearer).id }
        // The answer may be lost: it will register once more.
        if !isLost(10) { session = started }
    }

    private func claim(_ server: SimulatedServer, _ session: Int) async throws {
        let query = ClaimQuery(
            types: Set(JobType.transfers), protocols: nil, sites: nil, session: session,
            measure: chance.percent(80) ? .number(chance.number(1...4)) : .size(chance.number(0...50)),
            bearer: bearer, host: "h")
        let handouts = try await server.ask { try await $0.claim(query, wait: 0) }
        if isLost(15) { return }
        for handout in handouts {
            held += handout.items.map {
                Held(
                    job: handout.job.id, element: $0.element, attempt: $0.attempt, token: $0.token,
                    sites: SiteUse.sites(handout.job.uses(by: $0.element.type)))
            }
        }
    }

    private func beat(_ server: SimulatedServer, _ session: Int) async throws {
        if isLost(10) { return }
        let holding = Set(held.map(\.name) + outbox.map { "\($0.jobID).\($0.elementID).\($0.attempt)" })
        let answer = try await server.ask {
            try await $0.heartbeat(
                session: session, holding: holding, HeartbeatRecord(load: 1), bearer: self.bearer)
        }
        if isLost(10) { return }
        held.removeAll { answer.unknown.contains($0.name) }
        for item in held where answer.stop.contains(item.name) {
            held.removeAll { $0.name == item.name }
            outbox.append(report(item, returnCode: 1, .interrupted))
        }
    }

    private func progress(_ server: SimulatedServer) async throws {
        guard let item = chance.pick(held) else { return }
        let isDead = item.sites.contains { places.down.contains($0) }
        let progress = Attempt.Progress(
            transferred: isDead ? 0 : chance.number(-1...100), elapsed: 1, instant: 1, average: 1)
        do {
            _ = try await server.ask {
                try await $0.progress(progress, job: item.job, element: item.element.id, token: item.token)
            }
        } catch let error as EngineError where Self.isOver(error) {
            held.removeAll { $0.name == item.name }
        }
    }

    /// What says that a lease is over; of a job whose time is over too nothing is there any more.
    private static func isOver(_ error: EngineError) -> Bool { error.kind == .conflict || error.kind == .notFound }

    private func finish() {
        guard !held.isEmpty else { return }
        let item = held.remove(at: chance.number(0...(held.count - 1)))
        if let dead = item.sites.first(where: { places.down.contains($0) }) {
            // Some tools say which of the two it was.
            let blamed = chance.percent(20) ? dead : nil
            return outbox.append(report(item, returnCode: 1, chance.percent(70) ? .connect : .timeout, blamed))
        }
        let fails = !behaves && chance.percent(30)
        let classes: [ErrorClass] = [.connect, .busy, .permission, .interrupted, .notFound, .unknown]
        outbox.append(report(item, returnCode: fails ? 1 : 0, fails ? chance.pick(classes) : nil))
    }

    private func report(_ item: Held, returnCode: Int, _ errorClass: ErrorClass?, _ blamed: Int? = nil) -> Report {
        let isListing = item.element.type == .list && returnCode == 0
        return Report(
            jobID: item.job, elementID: item.element.id, token: item.token, returnCode: returnCode, host: "h",
            log: Array("log of \(item.name)\n".utf8),
            listing: isListing ? SimulatedTree.lines(of: item.element.sourcePath, chance) : nil,
            errorClass: errorClass, blamedSite: blamed, transferred: item.element.size,
            sent: [item.name, "\(returnCode)"])
    }

    /// Sends a few reports, not always the oldest first, some of them twice.
    private func send(_ server: SimulatedServer, _ record: Record) async throws {
        var group: [Report] = []
        for _ in 0..<chance.number(1...3) where !outbox.isEmpty {
            let report = outbox.remove(at: behaves ? 0 : chance.number(0...(outbox.count - 1)))
            group.append(report)
            if isLost(10) { group.append(report) }
        }
        if group.isEmpty || isLost(10) { return outbox += group }
        let verdicts: [Verdict]
        do { verdicts = try await server.ask { [group] in try await $0.report(group) } } catch {
            // It sends the same again. Where the server refused it was not taken, but for what another took.
            outbox += group
            if error is ServerDied || !server.isAlone { for report in group { record.heardNothing(of: report) } }
            throw error
        }
        for (report, verdict) in zip(group, verdicts) { record.saw(report, verdict) }
        // What is away may be there later; an answer that is lost makes it send the same again.
        let isAnswerLost = isLost(15)
        for (report, verdict) in zip(group, verdicts) {
            guard case .refused(let error) = verdict, error.kind == .unavailable else {
                if isAnswerLost { outbox.append(report) }
                continue
            }
            outbox.append(report)
        }
    }
}

extension Report {
    /// The number of the attempt, as its token has it.
    var attempt: Int { Int(token.split(separator: ".")[2]) ?? 0 }
}

/// Which sites are down.
final class SimulatedPlaces {
    var down: Set<Int> = []
}

/// What a site holds, as a LIST finds it.
enum SimulatedTree {
    static func lines(of source: String, _ chance: Seeded) -> [ListingLine] {
        if chance.percent(20) {
            let entry = ListingEntry(name: TransferPath.name(source), kind: .file, size: chance.number(0...30))
            return [ListingLine(directory: TransferPath.parent(source), entry: entry)]
        }
        var lines: [ListingLine] = []
        var directories = [(path: source, depth: 0)]
        while let (path, depth) = directories.popLast() {
            let count = chance.number(0...4)
            if count == 0 { lines.append(ListingLine(directory: path, entry: nil)) }
            for number in 0..<count {
                let isDirectory = depth < 3 && chance.percent(25)
                let entry = ListingEntry(
                    name: "n\(number)", kind: isDirectory ? .directory : .file, size: chance.number(0...30))
                lines.append(ListingLine(directory: path, entry: entry))
                if isDirectory { directories.append(("\(path)/n\(number)", depth + 1)) }
            }
        }
        return lines
    }
}
