import Foundation
import HaulLogs
import HaulModel

/// A log store in a folder of its own, which goes with it.
final class TemporaryLogs: Sendable {
    let root: String
    let limits: LogLimits
    let store: LogStore

    init(root: String? = nil, _ change: (inout LogLimits) -> Void = { _ in }) throws {
        var limits = LogLimits()
        change(&limits)
        self.limits = limits
        self.root = root ?? NSTemporaryDirectory() + "haul-logs-\(UUID().uuidString)"
        store = try LogStore(root: self.root, limits: limits)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// The same folder, as a server that starts again finds it.
    func reopened() throws -> LogStore { try LogStore(root: root, limits: limits) }

    static let now = Timestamp(milliseconds: 1_700_000_000_000)

    static func uid(_ number: Int = 0) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "a", count: 32 - digits.count) + digits
    }

    static func key(_ element: Int = 0, _ attempt: Int = 1, job: Int = 0) -> AttemptKey {
        AttemptKey(logUID: uid(job), element: element, attempt: attempt)
    }

    static func log(_ text: String, _ key: AttemptKey = key()) -> FinishedLog {
        FinishedLog(key: key, worker: "w", time: now, text: Array(text.utf8))
    }

    func path(_ name: String, job: Int = 0) -> String {
        let uid = Self.uid(job)
        return "\(root)/\(uid.prefix(2))/\(uid)/\(name)"
    }

    func text(_ place: Attempt.LogPlace, job: Int = 0) async throws -> String {
        let bytes = try await store.read(Self.uid(job), place, from: 0, count: place.length)
        return String(decoding: bytes, as: UTF8.self)
    }
}
