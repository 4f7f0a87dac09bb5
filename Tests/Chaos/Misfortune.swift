import Foundation
import HaulPlayground
import HaulProtocol
import Support

/// What goes wrong, at a moment of chance. When it returns all runs again.
enum Misfortune: CaseIterable, Sendable {
    case serverKilled, workerKilled, backendKilled, workerStopped, workerFrozen, serverStopped, stateDiskFull,
        destinationFull,
        networkDown, networkSilent, databaseKilled

    /// Longer than a lease, so that all of them are over.
    private static let long = Duration.seconds(ChaosWorld.lease + 1.5)

    /// Whether a world has what this takes.
    func fits(_ world: ChaosWorld) -> Bool {
        switch self {
        case .stateDiskFull: world.stateDisk != nil
        case .destinationFull: world.destinationDisk != nil
        case .networkDown, .networkSilent: world.options.network != nil
        case .databaseKilled: world.cluster != nil
        default: true
        }
    }

    /// - Returns: false where nothing was found that it could have struck.
    @discardableResult
    func strike(_ world: ChaosWorld, _ chance: Seeded) async throws -> Bool {
        let worker = world.workers[chance.number(0...(world.workers.count - 1))]
        switch self {
        case .serverKilled:
            await world.server.kill()
            try await Task.sleep(for: .milliseconds(chance.number(0...1000)))
            try await world.server.start()
        case .workerKilled:
            await worker.kill()
            try await Task.sleep(for: .milliseconds(chance.number(0...500)))
            try await worker.start()
        case .backendKilled:
            // Whichever runs: each lives for a moment only.
            for _ in 0..<200 {
                let backends = world.workers.flatMap(\.backends)
                guard let victim = chance.pick(backends) else {
                    try await Task.sleep(for: .milliseconds(5))
                    continue
                }
                kill(victim, SIGKILL)
                return true
            }
            return false
        case .workerStopped:
            worker.process?.signal(SIGSTOP)
            try await Task.sleep(for: Self.long)
            worker.process?.signal(SIGCONT)
        case .workerFrozen: return try await freeze(world, chance)
        case .serverStopped:
            world.server.process?.signal(SIGSTOP)
            try await Task.sleep(for: Self.long)
            world.server.process?.signal(SIGCONT)
        case .stateDiskFull: try await fill(world.stateDisk, chance)
        case .destinationFull: try await fill(world.destinationDisk, chance)
        case .networkDown: try await cut(world, .down)
        case .networkSilent: try await cut(world, .silent)
        case .databaseKilled:
            await world.cluster?.kill()
            try await Task.sleep(for: .milliseconds(chance.number(0...1000)))
            try await world.cluster?.start()
        }
        return true
    }

    /// A worker stands still with all that it runs, as a machine does that is suspended, until others have its work; then
    /// its backends wake up, and it itself last.
    private func freeze(_ world: ChaosWorld, _ chance: Seeded) async throws -> Bool {
        let inTheMiddle = chance.percent(80)
        for _ in 0..<2000 {
            guard let (worker, first) = Self.atWork(world, inTheMiddle) else {
                try await Task.sleep(for: .milliseconds(1))
                continue
            }
            kill(-first, SIGSTOP)
            if inTheMiddle, !Self.writesPart(first) {
                // It was faster.
                kill(-first, SIGCONT)
                continue
            }
            worker.process?.signal(SIGSTOP)
            // Each leads a group, with the tools that it runs.
            let backends = worker.backends.filter { getpgid($0) == $0 }
            for backend in backends { kill(-backend, SIGSTOP) }
            // Others have time to try more than once.
            try await Task.sleep(for: Self.long * 2)
            for backend in backends { kill(-backend, SIGCONT) }
            try await Task.sleep(for: .milliseconds(chance.number(0...1000)))
            worker.process?.signal(SIGCONT)
            return true
        }
        return false
    }

    /// A worker and one of its backends, if there is one that leads its group and, where that is asked for, writes.
    private static func atWork(_ world: ChaosWorld, _ writes: Bool) -> (RealWorker, Int32)? {
        for worker in world.workers {
            for backend in worker.backends where getpgid(backend) == backend && (!writes || writesPart(backend)) {
                return (worker, backend)
            }
        }
        return nil
    }

    /// Whether a process has a file open that has not got its final name yet.
    private static func writesPart(_ pid: Int32) -> Bool {
        let descriptors = "/proc/\(pid)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: descriptors)) ?? []
        return names.contains { name in
            let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(descriptors)/\(name)")
            return path?.contains(PartFile.prefix) == true
        }
    }

    private func fill(_ disk: TinyDisk?, _ chance: Seeded) async throws {
        guard let disk else { return }
        try disk.take()
        try await Task.sleep(for: .milliseconds(chance.number(500...2000)))
        try disk.giveBack()
    }

    private func cut(_ world: ChaosWorld, _ how: Network.Cut) async throws {
        guard let network = world.options.network else { return }
        try await network.cut(how)
        try await Task.sleep(for: Self.long)
        try await network.mend(how)
    }
}
