import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

/// A folder with what a remote serves, and the protocol as a worker would run it.
struct Bench: Sendable {
    /// What an element told.
    struct Outcome: Sendable {
        var result = ElementResult()
        var log = ""
        var entries: [String] = []
    }

    let folder: String
    /// What the remote `:local:` serves.
    var root: String { folder + "/root" }

    static func with(_ body: @Sendable (Bench) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-rclone-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for part in ["root", "scratch"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        try await body(Bench(folder: folder))
    }

    func one(
        _ operation: ProtocolOperation, _ source: String, _ destination: String? = nil, attempt: Int = 1,
        last: Bool = false, checksum: String? = nil, options: [String: JSONValue] = [:], remote: String? = nil,
        config: String? = nil, type: String? = nil, isShownByUser: Bool = false,
        during: (@Sendable (BackendEvent, BackendRun) async -> Void)? = nil
    ) async throws -> Outcome {
        let discovered = try #require(Built.protocols()["rclone"])
        let site = SiteSpec(
            site: "rclone-a",
            options: ["remote": .string(remote ?? ":local:\(root)")].merging(
                type.map { ["type": .string($0)] } ?? [:]
            ) { $1 },
            credentials: config.map { ["rclone-config": $0] } ?? [:], isShownByUser: isShownByUser)
        let batch = BatchSpec(
            operation: operation, options: discovered.manifest.merged(options), source: site,
            destination: operation == .copy ? site : nil, timeout: 60, scratch: folder + "/scratch", spool: folder)
        let outcome = Mutex(Outcome())
        let started = Mutex<BackendRun?>(nil)
        let run = try await BackendRun.start(discovered, batch: batch) { event in
            outcome.withLock { outcome in
                switch event {
                case .log(_, let text): outcome.log += text + "\n"
                case .entries(_, let directory, let entries):
                    outcome.entries += entries.map { "\(directory)/\($0.name)" }
                case .ask, .answer: break
                case .result(_, let result): outcome.result = result
                case .progress: break
                }
            }
            if let during, let run = started.withLock({ $0 }) { await during(event, run) }
        }
        started.withLock { $0 = run }
        await run.add(
            ElementSpec(
                id: "e", source: source, destination: destination, checksum: checksum, attempt: attempt, last: last,
                partSeed: "seed"))
        await run.finish()
        await run.wait()
        started.withLock { $0 = nil }
        return outcome.withLock { $0 }
    }

    /// A file of the worker's own.
    func local(_ name: String, _ content: Data) throws -> String {
        let path = "\(folder)/\(name)"
        try content.write(to: URL(fileURLWithPath: path))
        return path
    }

    /// The processes that a process started, by any of its threads.
    static func children(of pid: Int32) -> [Int32] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return tasks.flatMap { task in
            let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(task)/children", encoding: .utf8)
            return (text ?? "").split(separator: " ").compactMap { Int32($0) }
        }
    }

    func data(_ name: String) -> Data? { FileManager.default.contents(atPath: "\(root)/\(name)") }

    func names(_ directory: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(directory)").sorted()
    }
}
