import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Synchronization
import Testing

/// OpenSSH's server, and batches of the real backend process against it.
struct Bench: Sendable {
    struct Outcome: Sendable {
        var results: [String: ElementResult] = [:]
        var logs: [String] = []
        var progress: [TransferProgress] = []
        var entries: [(directory: String, entries: [ListingEntry])] = []

        var log: String { logs.joined(separator: "\n") }
    }

    typealias Handler = @Sendable (BackendEvent, BackendRun?) async throws -> Void

    let server: Sshd
    /// A folder of this process's disk: for the batch's scratch, spools and keys.
    let folder: String
    let ssh: DiscoveredProtocol

    /// Runs `body` with a server that ends with it.
    /// - Parameter sftpArguments: For the server, as sftp-server(8) has them.
    static func with(sftpArguments: String = "", _ body: (Bench) async throws -> Void) async throws {
        let ssh = try #require(Built.protocols()["ssh"])
        let folder = NSTemporaryDirectory() + "haul-ssh-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder + "/scratch", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bench = Bench(server: try await Sshd.start(sftpArguments: sftpArguments), folder: folder, ssh: ssh)
        do { try await body(bench) } catch {
            await bench.server.stop()
            throw error
        }
        #expect(bench.parts() == [], "a part file is left")
        await bench.server.stop()
    }

    /// What `~` is.
    var root: String { server.root }

    func site(
        _ options: [String: JSONValue] = [:], endpoints: [String]? = nil, key: String? = nil
    ) -> SiteSpec {
        var all: [String: JSONValue] = ["user": .string(NSUserName()), "host_keys": [.string(server.hostKey)]]
        all.merge(options) { $1 }
        return SiteSpec(
            site: "ssh-a", endpoints: endpoints ?? [server.endpoint], options: all,
            credentials: ["ssh-key": key ?? server.loginKey])
    }

    /// - Parameter site: Both sides of a copy, unless told otherwise.
    func batch(
        _ operation: ProtocolOperation, _ options: [String: JSONValue] = [:], site: SiteSpec? = nil,
        to destination: SiteSpec? = nil, concurrency: Int = 8
    ) -> BatchSpec {
        let site = site ?? self.site()
        return BatchSpec(
            operation: operation, options: options, source: site,
            destination: operation == .copy ? destination ?? site : nil, timeout: 60, scratch: folder + "/scratch",
            spool: folder, concurrency: concurrency)
    }

    /// Starts a batch without ending its input; ``BackendRun/finish()`` does.
    func start(_ batch: BatchSpec, onEvent: @escaping Handler = { _, _ in }) async throws -> Running {
        let running = Running()
        let run = try await BackendRun.start(ssh, batch: batch) { event in
            running.add(event)
            do { try await onEvent(event, running.run) } catch { Issue.record(error) }
        }
        running.set(run)
        return running
    }

    /// Runs elements to their end.
    func run(
        _ batch: BatchSpec, _ elements: [ElementSpec], onEvent: @escaping Handler = { _, _ in }
    ) async throws -> Outcome {
        let running = try await start(batch, onEvent: onEvent)
        for element in elements { await running.run?.add(element) }
        return await running.end()
    }

    /// Runs one element.
    func one(
        _ batch: BatchSpec, _ source: String, _ destination: String? = nil, attempt: Int = 1, last: Bool = false,
        checksum: String? = nil, onEvent: @escaping Handler = { _, _ in }
    ) async throws -> (result: ElementResult, outcome: Outcome) {
        let element = ElementSpec(
            id: "e", source: source, destination: destination, checksum: checksum, attempt: attempt, last: last,
            partSeed: "seed")
        let outcome = try await run(batch, [element], onEvent: onEvent)
        return (try #require(outcome.results["e"]), outcome)
    }

    /// What a batch tells, as it comes.
    final class Running: Sendable {
        private let state = Mutex<(outcome: Outcome, run: BackendRun?)>((Outcome(), nil))

        var run: BackendRun? { state.withLock { $0.run } }
        var outcome: Outcome { state.withLock { $0.outcome } }

        func set(_ run: BackendRun) { state.withLock { $0.run = run } }

        func end() async -> Outcome {
            await run?.finish()
            await run?.wait()
            return outcome
        }

        func add(_ event: BackendEvent) {
            state.withLock { state in
                switch event {
                case .log(_, let text): state.outcome.logs.append(text)
                case .progress(_, let progress): state.outcome.progress.append(progress)
                case .entries(_, let directory, let entries): state.outcome.entries.append((directory, entries))
                case .result(let id, let result): state.outcome.results[id] = result
                case .ask, .answer: break
                }
            }
        }
    }
}
