import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Synchronization
import Testing

/// A server of its own for a test, the protocol as a worker would run it, and what is on the server's disk.
struct Bench: Sendable {
    /// What an element told.
    struct Outcome: Sendable {
        var result = ElementResult()
        var log = ""
        var entries: [String] = []
    }

    let folder: String
    let server: WebServer
    /// The environment of the backend, besides what it has from this process.
    var environment: [String: String] = [:]
    /// What is shown to the server.
    var credentials: [String: String] = [:]
    /// The hosts that the worker may talk to.
    var hosts: HostList?
    /// Settings of the worker's.
    var settings: [String: JSONValue] = [:]
    /// The server's files.
    var root: String { folder + "/root" }

    static func with(root: String? = nil, _ body: @Sendable (Bench) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-xrootd-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/scratch", withIntermediateDirectories: true)
        if let root {
            try FileManager.default.createSymbolicLink(atPath: folder + "/root", withDestinationPath: root)
        } else {
            try FileManager.default.createDirectory(atPath: folder + "/root", withIntermediateDirectories: true)
        }
        let server = try await XRootD.start(root: folder + "/root")
        do { try await body(Bench(folder: folder, server: server)) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    /// Elements that run at once, in one batch.
    func run(
        _ operation: ProtocolOperation, _ elements: [ElementSpec], _ options: [String: JSONValue] = [:],
        endpoints: [String]? = nil, to other: [String]? = nil,
        tokens: (source: String, destination: String)? = nil,
        during: (@Sendable (BackendEvent, BackendRun) async -> Void)? = nil
    ) async throws -> [Outcome] {
        var discovered = try #require(Built.protocols()["xrootd"])
        if !environment.isEmpty {
            discovered.arguments = environment.map { "\($0)=\($1)" } + [discovered.executable] + discovered.arguments
            discovered.executable = "/usr/bin/env"
        }
        func bearer(_ token: String?) -> [String: String] { token.map { ["bearer": $0] } ?? credentials }
        let site = SiteSpec(
            site: "xrootd-a", endpoints: endpoints ?? [server.endpoint], credentials: bearer(tokens?.source))
        let second = SiteSpec(
            site: "xrootd-b", endpoints: other ?? site.endpoints, credentials: bearer(tokens?.destination))
        let destination = operation == .copy ? second : nil
        let batch = BatchSpec(
            operation: operation, options: discovered.manifest.merged(options), source: site, destination: destination,
            settings: settings, timeout: 60, scratch: folder + "/scratch", spool: folder, concurrency: 8, hosts: hosts)
        let outcomes = Mutex<[String: Outcome]>([:])
        let started = Mutex<BackendRun?>(nil)
        let run = try await BackendRun.start(discovered, batch: batch) { event in
            outcomes.withLock { outcomes in
                switch event {
                case .log(let id, let text): outcomes[id, default: Outcome()].log += text + "\n"
                case .entries(let id, let directory, let entries):
                    outcomes[id, default: Outcome()].entries += entries.map { "\(directory)/\($0.name)" }
                case .result(let id, let result): outcomes[id, default: Outcome()].result = result
                case .ask, .answer: break
                case .progress: break
                }
            }
            if let during, let run = started.withLock({ $0 }) { await during(event, run) }
        }
        started.withLock { $0 = run }
        for element in elements { await run.add(element) }
        await run.finish()
        await run.wait()
        started.withLock { $0 = nil }
        return try elements.map { element in try #require(outcomes.withLock { $0[element.id] }) }
    }

    func one(
        _ operation: ProtocolOperation, _ source: String, _ destination: String? = nil, attempt: Int = 1,
        last: Bool = false, checksum: String? = nil, options: [String: JSONValue] = [:], endpoints: [String]? = nil,
        to other: [String]? = nil, tokens: (source: String, destination: String)? = nil,
        during: (@Sendable (BackendEvent, BackendRun) async -> Void)? = nil
    ) async throws -> Outcome {
        let element = ElementSpec(
            id: "e", source: source, destination: destination, checksum: checksum, attempt: attempt, last: last,
            partSeed: "seed")
        return try await run(
            operation, [element], options, endpoints: endpoints, to: other, tokens: tokens, during: during)[0]
    }

    func write(_ name: String, _ content: Data) throws {
        let file = URL(fileURLWithPath: "\(root)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o777])
        chmod(file.deletingLastPathComponent().path, 0o777)
        try content.write(to: file)
        chmod(file.path, 0o666)
    }

    /// A file of the worker's own.
    func local(_ name: String, _ content: Data? = nil) throws -> String {
        let path = "\(folder)/\(name)"
        try content?.write(to: URL(fileURLWithPath: path))
        return path
    }

    func data(_ name: String) -> Data? { FileManager.default.contents(atPath: "\(root)/\(name)") }

    func names(_ directory: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(directory)").sorted()
    }

    static func noise(_ count: Int) -> Data {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        var words = [UInt64](repeating: 0, count: (count + 7) / 8)
        for index in words.indices {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            words[index] = state ^ state >> 29
        }
        return words.withUnsafeBytes { Data($0.prefix(count)) }
    }
}
