import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// The source of an upload in parts, read in order; opened anew where anything but the next byte is wanted. For one task at
/// a time, but for ``abandon()``.
actor PartSource<Source: CopyEnd> {
    private let source: Source
    private let order: ReadOrder
    private let pace: BytePace?
    /// What is read of it moves.
    nonisolated let isFar: Bool
    /// Of all bytes; nil where it is not wanted.
    private let whole: StreamHash?
    /// The bytes that it has seen: what is read again counts once.
    private var hashed = 0
    /// Bytes that it has seen were read again, for whatever is done with them: they may be others by then.
    private(set) var wasReread = false
    private var position = 0
    private var rest = Data()
    private let current = Mutex<(reader: (any CopyReader)?, isOver: Bool)>((nil, false))

    /// - Parameter order: All of the file.
    init(_ source: Source, _ order: ReadOrder, hashing algorithm: StreamHash.Algorithm? = nil) throws {
        self.source = source
        self.order = order
        isFar = !source.traits.isNear
        pace = order.bandwidth.map { BytePace(rate: $0) }
        whole = try algorithm.map { try StreamHash($0) }
    }

    /// The bytes from `offset` on, at least one and no further than `end`.
    /// - Parameter isMoved: False for bytes of this machine's that stay on it: they keep to no pace.
    /// - Throws: `CopyNotResumable` where they cannot be had without those before them.
    func next(at offset: Int, upTo end: Int, isMoved: Bool) async throws -> Data {
        let reader = try await reader(at: offset)
        while rest.isEmpty {
            try Task.checkCancellation()
            guard let data = try await reader.next() else {
                throw BackendFailure(
                    .interrupted, "\(source.shown) ended after \(position) of \(order.facts.size) bytes")
            }
            rest = data
        }
        let pace = isMoved ? pace : nil
        let most = min(pace?.piece ?? .max, end - position)
        let piece = rest.count <= most ? rest : Data(rest.prefix(most))
        rest = rest.count <= most ? Data() : Data(rest.dropFirst(most))
        try await pace?.admit(piece.count)
        if let whole, position + piece.count > hashed {
            piece.dropFirst(max(0, hashed - position)).withUnsafeBytes { whole.update($0) }
            hashed = position + piece.count
        }
        position += piece.count
        return piece
    }

    /// What the source is by now, where its end was read and its reader says.
    func finish() async throws -> FileFacts? {
        guard position == order.facts.size, rest.isEmpty, let reader = current.withLock({ $0.reader }) else {
            return nil
        }
        return try await withTaskCancellationHandler {
            // Some end only when they are asked for more.
            guard try await reader.next() == nil else {
                throw BackendFailure(.busy, "\(source.shown) grew while it was copied")
            }
            return try await reader.finish()
        } onCancel: {
            reader.abandon()
        }
    }

    /// The checksum of all bytes, once they were read.
    func sum() -> String? { whole?.finish() }

    nonisolated func abandon() {
        let reader = current.withLock { current in
            current.isOver = true
            defer { current.reader = nil }
            return current.reader
        }
        reader?.abandon()
    }

    private func reader(at offset: Int) async throws -> any CopyReader {
        if offset == position, let reader = current.withLock({ $0.reader }) { return reader }
        current.withLock { current in
            defer { current.reader = nil }
            return current.reader
        }?.abandon()
        (rest, position) = (Data(), offset)
        if offset < hashed { wasReread = true }
        var order = order
        order.from = offset
        let reader = try await source.reader(order)
        let isOver = current.withLock { current in
            if !current.isOver { current.reader = reader }
            return current.isOver
        }
        if isOver {
            reader.abandon()
            throw CancellationError()
        }
        return reader
    }
}

extension PartSource {
    nonisolated func each(
        _ range: Range<Int>, isMoved: Bool, _ body: (Data) async throws -> Void
    ) async throws {
        try await withTaskCancellationHandler {
            var offset = range.lowerBound
            while offset < range.upperBound {
                let data = try await next(at: offset, upTo: range.upperBound, isMoved: isMoved)
                offset += data.count
                try await body(data)
            }
        } onCancel: {
            abandon()
        }
    }

    /// Whether a part that is there holds what the source holds; nil where the server does not tell the md5.
    nonisolated func isSame(
        _ part: MultipartUpload.Part, _ range: Range<Int>, _ report: ElementReport
    ) async throws -> Bool? {
        guard let md5 = part.md5 else { return nil }
        let hash = try StreamHash(.md5)
        var seen = range.lowerBound
        try await each(range, isMoved: isFar) { data in
            data.withUnsafeBytes { hash.update($0) }
            seen += data.count
            // Long for a large file, and no standstill.
            report.progress(transferred: seen)
        }
        return hash.finish() == "md5:\(md5)"
    }
}
