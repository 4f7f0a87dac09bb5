import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// The bytes of an object, in order, as they come. A connection that breaks is made again from where it
/// broke, a few times, while the object is what it was (`If-Match`).
actor ObjectReader: CopyReader {
    private static let mostBreaks = 3

    private let bucket: Bucket
    private let place: Place
    private let order: ReadOrder
    private var offset: Int
    private var breaks = 0
    private let log: @Sendable (String) -> Void
    /// The stream that is read from, for whoever gives it up from another thread.
    private let current = Mutex<(stream: CurlStream?, isOver: Bool)>((nil, false))

    init(_ bucket: Bucket, _ place: Place, _ order: ReadOrder, log: @escaping @Sendable (String) -> Void) {
        self.bucket = bucket
        self.place = place
        self.order = order
        self.log = log
        offset = order.from
    }

    private var what: String { "GET \(place.shown)" }

    func next() async throws -> Data? {
        while offset < order.to {
            try Task.checkCancellation()
            let stream = try await open()
            if let data = await stream.read() {
                let wanted = data.prefix(order.to - offset)
                if wanted.count < data.count, order.isToEnd {
                    abandon()
                    throw BackendFailure(
                        .invalid, "\(what): the server sends more than the \(order.facts.size) bytes that it announced")
                }
                offset += wanted.count
                if offset == order.to, !order.isToEnd { abandon() }
                return wanted.isEmpty ? nil : Data(wanted)
            }
            let response = await stream.finish()
            current.withLock { $0.stream = nil }
            try Task.checkCancellation()
            if current.withLock({ $0.isOver }) { throw CancellationError() }
            try await goOn(after: response)
        }
        return nil
    }

    /// Each answer was asked for with `If-Match`: it is still the same.
    func finish() async throws -> FileFacts? {
        if order.facts.size == 0 { return nil }
        let stream = current.withLock { current in
            defer { current.stream = nil }
            return current.stream
        }
        guard let stream else { return nil }
        // It would wait for ever for somebody to take what is too much.
        if await stream.read() != nil {
            stream.abort()
            throw BackendFailure(
                .invalid, "\(what): the server sends more than the \(order.facts.size) bytes that it announced")
        }
        let response = await stream.finish()
        return response.isSuccess && order.facts.version != nil ? order.facts : nil
    }

    nonisolated func abandon() {
        let stream = current.withLock { current in
            current.isOver = true
            defer { current.stream = nil }
            return current.stream
        }
        stream?.abort()
    }

    private func open() async throws -> CurlStream {
        if let stream = current.withLock({ $0.stream }) { return stream }
        var request = bucket.request(.get, place.key)
        if let version = order.facts.version, !version.isEmpty { request.headers = [("If-Match", version)] }
        request.from = offset
        request.answer = .stream
        let opened = try CurlStream.start(request, in: bucket.curl.streams)
        let isOver = current.withLock { current in
            if !current.isOver { current.stream = opened }
            return current.isOver
        }
        guard !isOver else {
            opened.abort()
            throw CancellationError()
        }
        return opened
    }

    /// Returns where it is worth asking for the rest.
    private func goOn(after response: HTTPResponse) async throws {
        // 33: the whole came instead of the rest.
        if order.from > 0, offset == order.from, [412, 416].contains(response.status) || response.exitCode == 33 {
            throw CopyNotResumable()
        }
        if response.status == 412 {
            throw BackendFailure(.busy, "\(what): it changed while it was read", returncode: 22)
        }
        let isBusy = [429, 500, 502, 503].contains(response.status)
        let isCut = response.exitCode == 0 ? response.isSuccess : [18, 52, 55, 56].contains(response.exitCode)
        let isProvable = order.facts.version?.isEmpty == false
        guard isBusy || isCut && isProvable && response.status < 400, breaks < Self.mostBreaks else {
            if response.isSuccess {
                throw BackendFailure(
                    .interrupted, "\(what): it ended after \(offset) of \(order.facts.size) bytes", returncode: 18)
            }
            throw await bucket.refusal(response, of: place, "\(what) (\(offset) of \(order.facts.size) bytes)")
        }
        breaks += 1
        if isBusy {
            try await Task.sleep(for: .seconds(0.2 * Double(breaks) * Double.random(in: 0.7...1.3)))
        } else {
            log("\(what) broke off after \(offset) of \(order.facts.size) bytes; going on from there")
        }
    }
}
