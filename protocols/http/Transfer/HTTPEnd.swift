import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// A file on a server as one end of a copy.
struct HTTPEnd: CopyEnd {
    /// How the file is looked at.
    enum Look: Sendable {
        /// By its properties, which tell files and directories apart for certain.
        case properties
        /// A HEAD will do: this process made it, as a file.
        case made
        /// A HEAD will do where it shows a file of the size that a listing said.
        case listed(Int)
        /// The same, and the content comes with it: what is there is small and wanted for certain.
        case content(Int, bandwidth: Int?)
    }

    /// Bytes of a file whose content is asked for before it is looked at.
    static let wantedAtOnce = 128 << 10

    let server: Server
    let location: Location
    var look = Look.properties
    /// Of a file that may be written under its final name, where its server shows none that was cut off; nil: it may not.
    var whole: Whole?
    /// Whether a listing of the last moments may say that nothing is there.
    var mayGuess = true
    private var known = Known()

    init(server: Server, location: Location, look: Look = .properties) {
        (self.server, self.location, self.look) = (server, location, look)
    }

    /// What is needed to write a file under its final name.
    struct Whole: Sendable {
        /// The element's ``ElementSpec/partSeed``.
        var seed: String
        /// Bytes/s at most.
        var bandwidth: Int?
    }

    /// What was found out before the copy asks for it; each is taken once.
    private final class Known: Sendable {
        struct State {
            var isMissing = false
            var isGuess = false
            var facts: FileFacts?
            /// Files may be written under their final names.
            var isWhole = false
            /// Bytes that were just written under the final name.
            var written: Int?
            var content: (facts: FileFacts, body: Data)?
        }
        private let state = Mutex(State())

        func take<Value: Sendable>(_ body: (inout sending State) -> sending Value) -> Value { state.withLock(body) }
    }

    /// As the user wrote it.
    var shown: String { location.given }

    /// HTTP sets no times; a part is never gone on from: WebDAV has no partial PUT that all servers take.
    var traits: CopyTraits {
        CopyTraits(
            publication: server.canMove && !server.isPlain ? .rename : .inPlace, keepsTimes: false, keepsParts: false)
    }

    func facts(follow: Bool) async throws -> FileFacts? {
        if known.take({ state in
            defer { state.isMissing = false }
            return state.isMissing
        }) {
            return nil
        }
        if let facts = known.take({ state in
            defer { state.facts = nil }
            return state.facts
        }) {
            return facts
        }
        if let size = known.take({ state in
            defer { state.written = nil }
            return state.written
        }) {
            return try await written(size)
        }
        switch look {
        case .properties: break
        case .made: if case .file(let facts) = try await server.glance(location) { return facts }
        case .listed(let size):
            if case .file(let facts) = try await server.glance(location), facts.size == size { return facts }
        case .content(let size, let bandwidth):
            if let content = try await server.content(location, size: size, bandwidth: bandwidth) {
                known.take { $0.content = content }
                return content.facts
            }
        }
        return try await server.facts(location)
    }

    /// Looks whether nothing is there, which most files of a tree find; it is not asked for a second time. What a HEAD finds
    /// has to be looked at properly: it may be a directory, which must not give way.
    func isMissing() async throws -> Bool {
        let glance: Server.Glance
        // Only where the rename, or the trial of whole PUTs, has the server refuse what is there after all.
        let answer = mayGuess && server.canMove ? try await server.lookout.before(location, server) : .askYourself
        switch answer {
        case .found(let found): glance = found
        case .askYourself: glance = try await server.glance(location)
        }
        switch (glance, answer) {
        case (.nothing, let answer):
            let isGuess = if case .found = answer { true } else { false }
            known.take { ($0.isMissing, $0.isGuess) = (true, isGuess) }
            return true
        case (.file(let facts), .found): known.take { $0.facts = facts }
        default: break
        }
        return false
    }

