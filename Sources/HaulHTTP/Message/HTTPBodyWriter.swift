/// Where a streamed answer's pieces go.
public struct HTTPBodyWriter: Sendable {
    private let send: @Sendable ([UInt8]) async throws -> Void

    /// A writer that hands each piece to `send`; the server makes its own, tests and decorators may too.
    public init(_ send: @escaping @Sendable ([UInt8]) async throws -> Void) {
        self.send = send
    }

    /// Sends a piece; suspends while more than 256 KiB wait for the client to take them.
    /// - Throws: `HTTPClientGone` once the client has left or stalled past the idle timeout, `CancellationError` when
    ///   the task is cancelled.
    public func write(_ bytes: [UInt8]) async throws {
        try await send(bytes)
    }
}

/// The client of a streamed answer is no longer there to read it.
public struct HTTPClientGone: Error, Sendable {}
