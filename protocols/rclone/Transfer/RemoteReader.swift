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
        connection = try await LoopbackConnection.open(port: control.port)
        let isWhole = order.from == 0 && order.isToEnd
        let range = isWhole || order.to <= order.from ? [] : ["Range: bytes=\(order.from)-\(order.to - 1)"]
        try await connection.send(control.head("GET", end.files.target(end.path), range))
        var head = Data()
        let mark = Data("\r\n\r\n".utf8)
        while head.range(of: mark) == nil {
            guard head.count < 64 << 10, let more = try await connection.receive() else {
                throw BackendFailure(.interrupted, "cannot read \(end.shown): rclone broke off")
            }
            head += more
        }
        let (status, body) = try RemoteControl.parse(head)
        state = Mutex(State(first: body, left: order.to - order.from))
        if status == 200, !range.isEmpty { throw CopyNotResumable() }
        guard status == 200 || status == 206 else {
            throw Complaint.failure(String(decoding: body, as: UTF8.self), "cannot read \(end.shown)")
        }
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
