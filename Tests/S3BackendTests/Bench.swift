import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

/// Runs batches of the real backend process against a service that checks signatures, and keeps what it tells.
struct Bench: Sendable {
    struct Outcome: Sendable {
        var results: [String: ElementResult] = [:]
        var logs: [String] = []
        var entries: [(directory: String, entries: [ListingEntry])] = []

        var result: ElementResult { results["1"] ?? .failed(.lost, "no result") }
        var log: String { logs.joined(separator: "\n") }
        /// The paths of a listing, each with its size; directories end with a slash.
        var paths: [String: Int] {
            var paths: [String: Int] = [:]
            for (directory, entries) in entries {
                for entry in entries {
                    let isDirectory = entry.kind == .directory
                    paths[ListingPath.child(directory, entry.name) + (isDirectory ? "/" : "")] = entry.size
                }
            }
            return paths
        }
    }

    /// S3's least, so that small files have parts.
    static let least = 5 << 20
    static let inParts: [String: JSONValue] = [
        "multipart_threshold": .int(least), "part_size": .int(least), "copy_threshold": .int(least),
        "copy_part_size": .int(least),
    ]

    let service: S3Service
    let folder: String
    let s3: DiscoveredProtocol

    /// Runs `body` with a service of its own.
    static func with(_ certificate: Certificate? = nil, _ body: (Bench) async throws -> Void) async throws {
        let bench = Bench(
            service: try await S3Service.start(certificate: certificate.map { ($0.path, $0.keyPath) }),
            folder: NSTemporaryDirectory() + "haul-s3-test-\(UUID().uuidString)",
            s3: try #require(Built.protocols()["s3"]))
        defer { try? FileManager.default.removeItem(atPath: bench.folder) }
        for name in ["", "/scratch", "/spool", "/local"] {
            try FileManager.default.createDirectory(atPath: bench.folder + name, withIntermediateDirectories: true)
        }
        try bench.credential("key", "\(S3Service.accessKey):\(S3Service.secretKey)\n")
        do { try await body(bench) } catch {
            await bench.service.stop()
            throw error
        }
        await bench.service.stop()
        // Nothing in transit is left behind, whatever happened.
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/spool") == [])
        let left = try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/scratch")
        #expect(left.filter { !$0.hasPrefix("ca-") } == [], "but for a site's certificates, for curl")
    }

    @discardableResult
    func credential(_ name: String, _ content: String) throws -> String {
        let path = "\(folder)/\(name)"
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(content.utf8), attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteUnknown) }
        return path
    }

    func local(_ name: String) -> String { "\(folder)/local/\(name)" }

    /// Writes a local file.
    @discardableResult
    func write(_ name: String, _ content: Data, modified: Double? = nil) throws -> String {
        try content.write(to: URL(fileURLWithPath: local(name)))
        if let modified {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: modified)], ofItemAtPath: local(name))
        }
        return local(name)
    }

    func write(_ name: String, _ content: String) throws -> String { try write(name, Data(content.utf8)) }

    func read(_ name: String) -> Data? { FileManager.default.contents(atPath: local(name)) }

    /// Bytes that no two parts have in common.
    static func content(_ count: Int, seed: UInt64 = 1) -> Data {
        var state = seed
        var words: [UInt64] = []
        words.reserveCapacity(count / 8 + 1)
        for _ in 0...(count / 8) {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            words.append(state)
        }
        return words.withUnsafeBytes { Data($0.prefix(count)) }
    }

    func site(_ options: [String: JSONValue] = [:], key: String = "key", endpoint: String? = nil) -> SiteSpec {
        let path = "\(folder)/\(key)"
        return SiteSpec(
            site: "a", endpoints: [endpoint ?? service.endpoint],
            options: ["bucket": .string(S3Service.bucket)].merging(options) { $1 },
            credentials: key.isEmpty ? [:] : ["s3-key": path])
    }

    func run(
        _ operation: ProtocolOperation, _ elements: [ElementSpec], options: [String: JSONValue] = [:],
        settings: [String: JSONValue] = [:], site: SiteSpec? = nil, destination: SiteSpec? = nil, timeout: Int = 20,
        hosts: HostList? = nil,
        onEvent: @escaping @Sendable (BackendEvent, BackendRun?) async -> Void = { _, _ in }
    ) async throws -> Outcome {
        let batch = BatchSpec(
            operation: operation, options: s3.manifest.merged(options), source: site ?? self.site(),
            destination: operation == .copy ? destination ?? site ?? self.site() : nil, settings: settings,
            timeout: timeout, scratch: folder + "/scratch", spool: folder + "/spool", concurrency: 64, hosts: hosts)
        let outcome = Mutex(Outcome())
        let running = Mutex<BackendRun?>(nil)
        let run = try await BackendRun.start(s3, batch: batch) { event in
            outcome.withLock { outcome in
                switch event {
                case .log(_, let text): outcome.logs.append(text)
                case .progress: break
                case .entries(_, let directory, let entries): outcome.entries.append((directory, entries))
                case .ask, .answer: break
                case .result(let id, let result): outcome.results[id] = result
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
        _ operation: ProtocolOperation, _ source: String, _ destination: String? = nil, attempt: Int = 1,
        last: Bool = false, checksum: String? = nil, options: [String: JSONValue] = [:],
        settings: [String: JSONValue] = [:], site: SiteSpec? = nil, destination target: SiteSpec? = nil,
        onEvent: @escaping @Sendable (BackendEvent, BackendRun?) async -> Void = { _, _ in }
    ) async throws -> Outcome {
        let element = ElementSpec(
            id: "1", source: source, destination: destination, checksum: checksum, attempt: attempt, last: last,
            partSeed: "seed")
        return try await run(
            operation, [element], options: options, settings: settings, site: site, destination: target,
            onEvent: onEvent)
    }

    /// The keys, as text.
    func keys() async throws -> [String] {
        try await service.keys().map { String(decoding: $0, as: UTF8.self) }
    }
}
