public import HaulModel
import Synchronization

/// The source of a `put` that another backend has, at a site of another protocol: what it is, its bytes and its checksum are
/// asked for, and nothing of it stands on this machine. ``ElementReport/source(of:)`` gives it.
public struct AskedEnd: CopyEnd {
    public let shown: String
    private let link: SourceLink
    private let known: Known

    /// What the source's backend said of itself.
    private final class Known: Sendable {
        let checksums = Mutex<[StreamHash.Algorithm]>([])
    }

    init(_ shown: String, link: SourceLink) {
        self.shown = shown
        self.link = link
        known = Known()
    }

    public var traits: CopyTraits { CopyTraits(checksums: known.checksums.withLock { $0 }) }

    public func facts(follow: Bool) async throws -> FileFacts? {
        guard case .facts(let facts, let checksums) = try await link.ask(.facts) else { throw Self.odd("facts") }
        known.checksums.withLock { $0 = checksums.compactMap { StreamHash.Algorithm(rawValue: $0) } }
        return facts
    }

    public func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? {
        guard traits.checksums.contains(algorithm) else { return nil }
        guard case .checksum(let sum) = try await link.ask(.checksum(algorithm.rawValue)) else {
            throw Self.odd("checksum")
        }
        return sum
    }

    public func reader(_ order: ReadOrder) async throws -> any CopyReader { AskedReader(link, order) }

    public func sibling(_ name: String) throws -> AskedEnd { throw Self.readOnly }
    public func prepareParent(make: Bool, isMissing: Bool) async throws { throw Self.readOnly }
    public func publish(as target: AskedEnd, replace: Bool) async throws -> Bool { throw Self.readOnly }
    public func discard() async throws { throw Self.readOnly }
    public func writer(_ order: WriteOrder) async throws -> any CopyWriter { throw Self.readOnly }

    private static var readOnly: BackendFailure {
        BackendFailure(.backend, "the source of a copy between two protocols is read alone")
    }

    static func odd(_ what: String) -> BackendFailure {
        BackendFailure(.backend, "the source's backend answered something else than \(what)")
    }
}

extension ElementReport {
    /// The source of a `put`: a file of the worker's own, or, for a streamed element, what another backend has.
    public func source(of element: ElementSpec) throws -> PutSource {
        if let link { return .asked(AskedEnd(element.source, link: link)) }
        return .file(try LocalEnd(worker: element.source))
    }
}
