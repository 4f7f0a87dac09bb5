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
    private let known = Known()

    /// What was found out before the copy asks for it; each is taken once.
    private final class Known: Sendable {
        struct State {
            var isMissing = false
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

    /// Looks whether nothing is there, which most files of a tree find; it is not asked for a second time. What is there
    /// has to be looked at properly: it may be a directory, which must not give way.
    func isMissing() async throws -> Bool {
        guard case .nothing = try await server.glance(location) else { return false }
        known.take { $0.isMissing = true }
        return true
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
        if isMissing { await server.directories.forget() }
        try await server.prepareParent(of: location, make: make)
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
                return try SmallFile.checksum(body, algorithm)
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
        let stream = try await CurlStream.start(request, tool: server.curl.tool, scratch: server.curl.scratch)
        return HTTPWriter(stream, "PUT \(location.given)")
    }
}
