public import Foundation
import HaulModel

/// What is to be read of a file.
public struct ReadOrder: Sendable {
    /// The file as it was looked at: ``FileFacts/size`` is that of the whole, ``FileFacts/version`` and
    /// ``FileFacts/modified`` are what must still hold where it is read from the middle.
    public var facts: FileFacts
    /// The first byte that is wanted.
    public var from: Int
    /// The byte after the last one that is wanted.
    public var to: Int
    /// Whether a symbolic link is followed.
    public var follow: Bool
    /// Bytes/s that are asked for at most: how much to ask for ahead. The algorithm keeps to the rate itself.
    public var bandwidth: Int?
    /// Parallel data connections, where the protocol has them.
    public var streams: Int?
    /// For the log.
    public var report: ElementReport?

    public init(
        facts: FileFacts, from: Int = 0, to: Int? = nil, follow: Bool = false, bandwidth: Int? = nil,
        streams: Int? = nil, report: ElementReport? = nil
    ) {
        self.facts = facts
        self.from = from
        self.to = to ?? facts.size
        self.follow = follow
        self.bandwidth = bandwidth
        self.streams = streams
        self.report = report
    }

    /// It ends where the file ends.
    public var isToEnd: Bool { to >= facts.size }
}

/// What is to be written.
public struct WriteOrder: Sendable {
    /// The source: its size is how many bytes will come, for ends that must say so first; mode and times are for the
    /// file, at the latest in ``CopyWriter/finish(_:)``.
    public var source: FileFacts
    /// Whether what is there gives way. Counts where the final name is written itself (``CopyTraits/Publication``).
    public var replace: Bool
    /// Bytes/s that will come at most.
    public var bandwidth: Int?
    /// Parallel data connections, where the protocol has them.
    public var streams: Int?

    public init(source: FileFacts, replace: Bool = true, bandwidth: Int? = nil, streams: Int? = nil) {
        self.source = source
        self.replace = replace
        self.bandwidth = bandwidth
        self.streams = streams
    }
}

/// The bytes of a range, in order; used by one task at a time, but for ``abandon()``.
public protocol CopyReader: Sendable {
    /// The next bytes, never none; nil once all that was ordered was read.
    /// - Throws: ``CopyNotResumable`` before the first bytes, where it was to start in the middle and cannot;
    ///   ``BackendFailure`` (`interrupted`) where the file ends before its time.
    func next() async throws -> Data?
    /// Ends reading. Once all was read to the file's end, tells what the file is by now; nil: the algorithm looks itself.
    func finish() async throws -> FileFacts?
    /// Ends reading without waiting, from any thread and any number of times; what waits in ``next()`` comes back soon.
    func abandon()
}

/// A file that is written in order, from a byte that is not beyond ``existing``; used by one task at a time, but for
/// ``abandon()``.
public protocol CopyWriter: Sendable {
    /// Bytes that are there from an earlier attempt; 0 where there are none or none to go on from.
    var existing: Int { get }
    /// Keeps the first bytes alone. Called before the first write, where ``existing`` is more than what is gone on from.
    func cut(to size: Int) async throws
    /// May return before the bytes have arrived; a failure of theirs comes later, at the latest from ``finish(_:)``.
    func write(_ data: Data, at offset: Int) async throws
    /// Waits for all of it, gives it the source's permissions and times, makes it last, and closes it. For
    /// ``CopyTraits/Publication/whole``: only now the file appears under its name.
    /// - Returns: The bytes that are there now; nil: the algorithm looks itself.
    func finish(_ source: FileFacts) async throws -> Int?
    /// Ends writing without waiting, from any thread and any number of times, also after ``finish(_:)``; what waits in
    /// ``write(_:at:)`` comes back soon.
    func abandon()
    /// After ``abandon()``: returns once nothing of what was written can still arrive. Not for long.
    func ended() async
}

extension CopyWriter {
    public func ended() async {}
}

/// The source cannot be read from the middle, or is not what it was: the beginning is all that is left.
public struct CopyNotResumable: Error {
    public init() {}
}

/// A write that failed, with what it means for what is there. Thrown by ``CopyEnd/writer(_:)``, a ``CopyWriter`` or a
/// ``CopyMover``; a plain ``BackendFailure`` says none of this.
public struct CopyWriteFailure: Error {
    public var failure: BackendFailure
    /// The directory is not there: it is made, where it may be, and the write is tried once more.
    public var parentIsMissing: Bool
    /// Nothing was written, and what is there is not this attempt's to remove (another attempt writes it, the server
    /// refused).
    public var wroteNothing: Bool

    public init(_ failure: BackendFailure, parentIsMissing: Bool = false, wroteNothing: Bool = false) {
        self.failure = failure
        self.parentIsMissing = parentIsMissing
        self.wroteNothing = wroteNothing
    }
}
