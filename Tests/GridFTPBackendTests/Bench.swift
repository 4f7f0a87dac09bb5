import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Synchronization
import Testing

/// Runs batches of the real backend process against real servers, and keeps what it tells.
struct Bench {
    struct Outcome {
        var results: [String: ElementResult] = [:]
        var logs: [String] = []
        var entries: [(directory: String, entries: [ListingEntry])] = []
        /// The figures of `progress` lines.
        var progress: [Int] = []

        /// The paths of a listing, each with its size; directories end with a slash.
        var paths: [String: Int] {
            var paths: [String: Int] = [:]
            for (directory, entries) in entries {
                for entry in entries { paths[directory + "/" + entry.displayName] = entry.size }
            }
            return paths
        }
    }

    let folder: String
    let gridftp: DiscoveredProtocol

    init() throws {
        folder = NSTemporaryDirectory() + "haul-gridftp-test-\(UUID().uuidString.prefix(13))"
        for name in ["", "/a", "/b", "/scratch", "/spool"] {
            try FileManager.default.createDirectory(atPath: folder + name, withIntermediateDirectories: true)
        }
        gridftp = try #require(Built.protocols()["gridftp"])
    }

    var a: String { folder + "/a" }
    var b: String { folder + "/b" }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ path: String, _ content: String) throws { try write(path, Data(content.utf8)) }

    func write(_ path: String, _ content: Data) throws {
        let parent = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try content.write(to: URL(fileURLWithPath: path))
    }

    func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    func names(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    func batch(
        _ operation: ProtocolOperation, _ source: SiteSpec, to destination: SiteSpec? = nil,
        options: [String: JSONValue] = [:], timeout: Int = 120, concurrency: Int = 64
    ) -> BatchSpec {
        BatchSpec(
            operation: operation, options: gridftp.manifest.merged(options), source: source, destination: destination,
            timeout: timeout, scratch: folder + "/scratch", spool: folder + "/spool", concurrency: concurrency)
    }

    /// Runs elements to their end.
    /// - Parameter onStart: told the backend's process id before it has an element.
    func run(
        _ batch: BatchSpec, _ elements: [ElementSpec],
        onEvent: @escaping @Sendable (BackendEvent, BackendRun?) async -> Void = { _, _ in },
        onStart: @Sendable (Int32) -> Void = { _ in }
    ) async throws -> Outcome {
        let outcome = Mutex(Outcome())
        let running = Mutex<BackendRun?>(nil)
        let run = try await BackendRun.start(gridftp, batch: batch) { event in
            outcome.withLock { outcome in
                switch event {
                case .log(_, let text): outcome.logs.append(text)
                case .progress(_, let progress): outcome.progress.append(progress.transferred)
                case .entries(_, let directory, let entries): outcome.entries.append((directory, entries))
                case .result(let id, let result): outcome.results[id] = result
                case .ask, .answer: break
                }
            }
            await onEvent(event, running.withLock { $0 })
        }
        running.withLock { $0 = run }
        onStart(run.pid)
        for element in elements { await run.add(element) }
        await run.finish()
        await run.wait()
        running.withLock { $0 = nil }
        return outcome.withLock { $0 }
    }

    /// Runs one element.
    func one(
        _ batch: BatchSpec, _ source: String, _ destination: String? = nil, attempt: Int = 1, last: Bool = false,
        checksum: String? = nil,
        onEvent: @escaping @Sendable (BackendEvent, BackendRun?) async -> Void = { _, _ in },
        onStart: @Sendable (Int32) -> Void = { _ in }
    ) async throws -> (result: ElementResult, outcome: Outcome) {
        let outcome = try await run(
            batch,
            [
                ElementSpec(
                    id: "1.0.\(attempt)", source: source, destination: destination, checksum: checksum,
                    attempt: attempt, last: last, partSeed: "seed")
            ], onEvent: onEvent, onStart: onStart)
        return (outcome.results["1.0.\(attempt)"] ?? .failed(.lost, "no result"), outcome)
    }
}

/// How the two servers of a test know who asks.
enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case anonymous, gsi

    var testDescription: String { rawValue }

    struct Servers {
        let bench: Bench
        let a: SiteSpec
        let b: SiteSpec
        let first: GridFTPServer
        let second: GridFTPServer
    }

    /// Runs `body` with two servers. With GSI the two sites have proxies of different users.
    func withServers(
        _ arguments: [String] = [], _ body: (_ servers: Servers) async throws -> Void
    ) async throws {
        let bench = try Bench()
        defer { bench.remove() }
        let grid = self == .gsi ? try await Grid.make() : nil
        let proxies = [try await grid?.proxy("alice"), try await grid?.proxy("bob")]
        func start() async throws -> GridFTPServer {
            guard let grid else { return try await .anonymous(arguments) }
            return try await .gsi(grid, arguments)
        }
        func site(_ name: String, _ server: GridFTPServer, _ proxy: String?) -> SiteSpec {
            SiteSpec(
                site: name, endpoints: [server.endpoint],
                options: grid.map { ["ca_dir": .string($0.authorities)] } ?? [:],
                credentials: proxy.map { ["x509-proxy": $0] } ?? [:])
        }
        let first = try await start()
        let second: GridFTPServer
        do { second = try await start() } catch {
            await first.stop()
            throw error
        }
        do {
            try await body(
                Servers(
                    bench: bench, a: site("a", first, proxies[0]), b: site("b", second, proxies[1]), first: first,
                    second: second))
        } catch {
            await first.stop()
            await second.stop()
            throw error
        }
        await first.stop()
        await second.stop()
        // Nothing in transit is left behind, whatever happened.
        #expect(bench.names(bench.folder + "/spool") == [])
        #expect(bench.names(bench.folder + "/scratch") == [])
    }
}
