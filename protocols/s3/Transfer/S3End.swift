import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// An object as one end of a copy. It appears whole or not at all, so there is no part file: what is written is there
/// once the server has all of it.
struct S3End: CopyEnd {
    /// What was seen of the object last, or was just written; shared by all that look at this end.
    final class Known: Sendable {
        private struct State {
            var object: ObjectFacts?
            var proven: String?
        }
        private let state = Mutex(State())

        var object: ObjectFacts? { state.withLock { $0.object } }
        var md5: String? { object?.md5 }
        /// A checksum of all that was written, where the server's answer to each part proves that it has those bytes.
        var proven: String? { state.withLock { $0.proven } }

        func saw(_ object: ObjectFacts?) { state.withLock { $0 = State(object: object) } }
        /// An answer without an ETag is none of S3: then what is there is looked at.
        func wrote(_ object: ObjectFacts, proven: String?) {
            state.withLock { $0 = object.etag.isEmpty ? State() : State(object: object, proven: proven) }
        }
    }

    let bucket: Bucket
    let place: Place
    let element: ElementSpec
    let isSource: Bool
    /// What is written here gets its source's time for certain: a copy by the server keeps what metadata there is.
    var keepsTimes = true
    let known = Known()

    /// - Throws: ``BackendFailure`` (`invalid`) for a path that no file can have.
    init(_ path: String, at bucket: Bucket, _ element: ElementSpec, isSource: Bool) throws {
        self.init(try Place(path, at: bucket.site), at: bucket, element, isSource: isSource)
        if !isSource, place.location.isRoot || place.location.saysDirectory {
            throw BackendFailure(.invalid, "\(path) names a directory, not a file")
        }
    }

    init(_ place: Place, at bucket: Bucket, _ element: ElementSpec, isSource: Bool) {
        (self.bucket, self.place, self.element, self.isSource) = (bucket, place, element, isSource)
    }

    var shown: String { place.shown }

    var traits: CopyTraits {
        // Only of what has one: where the ETag is no md5, bytes that pass are hashed as they pass.
        CopyTraits(
            publication: .whole, keepsTimes: keepsTimes, keepsParts: false, checksums: known.md5 == nil ? [] : [.md5])
    }

    /// S3 has no links. A source is there, mostly; a destination is not.
    func facts(follow: Bool) async throws -> FileFacts? {
        let thing: Thing?
        if isSource {
            if let object = try await bucket.object(place) {
                thing = .file(object)
            } else {
                thing = try await bucket.look(place)
            }
        } else {
            thing = try await bucket.look(place)
        }
        guard case .file(let listed)? = thing else {
            known.saw(nil)
            return thing?.facts
        }
        // A listing knows no times but that of the upload.
        let object = isSource ? listed : try await bucket.object(place)
        known.saw(object)
        return object?.facts
    }

    func sibling(_ name: String) throws -> S3End {
        S3End(
            try Place(place.location.sibling(name), at: bucket.site), at: bucket, element, isSource: isSource)
    }

    func prepareParent(make: Bool, isMissing: Bool) async throws {
        try await bucket.prepareParent(of: place, make: make)
    }

    /// There is no part to publish (``CopyTraits/Publication/whole``).
    func publish(as target: S3End, replace: Bool) async throws -> Bool { false }

    /// What somebody else has written here since then stays.
    func discard() async throws {
        if let written = known.object, let now = try await bucket.object(place), now.etag != written.etag { return }
        try await bucket.delete(place.key, shown)
    }

    func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? {
        if let proven = known.proven, proven.hasPrefix("\(algorithm.rawValue):") { return proven }
        guard algorithm == .md5 else { return nil }
        if known.object == nil { known.saw(try await bucket.object(place)) }
        return known.md5.map { "md5:\($0)" }
    }

    func reader(_ order: ReadOrder) async throws -> any CopyReader {
        ObjectReader(bucket, place, order) { _ in }
    }

    func writer(_ order: WriteOrder) async throws -> any CopyWriter {
        ObjectWriter(self, order)
    }

    func settle(_ source: FileFacts) async throws -> FileFacts? { known.object?.facts }
}
