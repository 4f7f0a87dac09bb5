import HaulModel
import Synchronization

/// Appends finished logs to the numbered files of their jobs. What waits at the same time is written together and made
/// durable together: one `fdatasync` a file, or one `syncfs` for many files.
final class LogAppender: Sendable {
    private struct Waiting {
        var logs: [FinishedLog]
        var bytes: Int
        var finish: @Sendable (Result<[Attempt.LogPlace], LogError>) -> Void
    }

    private struct State {
        var waiting: [Waiting] = []
        /// Bytes of the logs that wait or are being written.
        var bytes = 0
    }

    private let folders: JobFolders
    private let limits: LogLimits
    private let queue = WorkQueue("append")
    private let state = Mutex(State())
    private let files: Mutex<NumberedFiles>

    init(folders: JobFolders, limits: LogLimits) {
        self.folders = folders
        self.limits = limits
        files = Mutex(NumberedFiles(folders: folders, limits: limits))
    }

    func append(_ logs: [FinishedLog]) async throws(LogError) -> [Attempt.LogPlace] {
        let bytes = logs.reduce(0) { $0 + $1.text.count }
        let result: Result<[Attempt.LogPlace], LogError> = await withCheckedContinuation { continuation in
            let item = Waiting(logs: logs, bytes: bytes) { continuation.resume(returning: $0) }
            let isFirst: Bool? = state.withLock { state in
                // One that is alone is taken whatever its size, else it could never be.
                if state.bytes > 0 && state.bytes + bytes > limits.pendingBytes { return nil }
                state.waiting.append(item)
                state.bytes += bytes
                return state.waiting.count == 1
            }
            switch isFirst {
            case nil: continuation.resume(returning: .failure(.busy))
            case .some(true): queue.start { self.writeGroup() }
            case .some(false): break
            }
        }
        return try result.get()
    }

    private func writeGroup() {
        let group = state.withLock { state in
            defer { state.waiting.removeAll() }
            return state.waiting
        }
        var results: [Result<[Attempt.LogPlace], LogError>] = []
        files.withLock { files in
            for item in group {
                do throws(LogError) { results.append(.success(try files.write(item.logs))) } catch {
                    results.append(.failure(error))
                }
            }
            do throws(LogError) { try files.sync() } catch {
                results = results.map { _ in .failure(error) }
            }
        }
        state.withLock { $0.bytes -= group.reduce(0) { $0 + $1.bytes } }
        for (item, result) in zip(group, results) { item.finish(result) }
    }
}
