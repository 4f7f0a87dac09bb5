import Foundation
import Testing

/// The engine in a world that goes wrong in every way it can, a seed a world. `make simulate SEEDS=FIRST-LAST` runs more;
/// a seed that fails does the same again: `make simulate SEEDS=N`.
@Suite(.serialized) struct SimulationTests {
    private static let steps = 400

    private static var seeds: ClosedRange<UInt64> {
        let text = ProcessInfo.processInfo.environment["HAUL_SEEDS"] ?? "1-200"
        let parts = text.split(separator: "-").compactMap { UInt64($0) }
        guard let first = parts.first, let last = parts.last, first <= last else { return 1...200 }
        return first...last
    }

    @Test func nothingIsLostTwiceOrStuck() async throws {
        for seed in Self.seeds {
            let found = try await Simulation(seed: seed).run(steps: Self.steps)
            #expect(found.isEmpty, "seed \(seed): \(found.prefix(5).joined(separator: "\n"))")
        }
    }

    /// The same seed is the same world: the n-th random number is the same after all that happened.
    @Test func aSeedRepeatsItself() async throws {
        let (one, two) = (Trace(), Trace())
        for trace in [one, two] {
            let simulation = try await Simulation(seed: 7)
            _ = try await simulation.run(steps: 200)
            trace.end = simulation.fingerprint
        }
        #expect(one.end == two.end && one.end != 0)
    }

    private final class Trace { var end: UInt64 = 0 }

    /// An engine with a fault in it is found out within a few seeds.
    @Test(arguments: Mutation.all) func noticesAFault(_ mutation: Mutation) async throws {
        var found: [String] = []
        for seed in UInt64(1)...20 where found.isEmpty {
            found = try await Simulation(seed: seed, mutation: mutation).run(steps: Self.steps)
        }
        #expect(!found.isEmpty, "nobody noticed that \(mutation)")
    }
}
