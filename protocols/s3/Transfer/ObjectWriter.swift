import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// An object that is written in order, as its bytes come: in one request or, from a size on, part after part. Nothing
/// of it is there before ``finish(_:)``: the last bytes are kept back until then.
actor ObjectWriter: CopyWriter {
    nonisolated let existing = 0
    private let end: S3End
    private let order: WriteOrder
    private let ranges: [Range<Int>]
    private let hash: StreamHash?
    private var upload: MultipartUpload?
    private var parts: [MultipartUpload.Part] = []
    private var held = Data()
    private var sent = 0
    private var isProven = true
    private var isDone = false
    /// What is under way, for whoever gives it up from another thread.
    private let current = Mutex<(stream: ObjectStream?, isOver: Bool)>((nil, false))

    init(_ end: S3End, _ order: WriteOrder) {
        self.end = end
        self.order = order
        let (size, limits) = (order.source.size, end.bucket.limits)
        ranges = size < limits.threshold ? [] : Limits.parts(size, wanted: limits.part)
        hash = try? StreamHash(.md5)
    }

    private var bucket: Bucket { end.bucket }
    private var what: String { "PUT \(end.shown)" }
    private var onlyIfMissing: Bool { !order.replace }
    private var mtime: String { ObjectFacts.text(order.source) }

    nonisolated func cut(to size: Int) async throws {}

    func write(_ data: Data, at offset: Int) async throws {
        guard sent + held.count + data.count <= order.source.size else {
            throw BackendFailure(.interrupted, "\(what): more bytes came than the \(order.source.size) announced")
        }
        data.withUnsafeBytes { hash?.update($0) }
        try await send(held)
        held = data
    }

    func finish(_ source: FileFacts) async throws -> Int? {
        guard sent + held.count == order.source.size else {
            throw BackendFailure(.interrupted, "\(what): \(sent + held.count) of \(order.source.size) bytes came")
        }
        let etag: String
        if ranges.isEmpty {
            let last = held
            held = Data()
            let stream = try await open(length: order.source.size)
            if !last.isEmpty { try await plainly { try await stream.write(last) } }
            let arrived = try await plainly { try await stream.finish() }
            isProven = arrived.isProven
            etag = arrived.etag
        } else {
            try await send(held)
            held = Data()
            guard let upload else { throw BackendFailure(.backend, "\(what): there is no upload to finish") }
            etag = try await bucket.finish(upload, parts, at: end.place, onlyIfMissing: onlyIfMissing)
        }
        isDone = true
        let sum = isProven ? hash?.finish() : nil
        end.known.wrote(
            ObjectFacts(written: etag, size: order.source.size, source: order.source, isEncrypted: !isProven),
            proven: sum)
        return order.source.size
    }

    nonisolated func abandon() {
        let stream = current.withLock { current in
            current.isOver = true
            return current.stream
        }
        stream?.abort()
    }

    func ended() async {
        if let stream = current.withLock({ $0.stream }) { await stream.ended() }
        guard let upload, !isDone else { return }
        self.upload = nil
        // In a task of its own: it is this one's cancellation that has it end, mostly.
        await Task { [bucket] in
            try? await Abandonable.run(limit: .seconds(3)) { await bucket.abort(upload) }
        }.value
    }

    private func send(_ data: Data) async throws {
        guard !ranges.isEmpty else {
            if data.isEmpty { return }
            let stream = try await open(length: order.source.size)
            try await plainly { try await stream.write(data) }
            sent += data.count
            return
        }
        var rest = data
        while !rest.isEmpty {
            let range = ranges[parts.count]
            let piece = rest.prefix(range.upperBound - sent)
            rest = rest.dropFirst(piece.count)
            let stream = try await open(length: range.count)
            try await plainly { try await stream.write(Data(piece)) }
            sent += piece.count
            guard sent == range.upperBound else { continue }
            let arrived = try await plainly { try await stream.finish() }
            current.withLock { $0.stream = nil }
            isProven = isProven && arrived.isProven
            parts.append(.init(number: parts.count + 1, etag: arrived.etag, size: range.count))
        }
    }

    private func open(length: Int) async throws -> ObjectStream {
        if let stream = current.withLock({ $0.stream }) { return stream }
        let metadata = Bucket.metadata(mtime: mtime)
        let stream: ObjectStream
        if ranges.isEmpty {
            var headers = metadata
            if onlyIfMissing, try await bucket.learnCondition() { headers.append(("If-None-Match", "*")) }
            stream = try await ObjectStream.start(
                bucket, end.place.key, headers: headers, length: length, what: what)
        } else {
            let upload: MultipartUpload
            if let begun = self.upload {
                upload = begun
            } else {
                upload = try await bucket.begin(end.place, headers: metadata)
            }
            self.upload = upload
            stream = try await ObjectStream.start(
                bucket, end.place.key,
                query: [("partNumber", "\(parts.count + 1)"), ("uploadId", upload.id)], length: length,
                what: "\(what), part \(parts.count + 1)")
        }
        let isOver = current.withLock { current in
            current.stream = stream
            return current.isOver
        }
        if isOver {
            stream.abort()
            throw CancellationError()
        }
        return stream
    }

    private func plainly<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let refused as ObjectStream.Refused {
            throw CopyWriteFailure(refused.failure, wroteNothing: true)
        }
    }
}
