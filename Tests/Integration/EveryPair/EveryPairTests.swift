import Foundation
import HaulModel
import Support
import Testing

/// Copies between all protocols as users register them: through a real server, out of the vault, by a real worker.
@Suite(.serialized, .timeLimit(.minutes(10))) struct EveryPairTests {
    /// One is more than any protocol sends at once, or keeps on the way.
    private static let tree: [String: [UInt8]] = [
        "large file's \"name\" & $(more).bin": Seeded(1).bytes(9_000_001), "empty": [],
        "deep/er/-rf": Seeded(2).bytes(4096), "deep/größer": Seeded(3).bytes(70_000),
    ]

    private typealias Pair = (source: EveryServer.Place, target: EveryServer.Place)

    private func pairs(_ every: EveryServer) -> [Pair] {
        every.places.flatMap { source in every.places.map { (source, $0) } }.filter { $0.name != $1.name }
    }

    private func differences(_ found: [String: [UInt8]], _ wanted: [String: [UInt8]]) -> [String] {
        Set(found.keys).union(wanted.keys).filter { found[$0] != wanted[$0] }.map {
            "\($0): \(found[$0].map { "\($0.count) bytes" } ?? "nothing")"
        }.sorted()
    }

    @Test func everyPair() async throws {
        try await EveryServer.with { every in
            for place in every.places { try await every.lay(Self.tree, in: "tree", at: place) }
            try await every.withWorker { _ in
                var jobs: [(Pair, Int)] = []
                for pair in pairs(every) {
                    let job = try await every.copy(
                        "tree", from: pair.source, to: pair.target, as: "from \(pair.source.name)",
                        ["verify": "checksum"])
                    jobs.append((pair, job))
                }
                for (pair, job) in jobs {
                    let name = "\(pair.source.name) to \(pair.target.name)"
                    let end = try await every.end(of: job)
                    #expect(end == "DONE", "\(name)")
                    let found = try await every.files(in: "from \(pair.source.name)", at: pair.target)
                    #expect(differences(found, Self.tree) == [], "\(name)")
                }
                #expect(try await every.s3.uploads() == 0)
            }
        }
    }

    /// A worker that is killed in the midst of copies between all protocols, twice: another ends them, each file is whole,
    /// and of what was on its way nothing is left.
    @Test func everyPairWhoseWorkerDies() async throws {
        let tree = ["large.bin": Seeded(4).bytes(6_000_001)]
        try await EveryServer.with(leaseSeconds: 3) { every in
            for place in every.places { try await every.lay(tree, in: "tree", at: place) }
            let pairs = pairs(every)
            var jobs: [Int] = []
            for pair in pairs {
                jobs.append(
                    try await every.copy(
                        "tree", from: pair.source, to: pair.target, as: "from \(pair.source.name)",
                        ["bandwidth": 4_000_000]))
            }
            for _ in 0..<2 {
                try await every.withWorker { worker in
                    try await eventually("parts are on their way") {
                        var parts = try await every.unfinished()
                        for pair in pairs {
                            let found = try await every.files(in: "from \(pair.source.name)", at: pair.target)
                            parts += found.count { $0.key != "large.bin" && !$0.value.isEmpty }
                        }
                        return parts >= 4
                    }
                    await worker.kill()
                }
                for pair in pairs {
                    let found = try await every.files(in: "from \(pair.source.name)", at: pair.target)
                    if let large = found["large.bin"] { #expect(large == tree["large.bin"], "\(pair)") }
                }
            }
            try await every.withWorker { _ in
                for (pair, job) in zip(pairs, jobs) {
                    let name = "\(pair.source.name) to \(pair.target.name)"
                    let end = try await every.end(of: job)
                    #expect(end == "DONE", "\(name)")
                    let found = try await every.files(in: "from \(pair.source.name)", at: pair.target)
                    #expect(differences(found, tree) == [], "\(name)")
                }
            }
            // An upload that was begun and has no part yet is nobody's: nothing says who began it.
            #expect(try await every.unfinished() == 0)
        }
    }
}
