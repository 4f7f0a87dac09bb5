import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// A file that rclone fetches from this process (`operations/copyurl`), which first says how long it is and when it was
/// changed. Wherever the bytes are cut off, rclone knows that they are not all, and makes no file of them. What it is
/// sent instead (`operations/uploadfile`) it takes for whole where it ends, as long as that is within 100 KiB.
final class RemoteWriter: CopyWriter {
    private struct State {
        var listener: LoopbackListener?
        var job: Task<Void, any Error>?
        var connection: LoopbackConnection?
        var isAbandoned = false
        /// The file's last byte: without it nothing appears before ``finish(_:)``.
        var held = Data()
    }

    private static let patience = Duration.seconds(3)

    private let end: RcloneEnd
    private let source: FileFacts
    private let state = Mutex(State())

    /// Nothing is begun before there are bytes: a connection that is silent for a minute is one that rclone ends.
    init(_ end: RcloneEnd, _ order: WriteOrder) {
        self.end = end
        source = order.source
    }

    var existing: Int { 0 }

    func cut(to size: Int) async throws {}

    func write(_ data: Data, at offset: Int) async throws {
        let connection = try await opened()
        let ready = state.withLock { state in
            defer { state.held = Data(data.suffix(1)) }
            return state.held + data.dropLast()
        }
        try await send(ready, connection)
    }

    func finish(_ source: FileFacts) async throws -> Int? {
        let connection = try await opened()
        let last = state.withLock { state in
            defer { state.held = Data() }
            return state.held
        }
        try await send(last, connection)
        try await state.withLock { $0.job }?.value
        return nil
    }

    func abandon() {
        let state = state.withLock { state in
            state.isAbandoned = true
            return state
        }
        state.job?.cancel()
        state.listener?.abandon()
        state.connection?.abandon()
    }

    func ended() async {
        guard let job = state.withLock({ $0.job }) else { return }
        // In a task of its own: whoever was cancelled waits, too.
        await Task { try? await Abandonable.run(limit: Self.patience) { _ = await job.result } }.value
    }

    deinit { abandon() }

    /// Has rclone come for the file.
    private func opened() async throws -> LoopbackConnection {
        if let connection = state.withLock({ $0.connection }) { return connection }
        let listener = try await LoopbackListener.open()
        let transfer = Transfer(control: end.files.control, report: nil, total: source.size)
        let parameters: [String: JSONValue] = [
            "fs": .string(end.files.remote), "remote": .string(end.path.text), "url": .string(listener.url),
        ]
        let what = "cannot write \(end.shown)"
        let job = Task {
            // Where it fails before that, nobody comes.
            defer { listener.abandon() }
            try await transfer.run("operations/copyurl", parameters, what)
        }
        let isAbandoned = state.withLock { state in
            (state.listener, state.job) = (listener, job)
            return state.isAbandoned
        }
        if isAbandoned { abandon() }
        do {
            let connection = try await listener.accept()
            let isAbandoned = state.withLock { state in
                state.connection = connection
                return state.isAbandoned
            }
            if isAbandoned { connection.abandon() }
            try await connection.send(head)
            return connection
        } catch {
            throw await reason(error)
        }
    }

    private func send(_ data: Data, _ connection: LoopbackConnection) async throws {
        do { try await connection.send(data) } catch { throw await reason(error) }
    }

    /// Why rclone takes no more: in its own words, where it has any.
    private func reason(_ error: any Error) async -> any Error {
        let state = state.withLock { $0 }
        state.listener?.abandon()
        state.connection?.abandon()
        guard let job = state.job,
            case .failure(let failure as BackendFailure)? = try? await Abandonable.run(
                limit: Self.patience, { await job.result })
        else { return error }
        return failure
    }

    private var head: Data {
        var lines = [
            "HTTP/1.1 200 OK", "Content-Type: application/octet-stream", "Content-Length: \(source.size)",
            "Connection: close",
        ]
        if let modified = source.modified.flatMap(HTTPDate.text) { lines.append("Last-Modified: \(modified)") }
        return Data((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}

/// Times as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// - Returns: Nil for a year that has not four digits.
    static func text(_ seconds: Int) -> String? {
        var (time, parts) = (time_t(seconds), tm())
        guard gmtime_r(&time, &parts) != nil, (1000...9999).contains(Int(parts.tm_year) + 1900) else { return nil }
        func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(two).joined(separator: ":")
        return "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) "
            + "\(parts.tm_year + 1900) \(clock) GMT"
    }
}
