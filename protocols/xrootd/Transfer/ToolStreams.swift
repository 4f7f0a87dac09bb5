import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// What a tool writes to its standard output: a file, or the end of one.
final class ToolReader: CopyReader {
    private let child: Child
    private let shown: String
    private let path: RemotePath
    private let isToEnd: Bool
    private let left: Mutex<Int>

    init(_ child: Child, shown: String, path: RemotePath, bytes: Int, isToEnd: Bool) {
        self.child = child
        self.shown = shown
        self.path = path
        self.isToEnd = isToEnd
        left = Mutex(bytes)
    }

    func next() async throws -> Data? {
        let wanted = left.withLock { $0 }
        if wanted == 0, !isToEnd {
            abandon()
            return nil
        }
        if let data = await child.output?.read(upTo: 1 << 18) {
            // One byte more than was there at first is a file that grew: the algorithm sees to that.
            let taken = isToEnd ? data : data.prefix(wanted)
            left.withLock { $0 -= min($0, taken.count) }
            return taken
        }
        let said = await Xrdcp.complaint(child)
        let status = await child.wait()
        guard status.isSuccess else {
            throw Complaint.failure(said, "cannot read \(shown)", about: [path.text], returncode: status.code)
        }
        guard left.withLock({ $0 }) == 0 else { throw BackendFailure(.interrupted, "\(shown) ended before its time") }
        return nil
    }

    func finish() async throws -> FileFacts? { nil }

    func abandon() {
        child.signal(SIGKILL)
        child.output?.close()
        child.errors?.close()
    }

    deinit { abandon() }
}

/// A file that xrdcp writes from its standard input.
final class ToolWriter: CopyWriter {
    private let child: Child
    private let end: XRootDEnd

    init(_ child: Child, end: XRootDEnd) {
        self.child = child
        self.end = end
    }

    var existing: Int { 0 }

    func cut(to size: Int) async throws {}

    func write(_ data: Data, at offset: Int) async throws {
        if await child.input?.write(data) != true { throw try await failure() }
    }

    func finish(_ source: FileFacts) async throws -> Int? {
        child.input?.finish()
        let said = await Xrdcp.complaint(child)
        let status = await child.wait()
        guard status.isSuccess else {
            throw Complaint.failure(
                said, "cannot write \(end.shown)", about: [end.path.text], returncode: status.code)
        }
        return try await end.settle(source)?.size
    }

    func abandon() {
        child.signal(SIGKILL)
        child.input?.close()
    }

    func ended() async { _ = await child.wait(atMost: .seconds(3)) }

    deinit { abandon() }

    private func failure() async throws -> BackendFailure {
        child.input?.finish()
        let said = await Xrdcp.complaint(child)
        return Complaint.failure(
            said, "cannot write \(end.shown)", about: [end.path.text], returncode: await child.wait().code)
    }
}
