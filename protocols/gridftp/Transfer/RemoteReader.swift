import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// Reads a range of a file over a data connection of this process.
final class RemoteReader: PipedReader {
    private let transfer: DataTransfer
    private let path: RemotePath
    private let wanted: Int
    private let seen = Mutex(0)

    private init(_ transfer: DataTransfer, _ path: RemotePath, wanted: Int) {
        self.transfer = transfer
        self.path = path
        self.wanted = wanted
    }

    /// - Throws: ``CopyNotResumable`` where the server has no way to begin in the middle.
    static func open(
        _ path: RemotePath, _ order: ReadOrder, at server: Server, movesParts: Bool
    ) async throws -> RemoteReader {
        let isWhole = order.from == 0 && order.isToEnd
        if !isWhole, !movesParts { throw CopyNotResumable() }
        let count = max(0, order.to - order.from)
        let command = isWhole ? "RETR \(path.absolute)" : "ERET P \(order.from) \(count) \(path.absolute)"
        let transfer = try await DataTransfer.begin(
            [command], sends: false, what: "cannot read \(path.shown)", at: server)
        return RemoteReader(transfer, path, wanted: count)
    }

    func next() async throws -> Data? {
        if let data = await transfer.read() {
            let total = seen.withLock { seen in
                seen += data.count
                return seen
            }
            guard total <= wanted else {
                transfer.abandon()
                throw BackendFailure(.busy, "\(path.shown) grew while it was read")
            }
            return data
        }
        try Task.checkCancellation()
        try await transfer.finish(sent: false)
        let total = seen.withLock { $0 }
        guard total == wanted else {
            throw BackendFailure(.interrupted, "\(path.shown) ended after \(total) of \(wanted) bytes")
        }
        return nil
    }

    func move(into pipe: PipeWriter) async throws -> PipedBytes {
        let left = wanted - seen.withLock { $0 }
        let moved = left > 0 ? await transfer.move(into: pipe, atMost: left) : .none
        if case .moved(let count) = moved { seen.withLock { $0 += count } }
        return moved
    }

    func finish() async throws -> FileFacts? { nil }

    func abandon() { transfer.abandon() }
}
