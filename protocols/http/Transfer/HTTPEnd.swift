import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// A file on a server as one end of a copy.
struct HTTPEnd: CopyEnd {
    let server: Server
    let location: Location

    /// As the user wrote it.
    var shown: String { location.given }

    /// HTTP sets no times; a part is never gone on from: WebDAV has no partial PUT that all servers take.
    var traits: CopyTraits {
        CopyTraits(
            publication: server.canMove && !server.isPlain ? .rename : .inPlace, keepsTimes: false, keepsParts: false)
    }

    func facts(follow: Bool) async throws -> FileFacts? { try await server.facts(location) }

    func sibling(_ name: String) -> HTTPEnd { HTTPEnd(server: server, location: location.sibling(name)) }

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

    /// Small files together with others in one curl process; a large one is read as it comes.
    func checksum(_ algorithm: StreamHash.Algorithm, _ order: ReadOrder) async throws -> String? {
        let (spool, size) = (server.curl.spool, order.facts.size)
        guard SmallFile.takes(size, at: order.bandwidth), spool.takes(size), let report = order.report else {
            return nil
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
