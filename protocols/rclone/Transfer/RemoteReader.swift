import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// A file's bytes, as rclone serves them (`--rc-serve`).
final class RemoteReader: CopyReader {
    private struct State {
        /// What came with the answer's head.
        var first: Data
        var left: Int
    }

    private let connection: LoopbackConnection
    private let shown: String
    private let state: Mutex<State>

    init(_ end: RcloneEnd, _ order: ReadOrder) async throws {
        let control = end.files.control
        shown = end.shown
        let connection = try await LoopbackConnection.open(port: control.port)
        self.connection = connection
        let isWhole = order.from == 0 && order.isToEnd
        let range = isWhole || order.to <= order.from ? [] : ["Range: bytes=\(order.from)-\(order.to - 1)"]
        let request = control.head("GET", end.files.target(end.path), range)
        // rclone answers once it has opened the file, which may take long; nobody else ends this meanwhile.
        let (status, body) = try await withTaskCancellationHandler {
            do {
                return try await Self.begin(connection, request, end.shown)
            } catch {
                try Task.checkCancellation()
                throw error
            }
        } onCancel: {
            connection.abandon()
        }
        state = Mutex(State(first: body, left: order.to - order.from))
        if status == 200, !range.isEmpty { throw CopyNotResumable() }
        guard status == 200 || status == 206 else {
            throw Complaint.failure(
                String(decoding: body, as: UTF8.self), "cannot read \(end.shown)", about: [end.path.text])
        }
    }

    /// - Returns: What rclone answers, and the bytes that came with it.
    private static func begin(
        _ connection: LoopbackConnection, _ request: Data, _ shown: String
    ) async throws -> (status: Int, body: Data) {
        try await connection.send(request)
        var head = Data()
        let mark = Data("\r\n\r\n".utf8)
        while head.range(of: mark) == nil {
            guard head.count < 64 << 10, let more = try await connection.receive() else {
                throw BackendFailure(.interrupted, "cannot read \(shown): rclone broke off")
            }
            head += more
        }
        return try RemoteControl.parse(head)
    }

    func next() async throws -> Data? {
        let first = state.withLock { state in
            defer { state.first = Data() }
            return state.first
        }
        let data = try await first.isEmpty ? connection.receive() : first
        guard let data else {
            guard state.withLock({ $0.left }) <= 0 else {
                throw BackendFailure(.interrupted, "\(shown) ended before its time")
            }
            return nil
        }
        state.withLock { $0.left -= data.count }
        return data
    }

    func finish() async throws -> FileFacts? { nil }

    func abandon() { connection.abandon() }

    deinit { connection.abandon() }
}
