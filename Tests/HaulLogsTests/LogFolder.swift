import Foundation
import Glibc
import HaulLogs
import HaulModel
import Testing

/// A root of logs in a temporary folder, gone with its last reference.
final class LogFolder: Sendable {
    let root: String
    static let time = Timestamp(milliseconds: 1_700_000_000_000)

    init() throws {
        root = NSTemporaryDirectory() + "haul-logs-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func store(_ change: (inout LogLimits) -> Void = { _ in }) throws -> LogStore {
        var limits = LogLimits()
        change(&limits)
        return try LogStore(root: root, limits: limits)
    }

    static func uid(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 30 - digits.count) + digits + "ab"
    }

    static func key(_ job: Int = 1, _ element: Int = 3, _ attempt: Int = 2) -> AttemptKey {
        AttemptKey(logUID: uid(job), element: element, attempt: attempt)
    }

    static func log(_ key: AttemptKey, _ text: [UInt8], worker: String = "node-7") -> FinishedLog {
        FinishedLog(key: key, worker: worker, time: time, text: text)
    }

    func path(_ key: AttemptKey, _ name: String) -> String {
        "\(root)/\(key.logUID.prefix(2))/\(key.logUID)/\(name)"
    }

    func bytes(_ key: AttemptKey, _ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(key, name))))
    }

    func names(_ key: AttemptKey) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(key, "")).sorted()
    }

    /// Adds to a file behind the store's back, as a crash in the middle of a write leaves it.
    func addGarbage(_ key: AttemptKey, _ name: String, _ garbage: [UInt8]) throws {
        let file = try #require(FileHandle(forWritingAtPath: path(key, name)))
        try file.seekToEnd()
        try file.write(contentsOf: Data(garbage))
        try file.close()
    }
}

extension LogStore {
    /// Whether logs that this server took are there.
    func exists(_ logUID: String, _ places: [Attempt.LogPlace]) async -> [Bool] {
        (try? await exists(logUID, places.map { ($0, nil) })) ?? []
    }
}

/// All of a log, in small pieces.
func readAll(_ store: LogStore, _ key: AttemptKey, _ place: Attempt.LogPlace, piece: Int = 300_000) async throws
    -> [UInt8]
{
    var result: [UInt8] = []
    while true {
        let bytes = try await store.read(key.logUID, place, from: result.count, count: piece)
        if bytes.isEmpty { return result }
        result += bytes
    }
}

/// What a call throws; nil when it does not.
func failure<Value>(_ body: () async throws(LogError) -> Value) async -> LogError? {
    do throws(LogError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}
