import Support
import Synchronization

/// Lets several do their work at once, one at a time: before each transaction chance says who goes on. So what one does
/// comes between two transactions of another, as it does between servers or between requests, and yet a seed is a world.
///
/// Each may do but one transaction at a time.
final class Turns: Sendable {
    /// Whose work a task does.
    private struct Place: Sendable {
        var turns: Turns
        var number: Int
    }

    @TaskLocal private static var place: Place?

    private struct State {
        var unfinished: Int
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    /// `@unchecked Sendable`: of all parts one goes on at a time, and who goes on was told so under a lock.
    private struct Part: @unchecked Sendable {
        var work: () async throws -> Void
    }

    private let state: Mutex<State>
    private let chance: Seeded

    private init(_ count: Int, _ chance: Seeded) {
        state = Mutex(State(unfinished: count))
        self.chance = chance
    }

    /// Does all parts.
    ///
    /// - Throws: what the first of them threw, once all have come to their ends.
    static func take(_ parts: [() async throws -> Void], _ chance: Seeded) async throws {
        let turns = Turns(parts.count, chance)
        let failures = await withTaskGroup(of: (Int, (any Error)?).self) { group in
            for (number, part) in parts.map({ Part(work: $0) }).enumerated() {
                group.addTask {
                    await $place.withValue(Place(turns: turns, number: number)) {
                        await pass()
                        var failure: (any Error)?
                        do { try await part.work() } catch { failure = error }
                        turns.next { $0.unfinished -= 1 }
                        return (number, failure)
                    }
                }
            }
            var failures: [Int: any Error] = [:]
            for await (number, failure) in group { failures[number] = failure }
            return failures
        }
        if let first = failures.min(by: { $0.key < $1.key }) { throw first.value }
    }

    /// Awaited before each transaction: returns when it is the turn of whose work this is, at once where nobody else
    /// works.
    @Sendable static func pass() async {
        guard let place else { return }
        await withCheckedContinuation { continuation in
            place.turns.next { $0.waiting[place.number] = continuation }
        }
    }

    private func next(_ change: (inout State) -> Void) {
        let chosen = state.withLock { state -> CheckedContinuation<Void, Never>? in
            change(&state)
            guard state.waiting.count == state.unfinished else { return nil }
            return chance.pick(state.waiting.keys.sorted()).flatMap { state.waiting.removeValue(forKey: $0) }
        }
        chosen?.resume()
    }
}
