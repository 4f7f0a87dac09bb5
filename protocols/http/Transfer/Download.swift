import Foundation
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
    private var offset = 0
    private var breaks = 0
    private var aborted = false
    private let log: @Sendable (String) -> Void

    /// - Parameter size: The bytes that there must be; more or fewer are a failure.
    init(_ server: Server, _ location: Location, size: Int, log: @escaping @Sendable (String) -> Void) {
        self.server = server
        self.location = location
        self.size = size
        self.log = log
    }

    /// The next piece; nil once all of it was read.
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
        return try await open(server.request(.get(), location, body: .stream(length: nil)))
    }

    private func open(_ request: HTTPRequest) async throws -> CurlStream {
        let opened = try await CurlStream.start(request, tool: server.curl.tool, scratch: server.curl.scratch)
        guard !aborted else {
            opened.abort()
            throw CancellationError()
        }
        stream = opened
        return opened
    }

    private func resume(_ response: HTTPResponse) async throws {
        let cut = response.exitCode == 0 ? response.isSuccess : [18, 52, 55, 56].contains(response.exitCode)
        let provable = !response.etag.isEmpty || !response.lastModified.isEmpty
        guard cut, offset > 0, offset < size, provable, breaks < Self.mostBreaks else {
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
