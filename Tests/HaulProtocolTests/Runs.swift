import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

extension Folder {
    /// Writes a script of bash's and makes a protocol of it. The script itself is not executed: while another test starts a
    /// child, that one may have it open for writing for a moment.
    func script(_ text: String) throws -> DiscoveredProtocol {
        let file = "\(path)/backend-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let manifest = ProtocolManifest(
            name: "script", backend: ["/bin/bash", file], operations: [.copy: OperationSpec()])
        return DiscoveredProtocol(manifest: manifest, folder: path, executable: "/bin/bash", arguments: [file])
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
