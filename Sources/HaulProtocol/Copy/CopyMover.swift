public import HaulModel

/// A faster way of moving a file's bytes between two ends of certain kinds: a server that copies within itself, a
/// third-party copy, the kernel, a tool. Movers are asked in order, the ``whole(_:paces:resumes:_:)`` ones first; where
/// all decline, the bytes pass through the worker. Whatever moved them, ``FileCopying`` checks, publishes and
/// cleans up.
public struct CopyMover<Source: CopyEnd, Target: CopyEnd>: Sendable {
    enum Way: Sendable {
        case whole(@Sendable (CopyMove<Source, Target>) async throws -> CopyMoved?)
        case into(@Sendable (CopyMove<Source, Target>, any CopyWriter) async throws -> CopyMoved?)
    }

    /// For the log: `the server copies within itself`.
    let name: String
    let paces: Bool
    let resumes: Bool
    let way: Way

    /// A mover that writes the target file itself, without a ``CopyWriter``.
    /// - Parameters:
    ///   - name: What it does, for the log; nothing is logged where it is empty.
    ///   - paces: It keeps to ``CopyMove/bandwidth``; one that does not is passed over while there is one.
    ///   - resumes: It goes on from ``CopyMove/offset``, which was compared with the source; one that does not
    ///     begins anew, and what it leaves when it fails is removed.
    ///   - move: Nil: not for this file; nothing was written.
    public static func whole(
        _ name: String, paces: Bool, resumes: Bool = false,
        _ move: @escaping @Sendable (CopyMove<Source, Target>) async throws -> CopyMoved?
    ) -> CopyMover {
        CopyMover(name: name, paces: paces, resumes: resumes, way: .whole(move))
    }

    /// A mover that writes through the target's open ``CopyWriter``, which knows more ways than its protocol tells, from
    /// ``CopyMove/offset`` on. The algorithm finishes the writer.
    /// - Parameter move: Nil: not for these two; nothing was written.
    public static func into(
        _ name: String, paces: Bool,
        _ move: @escaping @Sendable (CopyMove<Source, Target>, any CopyWriter) async throws -> CopyMoved?
    ) -> CopyMover {
        CopyMover(name: name, paces: paces, resumes: true, way: .into(move))
    }
}

/// What a ``CopyMover`` has to do.
public struct CopyMove<Source: CopyEnd, Target: CopyEnd>: Sendable {
    public let source: Source
    /// The part file, or the final name where there is none (``CopyTraits/Publication``).
    public let target: Target
    /// How ``target`` comes to its final name; `.rename` where it is a part file.
    public let publication: CopyTraits.Publication
    /// The source as it was looked at.
    public let facts: FileFacts
    /// The first byte to move; those before it are there.
    public internal(set) var offset = 0
    /// The final name is written itself, and what is there gives way.
    public let replace: Bool
    /// Whether a link at the source is followed.
    public let follow: Bool
    /// The checksum of all bytes of the source is wanted: for movers that see them pass.
    public internal(set) var algorithm: StreamHash.Algorithm?
    /// Bytes/s at most.
    public let bandwidth: Int?
    /// Parallel data connections, where the protocol has them.
    public let streams: Int?
    /// For progress (at any rate: a mover without any is taken for one that stands still) and the log.
    public let report: ElementReport

    /// All of the source, as it was looked at.
    public var readOrder: ReadOrder {
        ReadOrder(facts: facts, follow: follow, bandwidth: bandwidth, streams: streams, report: report)
    }
    var writeOrder: WriteOrder {
        WriteOrder(source: facts, replace: replace, bandwidth: bandwidth, streams: streams)
    }
}

/// What a ``CopyMover`` has done.
public struct CopyMoved: Sendable {
    /// The byte up to which all is moved; nil: all. The rest passes through the worker (``CopyMover/into(_:paces:_:)``).
    public var offset: Int?
    /// The checksum of what was read of the source, all of it; nil where it was not computed.
    public var checksum: String?
    /// What the source is after it was read, where the mover knows; nil: the algorithm looks itself.
    public var source: FileFacts?

    public init(offset: Int? = nil, checksum: String? = nil, source: FileFacts? = nil) {
        self.offset = offset
        self.checksum = checksum
        self.source = source
    }
}
