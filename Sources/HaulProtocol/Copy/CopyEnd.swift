public import HaulModel

/// One path at one end of a copy: at a site, or a file of the worker's own (``LocalEnd``). A backend that copies files
/// implements this for its sites and hands two ends to ``FileCopying``, which keeps all that `protocols/README.md`
/// promises of a copy; the end only says what is there and moves bytes.
///
///     func get(_ element: ElementSpec, _ report: ElementReport) async throws {
///         let target = try LocalEnd(worker: element.destination ?? "")
///         try await FileCopying(element, options, report, from: MyEnd(element.source), to: target).run()
///     }
///
/// What a backend has to write, by what its protocol can:
/// - **Files, renamed when complete** (SFTP, WebDAV, GridFTP): everything but ``settle(_:)``;
///   ``CopyTraits/publication`` is `.rename`, and the algorithm writes a part file beside the final name.
/// - **Objects that appear whole or not at all** (S3): ``CopyTraits/publication`` is `.whole`: no part, no rename. The
///   ``CopyWriter`` uploads, and the object appears in its ``CopyWriter/finish(_:)`` alone.
/// - **A tool that moves a file by itself** (xrdcp, rclone, a third-party copy, a server-side COPY): a ``CopyMover``
///   beside the ends; reader and writer are what it falls back to, and may refuse where there is no such way.
///
/// Failures are ``BackendFailure``s; a write that fails throws ``CopyWriteFailure`` where more is known.
public protocol CopyEnd: Sendable {
    /// The path as the user wrote it, for messages.
    var shown: String { get }
    /// What this end can and keeps. Asked again at each step: what turns out on the way may change it.
    var traits: CopyTraits { get }

    /// What is there; nil for nothing.
    /// - Parameter follow: Tell what a symbolic link leads to, instead of the link.
    func facts(follow: Bool) async throws -> FileFacts?

    /// The same directory under another name: where a part file stands.
    func sibling(_ name: String) throws -> Self

    /// Sees to the directory that this path stands in. Others may be making it at the same time.
    /// - Parameters:
    ///   - make: Make what is missing of it; else a missing one is class `not_found`.
    ///   - isMissing: False before anything was written: an end that would have to ask for it may do nothing and wait for
    ///     a write to fail. True after a write failed with ``CopyWriteFailure/parentIsMissing``: it is not there,
    ///     whatever was known of it.
    func prepareParent(make: Bool, isMissing: Bool) async throws

    /// How a file of this kind comes to its final name here; asked once its directory is there
    /// (``prepareParent(make:isMissing:)``). By default as ``traits`` say: an end that can do better for some files says so.
    func publication(of source: FileFacts) -> CopyTraits.Publication

    /// Gives what was written here (a part) its final name, in one step.
    /// - Parameter replace: False: what stands there by now stays, and the failure is of class `exists`.
    /// - Returns: False where it turns out that this end renames nothing: nothing has happened. Its ``traits`` then say
    ///   another ``CopyTraits/publication``, and the copy is made again that way.
    func publish(as target: Self, replace: Bool) async throws -> Bool

    /// Removes the file; being gone is fine.
    func discard() async throws

    /// The checksum of the file, computed where it is or in a cheaper way than through a ``CopyReader``: `md5:HEX`. Nil
    /// where there is no such way; the algorithm then reads the file.
    /// - Parameter order: The whole file, as it would be read; its ``ReadOrder/report`` is for progress, where it takes long.
    func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String?

    /// Reads the file, or a range of it.
    func reader(_ order: ReadOrder) async throws -> any CopyReader

    /// Opens the file for writing, making it (0600) where it is missing. What is in its place and is no file fails.
    func writer(_ order: WriteOrder) async throws -> any CopyWriter

    /// Gives a file that a ``CopyMover`` wrote the mode and times of its source, and makes it durable, as far as
    /// this end does that.
    /// - Returns: What it is now, where that costs nothing; nil: the algorithm looks itself.
    func settle(_ source: FileFacts) async throws -> FileFacts?
}

extension CopyEnd {
    public func publication(of source: FileFacts) -> CopyTraits.Publication { traits.publication }

    public func settle(_ source: FileFacts) async throws -> FileFacts? { nil }
}

/// What an end of a copy can and keeps.
public struct CopyTraits: Sendable, Hashable {
    /// How a file that is written comes to its final name.
    public enum Publication: Sendable, Hashable {
        /// Written as a part file, checked, then renamed (``CopyEnd/publish(as:replace:)``).
        case rename
        /// Written under its final name, where it appears only at the writer's (or the mover's) end: until then, and
        /// where that fails, what was there is untouched. No part file.
        case whole
        /// Written under its final name as the server likes, because there is no other way. What fails is removed.
        case inPlace
    }

    public var publication: Publication
    /// A file gets its source's modification time: `sync` then compares for equality, to the second. Where false, what
    /// is there must not be older than its source.
    public var keepsTimes: Bool
    /// A later attempt can go on from a part file here: its writer tells what ``CopyWriter/existing`` is. Where false, a
    /// part is removed whenever its attempt ends.
    public var keepsParts: Bool
    /// Bytes before the end of a part that may be missing from it, because its writer has so many on their way at a time: a
    /// later attempt writes them again.
    public var unsure: Int
    /// Read without a network, so that reading again is cheap, and any checksum can be had.
    public var isNear: Bool
    /// Read or written once, from the first byte on, as a pipe is: nothing is read again, and nothing gone on from.
    public var isStream: Bool
    /// The checksums that the end computes itself, the preferred first.
    public var checksums: [StreamHash.Algorithm]

    public init(
        publication: Publication = .rename, keepsTimes: Bool = true, keepsParts: Bool = true, unsure: Int = 0,
        isNear: Bool = false, isStream: Bool = false, checksums: [StreamHash.Algorithm] = []
    ) {
        self.publication = publication
        self.keepsTimes = keepsTimes
        self.keepsParts = keepsParts
        self.unsure = unsure
        self.isNear = isNear
        self.isStream = isStream
        self.checksums = checksums
    }
}
