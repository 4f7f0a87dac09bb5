import Synchronization

/// One request under way: what libcurl's thread has received, and the task that waits for it.
final class Transfer: Sendable {
    /// What the waiting task gets next.
    enum Event: Sendable {
        case bytes([UInt8])
        case end
    }

    /// Bytes that may wait for a slow reader before the transfer is paused.
    static let window = 256 * 1024
    /// Bytes of all header lines of an answer, interim answers and trailer included.
    static let headLimit = 256 * 1024

    private struct State {
        var status = 0
        var headers = HTTPHeaders()
        var bytes: [UInt8] = []
        var total = 0
        var headSize = 0
        var isHeadWhole = false
        var isPaused = false
        var result: Result<Void, HTTPClientError>?
        var waiter: CheckedContinuation<Void, Never>?
    }

    let request: HTTPClientRequest
    private let isStreamed: Bool
    private let state = Mutex(State())

    init(_ request: HTTPClientRequest, isStreamed: Bool) {
        self.request = request
        self.isStreamed = isStreamed
    }

    /// Status and headers, once there are any.
    var head: HTTPClientResponse {
        state.withLock { HTTPClientResponse(status: $0.status, headers: $0.headers) }
    }

    /// One line of a head (or of the trailer), as it came; false when there are too many.
    func receiveLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let size = bytes.count
        var line = bytes[...].drop { $0 == UInt8(ascii: " ") }
        while let last = line.last, Self.isBlank(last) { line.removeLast() }
        return state.withLock { state in
            state.headSize += size
            guard state.headSize <= Self.headLimit else {
                let message = "the answer's head is longer than \(Self.headLimit) bytes"
                state.result = .failure(HTTPClientError(kind: .malformed, message: message))
                return false
            }
            if line.isEmpty {
                state.isHeadWhole = true
            } else if line.starts(with: "HTTP/".utf8) {
                // A new head: what went before was an interim answer (100 Continue).
                state.headers = HTTPHeaders()
                state.isHeadWhole = false
                let code = line.split(separator: UInt8(ascii: " "), maxSplits: 2).dropFirst().first
                state.status = code.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
            } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
                let value = line[(colon + 1)...].drop(while: Self.isBlank)
                state.headers.append(
                    String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
            }
            return true
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// What to tell libcurl about a piece of the body.
    enum Verdict { case taken, pause, abort }

    /// A piece of the body.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        let (verdict, waiter) = state.withLock { state -> (Verdict, CheckedContinuation<Void, Never>?) in
            if isStreamed, !state.bytes.isEmpty, state.bytes.count + bytes.count > Self.window {
                state.isPaused = true
                return (.pause, nil)
            }
            state.total += bytes.count
            if !isStreamed, state.total > request.maxBody {
                let message = "the answer is longer than \(request.maxBody) bytes"
                state.result = .failure(HTTPClientError(kind: .tooLarge, message: message))
                return (.abort, nil)
            }
            state.bytes.append(contentsOf: bytes)
            guard isStreamed else { return (.taken, nil) }
            defer { state.waiter = nil }
            return (.taken, state.waiter)
        }
        waiter?.resume()
        return verdict
    }

    /// The transfer is over; the first result counts.
    func finish(_ result: Result<Void, HTTPClientError>) {
        let waiter = state.withLock { state in
            if state.result == nil { state.result = result }
            if case .success = state.result, !state.isHeadWhole {
                // libcurl takes a head that breaks off for a whole one.
                let message = "the connection ended within the answer's head"
                state.result = .failure(HTTPClientError(kind: .disconnected, message: message))
            }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits for bytes (or, when nothing is streamed, for all of them), or for the end.
    /// - Returns: the event, and whether libcurl waits to be told to go on.
    func next() async throws(HTTPClientError) -> (Event, wasPaused: Bool) {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.result != nil || (isStreamed && !state.bytes.isEmpty) { return true }
                state.waiter = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        let taken = state.withLock { state -> Result<(Event, wasPaused: Bool), HTTPClientError> in
            if !state.bytes.isEmpty, isStreamed || (try? state.result?.get()) != nil {
                defer {
                    state.bytes = []
                    state.isPaused = false
                }
                return .success((.bytes(state.bytes), state.isPaused))
            }
            if case .failure(let error) = state.result { return .failure(error) }
            return .success((.end, false))
        }
        return try taken.get()
    }
}