    /// The same, of which nothing is known.
    var anew: HTTPEnd {
        var end = self
        end.known = Known()
        return end
    }

    /// That nothing is there was taken from a listing that did not have it.
    var isGuess: Bool { known.take { $0.isGuess } }

    /// A PUT under the final name was answered with success.
    func wrote(_ size: Int) { known.take { $0.written = size } }

    /// What is there after a PUT of so many bytes.
    private func written(_ size: Int) async throws -> FileFacts? {
        var found: FileFacts?
        switch try await server.lookout.after(location, server) {
        case .found(.file(let facts)): found = facts
        case .found: break
        case .askYourself: if case .file(let facts) = try await server.glance(location) { found = facts }
        }
        if found == nil { found = try await server.facts(location) }
        if found?.size != size { server.wholePuts.forget() }
        return found
    }

    /// The whole content of a small file.
    func bytes(_ small: SmallFile) async throws -> (facts: FileFacts, body: Data) {
        let content = known.take { state in
            defer { state.content = nil }
            return state.content
        }
        if let content, content.facts.size == small.size {
            small.report.progress(transferred: small.size, total: small.size)
            return content
        }
        return try await small.download(server, location)
    }

    func sibling(_ name: String) -> HTTPEnd {
        HTTPEnd(server: server, location: location.sibling(name), look: .made)
    }

    func prepareParent(make: Bool, isMissing: Bool) async throws {
        if isMissing { server.directories.forget() }
        try await server.prepareParent(of: location, make: make)
        guard let whole, !isMissing else { return }
        let isWhole = try await server.wholePuts.are(in: location.parent, at: server) {
            try PartFile.name(seed: whole.seed + "\nPUT", size: 1, modified: 0)
        }
        known.take { $0.isWhole = isWhole }
    }

    func publication(of source: FileFacts) -> CopyTraits.Publication {
        guard let whole, source.size <= Self.wantedAtOnce, SmallFile.takes(source.size, at: whole.bandwidth),
            known.take({ $0.isWhole })
        else { return traits.publication }
        return .whole
    }

    func publish(as target: HTTPEnd, replace: Bool) async throws -> Bool {
        if try await server.move(location, to: target.location, replace: replace) { return true }
        server.rememberNoMove()
        return false
    }

    func discard() async throws {
        do {
            try await server.delete(location)
        } catch let failure as BackendFailure where failure.errorClass == .notFound {}
    }

    /// Of a small file; a large one is read as it comes.
    func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? {
        let (spool, size) = (server.curl.spool, order.facts.size)
        guard SmallFile.takes(size, at: order.bandwidth), spool.takes(size), let report = order.report else {
            return nil
        }
        if size <= Curl.inMemory {
            return try await server.curl.memory.withRoom(size) {
                let small = SmallFile(size: size, bandwidth: order.bandwidth, report: report)
                let (_, body) = try await small.download(server, location)
                return try await SmallFile.checksum(body, algorithm, server.curl)
            }
        }
        return try await spool.withRoom(size) {
            let file = spool.file("sum")
            defer { unlink(file) }
            let small = SmallFile(size: size, bandwidth: order.bandwidth, report: report)
            _ = try await small.download(server, location, into: file)
            return try await SmallFile.checksum(file, algorithm, server.curl)
        }
    }

    func reader(_ order: ReadOrder) async throws -> any CopyReader {
        // Without a time nothing says that it would still be the same content.
        if order.from > 0, order.facts.modified == nil { throw CopyNotResumable() }
        return HTTPReader(server, location, order)
    }

    func writer(_ order: WriteOrder) async throws -> any CopyWriter {
        var request = server.request(
            .put(onlyIfMissing: !order.replace), location, body: .stream(length: order.source.size))
        request.bandwidth = order.bandwidth
        let stream = try CurlStream.start(request, in: server.curl.streams)
        return HTTPWriter(stream, "PUT \(location.given)")
    }
}
