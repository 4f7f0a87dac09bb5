import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Synchronization
import Testing

/// Runs batches of the real backend process and keeps what it tells.
struct Bench {
    struct Outcome {
        var results: [String: ElementResult] = [:]
        var logs: [String] = []
        var entries: [(directory: String, entries: [ListingEntry])] = []

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
    let http: DiscoveredProtocol

    init() throws {
        folder = NSTemporaryDirectory() + "haul-http-test-\(UUID().uuidString.prefix(13))"
        for name in ["", "/a", "/b", "/scratch", "/spool"] {
            try FileManager.default.createDirectory(atPath: folder + name, withIntermediateDirectories: true)
        }
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        guard let http = ProtocolCatalog.scan([repository + "/protocols"])["http"] else {
            throw CocoaError(.fileNoSuchFile)
        }
        self.http = http
    }

    var a: String { folder + "/a" }
    var b: String { folder + "/b" }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ path: String, _ content: String) throws { try write(path, Data(content.utf8)) }

    func write(_ path: String, _ content: Data) throws {
        let parent = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try content.write(to: URL(fileURLWithPath: path))
        // apache runs as another user.
        chmod(parent, 0o777)
        chmod(path, 0o666)
    }

    func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Seconds since 1970.
    func modified(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_mtim.tv_sec) : nil
    }

    func names(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    func batch(
        _ operation: ProtocolOperation, _ source: String, to destination: String? = nil,
        options: [String: JSONValue] = [:], site: [String: JSONValue] = [:], credentials: [String: String] = [:],
        timeout: Int = 20, concurrency: Int = 64, spoolBytes: Int = 1 << 30
    ) -> BatchSpec {
        BatchSpec(
            operation: operation, options: options,
            source: SiteSpec(site: "a", endpoints: [source], options: site, credentials: credentials),
            destination: destination.map { SiteSpec(site: "b", endpoints: [$0]) }, timeout: timeout,
            scratch: folder + "/scratch", spool: folder + "/spool", spoolBytes: spoolBytes, concurrency: concurrency)
    }

    /// Runs elements to their end.
    func run(
        _ batch: BatchSpec, _ elements: [ElementSpec],
        onEvent: @escaping @Sendable (BackendEvent, BackendRun?) async -> Void = { _, _ in }
    ) async throws -> Outcome {
        let outcome = Mutex(Outcome())
        let running = Mutex<BackendRun?>(nil)
        let run = try await BackendRun.start(http, batch: batch) { event in
            outcome.withLock { outcome in
                switch event {
                case .log(_, let text): outcome.logs.append(text)
                case .progress: break
                case .entries(_, let directory, let entries): outcome.entries.append((directory, entries))
                case .result(let id, let result): outcome.results[id] = result
                case .ask, .answer: break
                }
            }
            await onEvent(event, running.withLock { $0 })
        }
        running.withLock { $0 = run }
        for element in elements { await run.add(element) }
        await run.finish()
        await run.wait()
        return outcome.withLock { $0 }
    }

    /// Runs one element.
    func one(
        _ batch: BatchSpec, _ source: String, _ destination: String? = nil, attempt: Int = 1, last: Bool = false,
        checksum: String? = nil,
        onEvent: @escaping @Sendable (BackendEvent, BackendRun?) async -> Void = { _, _ in }
    ) async throws -> (result: ElementResult, outcome: Outcome) {
        let outcome = try await run(
            batch,
            [
                ElementSpec(
                    id: "1.0.\(attempt)", source: source, destination: destination, checksum: checksum,
                    attempt: attempt,
                    last: last, partSeed: "seed")
            ], onEvent: onEvent)
        return (outcome.results["1.0.\(attempt)"] ?? .failed(.lost, "no result"), outcome)
    }
}

/// The two servers that the same tests run against: what one forgives the other does not.
enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case apache, nginx

    var testDescription: String { rawValue }

    func start(_ root: String) async throws -> WebServer {
        switch self {
        case .apache: try await Apache.start(root: root)
        case .nginx: try await Nginx.start(root: root)
        }
    }

    /// Runs `body` with a server over `BENCH/a` and one over `BENCH/b`.
    func withServers(
        _ body: (_ bench: Bench, _ a: String, _ b: String) async throws -> Void
    ) async throws {
        let bench = try Bench()
        defer { bench.remove() }
        let a = try await start(bench.a)
        let b: WebServer
        do { b = try await start(bench.b) } catch {
            await a.stop()
            throw error
        }
        do {
            try await body(bench, a.endpoint, b.endpoint)
        } catch {
            await a.stop()
            await b.stop()
            throw error
        }
        await a.stop()
        await b.stop()
        // Nothing in transit is left behind, whatever happened.
        #expect(bench.names(bench.folder + "/spool") == [])
        #expect(bench.names(bench.folder + "/scratch") == [])
    }
}
