import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// Writes a part file in order over a data connection of this process, which begins with the first bytes.
final class RemoteWriter: PipedWriter {
    private struct State {
        var transfer: DataTransfer?
        var abandoned = false
    }

    let existing: Int
    private let end: RemoteEnd
    private let state = Mutex(State())

    init(_ end: RemoteEnd, existing: Int) {
        self.end = end
        self.existing = existing
    }

    private var what: String { "cannot write \(end.shown)" }

    func cut(to size: Int) async throws {
        // From the first byte on, STOR empties the file itself.
        guard size > 0 else { return }
        let reply = try await end.site.change(["SITE TRNC \(size) \(end.path.absolute)"], of: end.path)[0]
        guard reply.isSuccess else { throw ReplyTable.failure(reply, what) }
    }

    func write(_ data: Data, at offset: Int) async throws { try await write(at: offset) { await $0.write(data) } }

    func write(_ count: Int, from pipe: PipeReader, at offset: Int) async throws {
        try await write(at: offset) { await $0.write(count, from: pipe) }
    }

    private func write(at offset: Int, _ body: (DataTransfer) async -> Bool) async throws {
        let transfer: DataTransfer
        if let begun = state.withLock({ $0.transfer }) { transfer = begun } else { transfer = try await begin(offset) }
        guard await body(transfer) else {
            try Task.checkCancellation()
            try await told(transfer)
            throw BackendFailure(.interrupted, "\(what): the server takes no more data")
        }
    }

    func finish(_ source: FileFacts) async throws -> Int? {
        // Nothing was written: an empty file, or a part that was complete.
        if let begun = state.withLock({ $0.transfer }) {
            try await told(begun)
        } else if existing < source.size || source.size == 0 {
            try await told(try await begin(0))
        }
        return try await end.settleNow(source)?.size
    }

    func abandon() {
        let transfer = state.withLock { state in
            state.abandoned = true
            return state.transfer
        }
        transfer?.abandon()
    }

    func ended() async { await state.withLock({ $0.transfer })?.ended() }

    private func begin(_ offset: Int) async throws -> DataTransfer {
        let path = end.path.absolute
        let command = offset > 0 ? "ESTO A \(offset) \(path)" : "STOR \(path)"
        let transfer: DataTransfer
        do {
            transfer = try await DataTransfer.begin([command], sends: true, what: what, at: end.site.server)
        } catch let failure as BackendFailure { throw Self.failure(failure) }
        let isLate = state.withLock { state in
            state.transfer = transfer
            return state.abandoned
        }
        if isLate {
            transfer.abandon()
            throw CancellationError()
        }
        return transfer
    }

    private func told(_ transfer: DataTransfer) async throws {
        do { try await transfer.finish(sent: true) } catch let failure as BackendFailure { throw Self.failure(failure) }
    }

    static func failure(_ failure: BackendFailure) -> CopyWriteFailure {
        CopyWriteFailure(failure, parentIsMissing: failure.errorClass == .notFound)
    }
}
