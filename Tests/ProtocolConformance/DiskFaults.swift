import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

/// What a disk of this machine refuses, told by the protocols that have no server between.
@Suite(.timeLimit(.minutes(6)))
struct DiskFaults {
    enum Which: String, CaseIterable, CustomTestStringConvertible {
        case local
        case python = "example-python"

        var testDescription: String { rawValue }
    }

    /// A batch of one element below `root`.
    private func one(
        _ discovered: DiscoveredProtocol, root: String, scratch: String, _ operation: ProtocolOperation,
        _ source: String, _ destination: String? = nil
    ) async throws -> ElementResult {
        let site = SiteSpec(site: "a", options: ["root": .string(root)])
        let batch = BatchSpec(
            operation: operation, options: discovered.manifest.merged([:]), source: site,
            destination: operation == .copy ? site : nil, settings: ["roots": [.string(root)]], timeout: 30,
            scratch: scratch, spool: scratch)
        let results = Mutex<[ElementResult]>([])
        let run = try await BackendRun.start(discovered, batch: batch) { event in
            if case .result(_, let result) = event { results.withLock { $0.append(result) } }
        }
        await run.add(ElementSpec(id: "e", source: source, destination: destination, partSeed: "seed"))
        await run.finish()
        await run.wait()
        return try #require(results.withLock { $0.first })
    }

    @Test(arguments: Which.allCases) func nothingIsAllowed(_ which: Which) async throws {
        guard getuid() == 0 else { return print("NOT TESTED: another account. It takes root.") }
        let discovered = try #require(Built.protocols()[which.rawValue]).asNobody
        let folder = try Folder()
        let (root, mine) = ("\(folder.path)/root", "\(folder.path)/mine")
        for path in [root + "/closed", root + "/open", mine] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        for path in [root + "/open", mine] { chmod(path, 0o777) }
        for path in [folder.path, root, root + "/closed"] { chmod(path, 0o755) }
        for (name, mode) in [("closed/file", 0o644), ("closed/secret", 0o600), ("open/file", 0o644)] {
            try Data("x".utf8).write(to: URL(fileURLWithPath: "\(root)/\(name)"))
            chmod("\(root)/\(name)", mode_t(mode))
        }
        func path(_ name: String) -> String { which == .local ? "\(root)/\(name)" : "/\(name)" }
        for (operation, source, destination) in [
            (.get, path("closed/secret"), mine + "/got"), (.copy, path("closed/secret"), path("open/to")),
            (.copy, path("open/file"), path("closed/to")), (.put, root + "/open/file", path("closed/to")),
            (.put, root + "/open/file", path("closed/d/to")), (.mkdir, path("closed/d"), nil),
            (.remove, path("closed/file"), nil), (.rename, path("closed/file"), path("open/to")),
        ] as [(ProtocolOperation, String, String?)] {
            let result = try await one(discovered, root: root, scratch: mine, operation, source, destination)
            #expect(result.errorClass == .permission, "\(operation) \(source) \(destination ?? ""): \(result)")
        }
        func names(_ folder: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        }
        #expect(try names(root + "/closed") == ["file", "secret"])
        #expect(try names(root + "/open") == ["file"] && names(mine) == [])
    }

    @Test(arguments: Which.allCases) func aFullDisk(_ which: Which) async throws {
        guard let disk = TinyDisk.open(kibibytes: 1024) else { return }
        defer { disk.remove() }
        let discovered = try #require(Built.protocols()[which.rawValue])
        let folder = try Folder()
        let root = disk.root
        try Data(count: 600 << 10).write(to: URL(fileURLWithPath: root + "/from"))
        try Data(count: 600 << 10).write(to: URL(fileURLWithPath: folder.path + "/from"))
        func path(_ name: String) -> String { which == .local ? "\(root)/\(name)" : "/\(name)" }
        for (operation, source, destination) in [
            (.copy, path("from"), path("to")), (.put, folder.path + "/from", path("to")),
            (.get, path("from"), root + "/to"),
        ] as [(ProtocolOperation, String, String)] {
            let result = try await one(discovered, root: root, scratch: folder.path, operation, source, destination)
            #expect(result.errorClass == .noSpace, "\(operation): \(result)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: root) == ["from"], "\(operation)")
        }
    }
}
