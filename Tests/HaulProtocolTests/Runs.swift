import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

/// The events of a run, as they came.
final class Events: Sendable {
    private let all = Mutex<[BackendEvent]>([])

    func add(_ event: BackendEvent) { all.withLock { $0.append(event) } }

    var list: [BackendEvent] { all.withLock { $0 } }

    func results(_ id: String) -> [ElementResult] {
        list.compactMap { if case .result(id, let result) = $0 { result } else { nil } }
    }

    func log(_ id: String) -> String {
        list.compactMap { if case .log(id, let text) = $0 { text } else { nil } }.joined(separator: "\n")
    }

    /// Waits until something holds; false when it did not within 20 s.
    func until(_ holds: @Sendable ([BackendEvent]) -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if holds(list) { return true }
            await Task.yield()
            try? await Task.sleep(for: .milliseconds(5))
        }
        return false
    }
}

/// A temporary folder that goes with the test.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/haul-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes an executable script and makes a protocol of it.
    func script(_ text: String) throws -> DiscoveredProtocol {
        let file = "\(path)/backend-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        let manifest = ProtocolManifest(name: "script", backend: [file], operations: [.copy: OperationSpec()])
        return DiscoveredProtocol(manifest: manifest, folder: path, executable: file)
    }
}

enum Runs {
    static func fake() throws -> DiscoveredProtocol { try #require(Built.protocols()["fake"]) }

    static let quick = BackendRun.Graces(
        cancel: .milliseconds(300), terminate: .milliseconds(300), exit: .milliseconds(500))

    static func batch(
        _ folder: Folder, _ operation: ProtocolOperation = .copy, timeout: Int = 30, concurrency: Int = 4,
        credentials: [String: String] = [:]
    ) -> BatchSpec {
        BatchSpec(
            operation: operation, source: SiteSpec(site: "test", credentials: credentials), timeout: timeout,
            scratch: folder.path, spool: folder.path, concurrency: concurrency)
    }

    /// Runs elements with these sources, in order named `0`, `1` ..., to the end.
    static func run(
        _ discovered: DiscoveredProtocol? = nil, _ sources: [String], _ operation: ProtocolOperation = .copy,
        timeout: Int = 30, concurrency: Int = 4, credentials: [String: String] = [:],
        onEvent: (@Sendable (BackendEvent) async -> Void)? = nil
    ) async throws -> Events {
        let folder = try Folder()
        let events = Events()
        let run = try await BackendRun.start(
            discovered ?? fake(),
            batch: batch(
                folder, operation, timeout: timeout, concurrency: concurrency, credentials: credentials),
            graces: quick
        ) { event in
            events.add(event)
            await onEvent?(event)
        }
        for (index, source) in sources.enumerated() {
            await run.add(ElementSpec(id: "\(index)", source: source, destination: "/d"))
        }
        await run.finish()
        await run.wait()
        for index in sources.indices {
            #expect(events.results("\(index)").count == 1, "\(sources[index]) has exactly one result")
        }
        return events
    }
}
