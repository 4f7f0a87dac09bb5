/// An HTTP/1.1 client: one thread for any number of requests, connections kept and used again. Redirects are not
/// followed, the environment's proxies not used. Cancelling the task ends its request at once.
public final class HTTPClient: Sendable {
    private let loop: TransferLoop

    /// A client, ready to use; `close()` it, or let it go.
    public init(configuration: HTTPClientConfiguration = HTTPClientConfiguration()) {
        loop = TransferLoop(configuration)
    }

    deinit { loop.close() }

    /// Sends a request and reads the whole answer, up to the request's `maxBody`.
    public func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
        let transfer = try begin(request, isStreamed: false)
        let loop = loop
        let outcome = await withTaskCancellationHandler {
            do throws(HTTPClientError) {
                let (event, _) = try await transfer.next()
                return Result<Transfer.Event, HTTPClientError>.success(event)
            } catch {
                return .failure(error)
            }
        } onCancel: {
            loop.cancel(transfer)
        }
        var response = transfer.head
        if case .bytes(let bytes) = try outcome.get() { response.body = bytes }
        return response
    }

    /// Sends a request and hands the answer on as it comes; a slow `onChunk` slows the server down.
    /// - Parameters:
    ///   - onHead: called once, before the first piece; an error thrown ends the request.
    ///   - onChunk: called for each piece, in order; an error thrown ends the request.
    /// - Returns: status and headers, once all of the body was handed on.
    /// - Throws: `HTTPClientError`, or what a callback threw.
    public func stream(
        _ request: HTTPClientRequest, onHead: @escaping @Sendable (HTTPClientResponse) async throws -> Void = { _ in },
        onChunk: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws -> HTTPClientResponse {
        let transfer = try begin(request, isStreamed: true)
        let loop = loop
        // Whichever way this ends, the transfer does not go on without a reader; one that is over ignores it.
        defer { loop.cancel(transfer) }
        return try await withTaskCancellationHandler {
            var isFirst = true
            while true {
                let (event, wasPaused) = try await transfer.next()
                if isFirst {
                    try await onHead(transfer.head)
                    isFirst = false
                }
                guard case .bytes(let bytes) = event else { return transfer.head }
                if wasPaused { loop.goOn(transfer) }
                try await onChunk(bytes)
            }
        } onCancel: {
            loop.cancel(transfer)
        }
    }

    /// Ends what runs (as `closed`) and every connection; returns when the thread is over.
    public func close() async {
        loop.close()
        await loop.closed()
    }

    private func begin(_ request: HTTPClientRequest, isStreamed: Bool) throws(HTTPClientError) -> Transfer {
        guard request.headers.areWellFormed else {
            throw HTTPClientError(kind: .invalidRequest, message: "a header that can't be sent")
        }
        guard !request.method.isEmpty, request.method.utf8.allSatisfy(HTTPHeaders.isTokenByte) else {
            throw HTTPClientError(kind: .invalidRequest, message: "a method that can't be sent")
        }
        guard request.url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw HTTPClientError(kind: .invalidRequest, message: "a URL with characters that must be percent-encoded")
        }
        let scheme = String(Substring(request.url.utf8.prefix { $0 != UInt8(ascii: ":") })).lowercased()
        guard scheme == "http" || scheme == "https" else {
            throw HTTPClientError(kind: .invalidRequest, message: "a URL that is neither http nor https")
        }
        let transfer = Transfer(request, isStreamed: isStreamed)
        loop.add(transfer)
        return transfer
    }
}
