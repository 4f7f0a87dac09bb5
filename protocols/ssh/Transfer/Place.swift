import Foundation
import HaulModel
import HaulProtocol

/// Bytes of a file.
typealias Chunk = Data

/// One end of a copy: a site, or the worker's own disk. Paths are absolute here.
protocol Place: Sendable {
    /// What is at a path; nil for nothing.
    func facts(_ path: String, follow: Bool) async throws -> FileFacts?
    /// Reads a file's bytes from `offset` up to `end`, in order.
    func reader(_ path: String, from offset: Int, to end: Int) async throws -> any ChunkReader
    /// Opens a part file, or makes it (0600). What is in its place and is no file fails.
    func openPart(_ path: String) async throws -> any PartWriter
    /// Makes the directories above a path where they are missing. Others may make them at the same time.
    func makeParents(of path: String) async throws
    /// Gives a part file its final name; where not to `replace`, what is there by now fails with `exists`.
    func publish(_ part: String, as path: String, replace: Bool) async throws
    /// Removes a file that may be gone.
    func discard(_ path: String) async throws
}

/// A file's content as it comes, in order.
protocol ChunkReader: Sendable {
    /// The next bytes; nil once all of it was read.
    /// - Throws: ``BackendFailure`` (`interrupted`) where the file ends before its time.
    func next() async throws -> Chunk?
    /// Ends reading. Once all was read, tells what the file is by now.
    func finish() async throws -> FileFacts?
    /// Ends reading, without waiting.
    func abandon()
}

/// A part file that is written in order.
protocol PartWriter: Sendable {
    /// Bytes that were there when it was opened.
    var existing: Int { get }
    /// Makes it empty.
    func truncate() async throws
    /// May return before the bytes have arrived; a failure of theirs comes later, at the latest from ``finish(_:)``.
    func write(_ data: Chunk, at offset: Int) async throws
    /// Waits for all of it, gives it the source's permissions and times, makes it last, and closes it.
    /// - Returns: Its size as it is now.
    func finish(_ source: FileFacts) async throws -> Int
    /// Closes it, without waiting.
    func abandon()
}
