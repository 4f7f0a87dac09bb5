import Foundation
import HaulHTTP
import HaulModel
import Support
import Synchronization

/// Users at work: they register jobs with an Idempotency-Key each, and ask again whatever happens.
final class ChaosLoad: Sendable {
    /// What a job shall have come to.
    enum Deed: Sendable {
        case copied(Tree, to: String)
        case removed(String)
        case renamed(from: String, Tree, to: String)
        case made(String)
    }

    struct Registered: Sendable {
        var id: Int
        var deed: Deed
    }

    private let world: ChaosWorld
    private let users: [Caller]
    /// What is copied.
    let trees: [(name: String, tree: Tree)]
    private let jobs = Mutex<[Registered]>([])

    var registered: [Registered] { jobs.withLock { $0 } }
    /// Reads every job.
    let boss: Caller

    init(_ world: ChaosWorld, _ chance: Seeded) async throws {
        self.world = world
        boss = try await world.server.caller(user: "boss", role: "operator")
        users = [
            try await world.server.caller(user: "alice", role: "user"),
            try await world.server.caller(user: "bob", role: "user"),
        ]
        let isSmall = world.destinationDisk != nil
        trees = try [900_000, 1_200_000, isSmall ? 2_000_000 : 24_000_000].enumerated().map { number, large in
            let tree = Tree(chance, large: large)
            try tree.write(to: "\(world.source)/tree-\(number)")
            return ("tree-\(number)", tree)
        }
    }

    /// Registers jobs until it is told to stop, up to `most` a user.
    func run(_ chance: Seeded, most: Int, until isOver: @escaping @Sendable () -> Bool) async throws {
        try await withThrowingTaskGroup { group in
            for (number, user) in users.enumerated() {
                // Each has a chance of its own: their order is nobody's.
                let chance = Seeded(chance.next())
                group.addTask {
                    for turn in 0..<most where turn < 4 || !isOver() {
                        try await self.register(user, "\(number)-\(turn)", chance)
                        try await Task.sleep(for: .milliseconds(chance.number(10...120)))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func register(_ user: Caller, _ name: String, _ chance: Seeded) async throws {
        let destination = world.destination
        var (type, document): (String, [String: JSONValue])
        let deed: Deed
        let (source, tree) = trees[chance.number(0...(trees.count - 1))]
        let kind = chance.number(0...9)
        switch kind {
        case 0...5:
            let toWeb = world.hasWeb && kind >= 4
            type = "copy"
            document = [
                "src_siteid": .int(ChaosWorld.SiteID.source), "src_filepath": .string("\(world.source)/\(source)"),
                "dst_siteid": .int(toWeb ? ChaosWorld.SiteID.web : ChaosWorld.SiteID.destination),
                "dst_filepath": .string(toWeb ? "/copy-\(name)" : "\(destination)/copy-\(name)"),
            ]
            deed = .copied(tree, to: toWeb ? "\(world.webRoot)/copy-\(name)" : "\(destination)/copy-\(name)")
        case 6:
            let path = "\(world.source)/doomed-\(name)"
            try trees[0].tree.write(to: path)
            type = "remove"
            document = ["src_siteid": .int(ChaosWorld.SiteID.source), "src_filepath": .string(path)]
            deed = .removed(path)
        case 7...8:
            let (from, to) = ("\(world.source)/old-\(name)", "\(world.source)/new-\(name)")
            try trees[0].tree.write(to: from)
            type = "rename"
            document = [
                "src_siteid": .int(ChaosWorld.SiteID.source), "src_filepath": .string(from),
                "dst_siteid": .int(ChaosWorld.SiteID.source), "dst_filepath": .string(to),
            ]
            deed = .renamed(from: from, trees[0].tree, to: to)
        default:
            let path = "\(destination)/made-\(name)"
            type = "mkdir"
            document = ["src_siteid": .int(ChaosWorld.SiteID.destination), "src_filepath": .string(path)]
            deed = .made(path)
        }
        document["max_tries"] = .int(world.options.maxTries)
        let id = try await persistently(user, "/\(type)", .object(document), key: "key-\(name)")
        jobs.withLock { $0.append(Registered(id: id, deed: deed)) }
    }

    /// The same request under the same key, until it is answered.
    private func persistently(_ user: Caller, _ path: String, _ document: JSONValue, key: String) async throws -> Int {
        let deadline = ContinuousClock.now + .seconds(60)
        var last = "no answer"
        while ContinuousClock.now < deadline {
            do {
                let answer = try await user.post(path, document, headers: ["Idempotency-Key": key])
                last = "\(answer)"
                if answer.status == 200, let id = answer["id"]?.int { return id }
                guard answer.status >= 500 else { break }
            } catch let error as HTTPClientError {
                last = "\(error)"
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw NeverHappened(description: "a registration was never taken: \(last)")
    }

    /// Waits until every job has ended, and asks for what failed once more where that may help.
    ///
    /// - Parameter mayFail: a class with which elements may have failed, for good reason.
    func finish(mayFail: String?, within limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        var open = registered.map(\.id)
        while !open.isEmpty {
            var left: [Int] = []
            for id in open {
                switch try await persistentGet("/jobs/\(id)")["status"]?.string {
                case "DONE", "CANCELLED": break
                case "FAILED":
                    guard let mayFail, try await failures(of: id).allSatisfy({ $0 == mayFail || $0 == "not_empty" })
                    else {
                        break
                    }
                    if try await boss.post("/jobs/\(id)/retry", [:]).status == 200 { left.append(id) }
                default: left.append(id)
                }
            }
            if !left.isEmpty, ContinuousClock.now > deadline {
                var says: [String] = []
                for id in left.prefix(5) { says.append("\(try await boss.get("/jobs/\(id)/explain"))") }
                throw NeverHappened(description: "jobs \(left) never end: \(says)")
            }
            open = left
            if !open.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
        }
    }

    private func failures(of id: Int) async throws -> [String] {
        let elements = try await persistentGet("/jobs/\(id)/elements?status=FAILED&listing=none").json.array ?? []
        return elements.map { $0["error_class"]?.string ?? "" }
    }

    private func persistentGet(_ path: String) async throws -> Answer {
        for _ in 0..<100 {
            if let answer = try? await boss.get(path), answer.status == 200 { return answer }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await boss.get(path)
    }
}
