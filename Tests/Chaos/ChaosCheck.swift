import Foundation
import HaulModel
import HaulProtocol
import Support

/// What holds after everything: files, jobs, attempts and logs.
struct ChaosCheck: Sendable {
    let world: ChaosWorld
    let load: ChaosLoad
    /// An element may have had failed attempts beyond its tries: a user asked for it again.
    var isRetried = false

    /// - Returns: what does not hold.
    func problems() async throws -> [String] {
        var problems = files()
        for job in load.registered { problems += try await self.problems(ofJob: job.id) }
        let ids = load.registered.map(\.id)
        if Set(ids).count != ids.count { problems.append("two registrations were answered with one job: \(ids)") }
        let all = try await load.boss.get("/jobs?user=*").json.array?.compactMap { $0["id"]?.int } ?? []
        if Set(all) != Set(ids) {
            problems.append("jobs \(Set(all).symmetricDifference(ids).sorted()) are nobody's, or gone")
        }
        return problems
    }

    /// Every file once and byte for byte, what was removed gone, and nothing else.
    private func files() -> [String] {
        var problems: [String] = []
        var expected: Set<String> = []
        func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
        for job in load.registered {
            switch job.deed {
            case .copied(let tree, let path):
                expected.insert(path)
                problems += tree.problems(at: path)
            case .removed(let path):
                if isThere(path) { problems.append("\(path) was removed and is there") }
            case .renamed(let from, let tree, let to):
                expected.insert(to)
                if isThere(from) { problems.append("\(from) was renamed and is there") }
                problems += tree.problems(at: to)
            case .made(let path):
                expected.insert(path)
                if !isThere(path) { problems.append("\(path) is missing") }
            }
        }
        for number in load.trees.indices { expected.insert("\(world.source)/\(load.trees[number].name)") }
        for root in [world.source, world.destination, world.webRoot] {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
            where !expected.contains("\(root)/\(name)") && name != "ballast" && name != ".DAV" {
                problems.append("\(root)/\(name) is too many")
            }
        }
        for root in [world.source, world.destination, world.webRoot] {
            let parts = Tree.files(below: root).filter { $0.contains(PartFile.prefix) || $0.contains(".davfs.tmp") }
            problems += parts.map { "\(root)/\($0) is left over" }
        }
        return problems
    }

    private func problems(ofJob id: Int) async throws -> [String] {
        var problems: [String] = []
        let job = try await load.boss.get("/jobs/\(id)")
        let elements = try await load.boss.get("/jobs/\(id)/elements?listing=none").json.array ?? []
        if job["status"] != "DONE" { problems.append("job \(id) is \(job)") }
        if job["num_elements"] != .int(elements.count) || job["num_done"] != .int(elements.count) {
            problems.append("job \(id) counts otherwise than its \(elements.count) elements: \(job)")
        }
        let output = try await load.boss.get("/jobs/\(id)/output?attempts=all")
        guard let attempts = output.json.array, output.status == 200, attempts.count == elements.count else {
            return problems + ["the outputs of job \(id) can't be read: \(output.status) \(output.text.prefix(500))"]
        }
        for (element, attempts) in zip(elements, attempts) {
            let name = "element \(id).\(element["id"]?.int ?? -1)"
            let outcomes = attempts.array?.compactMap { $0["status"]?.string } ?? []
            if element["status"] != "DONE" || outcomes.last != "DONE" || outcomes.count(where: { $0 == "DONE" }) != 1 {
                problems.append("\(name) is \(element), its attempts ended \(outcomes)")
            }
            if element["attempts"] != .int(outcomes.count) {
                problems.append("\(name) has \(outcomes.count) attempts: \(element)")
            }
            // As many as are forgiven at most.
            if outcomes.count > world.options.maxTries + 10, !isRetried {
                problems.append("\(name): \(outcomes.count) attempts")
            }
            if attempts.array?.contains(where: { $0["log"]?.string?.isEmpty != false }) == true {
                problems.append("\(name): an attempt has no log: \(attempts)")
            }
        }
        return problems
    }
}
