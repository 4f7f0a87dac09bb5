/// A reader whose bytes can move into a pipe without passing through this process: where they stand in a file, in a
/// socket or in another pipe.
public protocol PipedReader: CopyReader {
    /// Moves the next bytes, as many as there are and no more than were ordered; returns once they are in the pipe. A file's
    /// are those that it has when they leave the pipe: only a look after that tells whether it is still the same.
    func move(into pipe: PipeWriter) async throws -> PipedBytes
}

/// What a ``PipedReader`` has moved.
public enum PipedBytes: Sendable, Hashable {
    case moved(Int)
    /// None, and none will be: ``CopyReader/next()`` has the rest, or tells how it ended.
    case none
    /// Nobody reads the pipe any more.
    case refused
}

/// A writer that can take its bytes out of a pipe without their passing through this process.
public protocol PipedWriter: CopyWriter {
    /// As ``CopyWriter/write(_:at:)``, of bytes that a pipe has (``PipeReader/there()``): returns once they have left it.
    func write(_ count: Int, from pipe: PipeReader, at offset: Int) async throws
}

/// Bytes from which on a way within the kernel is worth its calls.
let worthPiping = 1 << 20
