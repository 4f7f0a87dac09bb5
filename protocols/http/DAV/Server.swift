import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// The server of one site, spoken to in WebDAV where it does and in plain HTTP where it does not; what it turns out
/// not to do is remembered for the batch.
final class Server: Sendable {
    private struct State {
        /// Answers no PROPFIND: sizes come from HEAD, and there is nothing to list.
        var isPlain = false
        var cannotMove = false
        var cannotCopy = false
    }

    /// Bytes of what a server says of one resource.
    private static let longestAnswer = 1 << 20

    let site: Site
    let curl: Curl
    let directories = DirectoryCache()
    let wholePuts = WholePuts()
    let lookout = Lookout()
    private let state = Mutex(State())

    init(site: Site, curl: Curl) {
        self.site = site
        self.curl = curl
    }

    var isPlain: Bool { state.withLock { $0.isPlain } }
    var canMove: Bool { state.withLock { !$0.cannotMove } }
    var canCopy: Bool { state.withLock { !$0.cannotCopy && !$0.isPlain } }

    /// What is at a place; nil for nothing. HTTP knows no links: a server follows or hides them.
    func facts(_ location: Location) async throws -> FileFacts? {
        if !isPlain {
            let request = request(.propfind(depth: 0), location, body: .memory(Self.longestAnswer))
            let response = try await curl.metadata.perform(request)
            switch response.status {
            case 207: return try await facts(in: response, location)
            case 404, 410: return nil
            // A file where the path needs a directory (apache: 400), or no WebDAV here (python: 501, apache: 405,
            // others: 403 for what is no GET): HEAD knows.
            case 405, 501:
                state.withLock { $0.isPlain = true }
                return try await head(location, otherwise: response)
            case 400, 403: return try await head(location, otherwise: response)
            case _ where response.isSuccess:
                state.withLock { $0.isPlain = true }
                return try await head(location, otherwise: nil)
            default: throw response.failure("PROPFIND \(location.given)")
            }
        }
        return try await head(location, otherwise: nil)
    }

    private func facts(in response: HTTPResponse, _ location: Location) async throws -> FileFacts? {
        guard response.exitCode == 0 else { throw response.failure("PROPFIND \(location.given)") }
        let resources = try Curl.parse(response.body, what: "PROPFIND \(location.given)", most: 2)
        guard let resource = resources.first else {
            throw BackendFailure(.unknown, "PROPFIND \(location.given): the answer describes nothing")
        }
        if let status = resource.status, status == 404 { return nil }
        if let status = resource.status, status >= 400 {
            throw BackendFailure(
                HTTPResponse.errorClass(status: status), "PROPFIND \(location.given): HTTP \(status) for it")
        }
        if !resource.isCollection, resource.size == nil { return try await head(location, otherwise: nil) }
        return FileFacts(
            kind: resource.isCollection ? .directory : .file, size: resource.size ?? 0, modified: resource.modified)
    }

    /// - Parameter otherwise: What PROPFIND said, where HEAD is only asked to make sure.
    private func head(_ location: Location, otherwise: HTTPResponse?) async throws -> FileFacts? {
        let response = try await curl.metadata.perform(request(.head, location))
        // Servers lead from a directory's name to the same with a slash, also where they show nothing there.
        let modified = HTTPDate.seconds(response.lastModified)
        if location.isRoot ? response.isSuccess : response.finalURL.utf8.last == UInt8(ascii: "/") {
            return FileFacts(kind: .directory, modified: modified)
        }
        if response.status == 404 || response.status == 410 { return nil }
        guard response.isSuccess else {
            throw (otherwise?.status == 403 ? otherwise ?? response : response).failure("HEAD \(location.given)")
        }
        guard let size = response.contentLength else {
            throw BackendFailure(
                .invalid, "HEAD \(location.given): the server does not say how long it is, so no copy could be checked")
        }
        return FileFacts(kind: .file, size: size, modified: modified)
    }

    func request(
        _ method: HTTPRequest.Method, _ location: Location, directory: Bool = false,
        body: HTTPRequest.Body = .discard
    ) -> HTTPRequest {
        HTTPRequest(
            method: method, site: site, url: site.url(location, directory: directory), body: body,
            stallSeconds: curl.stallSeconds)
    }

    func rememberNoMove() { state.withLock { $0.cannotMove = true } }
    func rememberNoCopy() { state.withLock { $0.cannotCopy = true } }
}
