import Foundation
import HaulStore
import Testing

/// The engine in a world that goes wrong in every way it can, a seed a world. `make simulate SEEDS=FIRST-LAST` runs more;
/// a seed that fails does the same again: `make simulate SEEDS=N`.
@Suite struct SimulationTests {
    private static let steps = 400

    private static var seeds: ClosedRange<UInt64> {
        let text = ProcessInfo.processInfo.environment["HAUL_SEEDS"] ?? "1-200"
        let parts = text.split(separator: "-").compactMap { UInt64($0) }
        guard let first = parts.first, let last = parts.last, first <= last else { return 1...200 }
        return first...last
    }

    /// Worlds at the same time: they have nothing in common but the machine.
    private static let width = 2

    @Test func nothingIsLostTwiceOrStuck() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, seed) in Self.seeds.enumerated() {
                if number >= Self.width { try await group.next() }
                group.addTask {
                    let found = try await Simulation(seed: seed).run(steps: Self.steps).all
                    #expect(found.isEmpty, "seed \(seed): \(found.prefix(5).joined(separator: "\n"))")
                }
            }
            try await group.waitForAll()
        }
    }

    /// The same seed is the same world: the n-th random number is the same after all that happened.
    @Test(arguments: [UInt64(7), 9]) func aSeedRepeatsItself(_ seed: UInt64) async throws {
        var ends: Set<UInt64> = []
        for _ in 0..<2 {
            let simulation = try await Simulation(seed: seed)
            _ = try await simulation.run(steps: 200)
            ends.insert(simulation.fingerprint)
        }
        #expect(ends.count == 1)
    }

    /// An engine with a fault in it is found out within a few seeds: by what does not hold or never ends, not by an error
    /// that ends the world; but where the schema itself is what refuses it.
    @Test(arguments: Mutation.all) func noticesAFault(_ mutation: Mutation) async throws {
        var isNoticed = false
        var failures: [String] = []
        for seed in UInt64(1)...20 where !isNoticed {
            let found = try await Simulation(seed: seed, mutation: mutation).run(steps: Self.steps)
            let isSaid = found.violations.contains { violation in mutation.said.map { violation.contains($0) } ?? true }
            if !mutation.isRefusedBySchema, isSaid { isNoticed = true }
            guard let failure = found.failure else { continue }
            if mutation.isRefusedBySchema, case StoreError.constraint = failure { isNoticed = true }
            failures.append("seed \(seed): \(failure)")
        }
        #expect(isNoticed, "nobody noticed that \(mutation); \(failures.joined(separator: "\n"))")
    }
}
