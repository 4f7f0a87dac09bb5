import Foundation
import HaulModel
import Synchronization

/// An open file of this machine, read in order.
final class LocalReader: PipedReader {
    private static let piece = 1 << 20

    let file: Descriptor
    private let shown: String
    private let end: Int
    private let offset: Mutex<Int>
    private let isOver = Mutex(false)
    private let wasMoved = Mutex(false)

    init(_ file: Descriptor, shown: String, _ order: ReadOrder) {
        self.file = file
        self.shown = shown
        end = order.to
        offset = Mutex(order.from)
    }

    func next() async throws -> Data? {
        let start = offset.withLock { $0 }
        let count = min(Self.piece, end - start)
        if count <= 0 { return nil }
        return try await LocalEnd.files.run { [self] in
            if isOver.withLock({ $0 }) { throw CancellationError() }
            var data = Data(count: count)
            let got = data.withUnsafeMutableBytes { pread(file.raw, $0.baseAddress, count, off_t(start)) }
            if got < 0 { throw BackendFailure.system(errno, "cannot read \(shown)") }
            if got == 0 { throw BackendFailure(.interrupted, "\(shown) became shorter while it was read") }
            offset.withLock { $0 += got }
            return got == count ? data : data.prefix(got)
        }
    }

    func move(into pipe: PipeWriter) async throws -> PipedBytes {
        let start = offset.withLock { $0 }
        let count = min(Self.piece, end - start)
        if count <= 0 { return .none }
        let moved: Int
        switch await pipe.move(count, from: file, at: start) {
        case .all: moved = count
        case .refused: return .refused
        // At the end, or of a file system that cannot: reading tells which.
        case .stopped(let some, _): moved = some
        }
        offset.withLock { $0 += moved }
        wasMoved.withLock { $0 = true }
        return moved > 0 ? .moved(moved) : .none
    }

    /// Of bytes that were moved, which the file may still change, nobody knows here what they will be.
    func finish() async throws -> FileFacts? {
        if wasMoved.withLock({ $0 }) { return nil }
        return try await LocalEnd.files.run { [self] in FileFacts(try file.status(shown)) }
    }

    func abandon() { isOver.withLock { $0 = true } }
}

/// A part file of this machine, locked against other attempts.
final class LocalWriter: CopyWriter {
    let file: Descriptor
    let existing: Int
    private let shown: String
    private let isDurable: Bool
    private let isOver = Mutex(false)

    init(_ file: Descriptor, shown: String, existing: Int, isDurable: Bool) {
        self.file = file
        self.shown = shown
        self.existing = existing
        self.isDurable = isDurable
    }

    func cut(to size: Int) async throws {
        try await LocalEnd.files.run { [self] in
            if ftruncate(file.raw, off_t(size)) != 0 { throw BackendFailure.system(errno, "cannot write \(shown)") }
        }
    }

    func write(_ data: Data, at offset: Int) async throws {
        try await LocalEnd.files.run { [self] in
            if isOver.withLock({ $0 }) { throw CancellationError() }
            try data.withUnsafeBytes { bytes in
                var written = 0
                while written < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                    let count = pwrite(file.raw, rest.baseAddress, rest.count, off_t(offset + written))
                    if count < 0, errno == EINTR { continue }
                    if count < 0 { throw BackendFailure.system(errno, "cannot write \(shown)") }
                    written += count
                }
            }
        }
    }

    func finish(_ source: FileFacts) async throws -> Int? {
        try await LocalEnd.files.run { [self] in
            try Self.keep(source, file, isDurable: isDurable, shown: shown)
            return Int(try file.status(shown).st_size)
        }
    }

    func abandon() { isOver.withLock { $0 = true } }

    /// Mode and time of the source, as far as they are known; where the file system refuses them, the content counts.
    static func keep(_ source: FileFacts, _ file: Descriptor, isDurable: Bool, shown: String) throws {
        fchmod(file.raw, mode_t((source.permissions ?? 0o644) & 0o777))
        if let modified = source.modified {
            let time = timespec(tv_sec: modified, tv_nsec: source.nanoseconds ?? 0)
            _ = [time, time].withUnsafeBufferPointer { futimens(file.raw, $0.baseAddress) }
        }
        if isDurable, fsync(file.raw) != 0 { throw BackendFailure.system(errno, "cannot write \(shown)") }
    }
}
