import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// The bytes of a file on a server, in order. A connection that breaks is made again from where it broke, a few
/// times, where the server can say that it is still the same content.
actor Download {
    private static let mostBreaks = 3

    private let server: Server
    private let location: Location
    private let size: Int
    private var stream: CurlStream?
    private let start: Int
    private let modified: Int?
    private var offset: Int
    private var breaks = 0
    private var aborted = false
    private let bandwidth: Int?
    private let log: @Sendable (String) -> Void

    /// - Parameter order: Its size is what there must be; more or fewer bytes are a failure. From the middle, the time must
    ///   be there, and still hold.
    init(_ server: Server, _ location: Location, _ order: ReadOrder, log: @escaping @Sendable (String) -> Void) {
        start = order.from
        modified = order.facts.modified
        offset = order.from
        size = order.facts.size
        bandwidth = order.bandwidth
        self.server = server
        self.location = location
        self.log = log
    }

    /// The next piece; nil once all of it was read.
    /// - Throws: `CopyNotResumable` before the first piece of a download from the middle.
    func next() async throws -> Data? {
        while true {
            try Task.checkCancellation()
            let stream = try await current()
            if let data = await stream.read() {
                offset += data.count
                guard offset <= size else {
                    abort()
                    throw BackendFailure(
                        .invalid,
                        "GET \(location.given): the server sends more than the \(size) bytes that it announced")
                }
                return data
            }
            let response = await stream.finish()
            try Task.checkCancellation()
            self.stream = nil
            if response.isSuccess, offset == size { return nil }
            try await resume(response)
        }
    }

    /// Ends it where it is.
    func abort() {
        aborted = true
        stream?.abort()
        stream = nil
    }

    private func current() async throws -> CurlStream {
        if let stream { return stream }
        var request = server.request(.get(from: start), location, body: .stream(length: nil))
        if start > 0 { request.unchanged = ("", modified.map(HTTPDate.text) ?? "") }
        return try await open(request)
    }

    private func open(_ request: HTTPRequest) async throws -> CurlStream {
        guard !aborted else { throw CancellationError() }
        var request = request
        request.bandwidth = bandwidth
        let opened = try CurlStream.start(request, in: server.curl.streams)
        guard !aborted else {
            opened.abort()
            throw CancellationError()
        }
        stream = opened
        return opened
    }

    private func resume(_ response: HTTPResponse) async throws {
        // 33: the whole came instead of the rest.
        if start > 0, offset == start, [412, 416].contains(response.status) || response.exitCode == 33 {
            throw CopyNotResumable()
        }
        if response.status == 412 {
            throw BackendFailure(
                .interrupted, "GET \(location.given): it changed while it was read", returncode: 22)
        }
        let cut = response.exitCode == 0 ? response.isSuccess : [18, 52, 55, 56].contains(response.exitCode)
        // A weak tag promises no equal bytes.
        let provable = !response.etag.isEmpty && !response.etag.hasPrefix("W/") || !response.lastModified.isEmpty
        guard cut, offset > start, offset < size, provable, breaks < Self.mostBreaks else {
            if response.isSuccess {
                throw BackendFailure(
                    .interrupted, "GET \(location.given): it ended after \(offset) of \(size) bytes", returncode: 18)
            }
            throw response.failure("GET \(location.given) (\(offset) of \(size) bytes)")
        }
        breaks += 1
        log("GET \(location.given) broke off after \(offset) of \(size) bytes; going on from there")
        var request = server.request(.get(from: offset), location, body: .stream(length: nil))
        request.unchanged = (response.etag, response.lastModified)
        _ = try await open(request)
    }
}
