import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// An object that is written in one request, in order, as its bytes come. Nothing of it is there before ``finish(_:)``: the
/// last bytes are kept back until then. Large ones are no matter of this one (``PartedUpload``).
actor ObjectWriter: CopyWriter {
    nonisolated let existing = 0
    private let end: S3End
    private let order: WriteOrder
    private let hash: StreamHash?
    private var held = Data()
    private var sent = 0
    /// What is under way, for whoever gives it up from another thread.
    private let current = Mutex<(stream: ObjectStream?, isOver: Bool)>((nil, false))

    init(_ end: S3End, _ order: WriteOrder) {
        self.end = end
        self.order = order
        hash = try? StreamHash(.md5)
    }

    private var bucket: Bucket { end.bucket }
    private var what: String { "PUT \(end.shown)" }

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
        let last = held
        held = Data()
        try await send(last)
        let stream = try await open()
        let arrived = try await plainly { try await stream.finish() }
        let sum = arrived.isProven ? hash?.finish() : nil
        end.known.wrote(
            ObjectFacts(
                written: arrived.etag, size: order.source.size, source: order.source, isEncrypted: !arrived.isProven),
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

    func ended() async { await current.withLock { $0.stream }?.ended() }

    private func send(_ data: Data) async throws {
        if data.isEmpty { return }
        let stream = try await open()
        try await plainly { try await stream.write(data) }
        sent += data.count
    }

    private func open() async throws -> ObjectStream {
        if let stream = current.withLock({ $0.stream }) { return stream }
        var headers = Bucket.metadata(mtime: ObjectFacts.text(order.source))
        if !order.replace, try await bucket.learnCondition() { headers.append(("If-None-Match", "*")) }
        let stream = try await ObjectStream.start(
            bucket, end.place.key, headers: headers, length: order.source.size, what: what)
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
