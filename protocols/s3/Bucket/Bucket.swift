import Foundation
import HaulCrypto
import HaulCurl
import HaulModel
import HaulProtocol
import Synchronization

/// The bucket of one site, a request at a time; what its server turns out not to do is remembered for the batch.
final class Bucket: Sendable {
    private struct State {
        var cannotCondition = false
        var knowsCondition = false
        var cannotCopy = false
    }

    /// What came of a request, refusals included.
    struct Reply: Sendable {
        var response: HTTPResponse
        var document: Data
        /// It went out more than once: what it finds done may be its own doing.
        var repeated: Bool

        var error: S3Error? { document.isEmpty ? nil : S3Error.parse(String(decoding: document, as: UTF8.self)) }
        /// The server says that it does not know this kind of request.
        var isUnknownToServer: Bool {
            response.status == 501 || (response.status == 400 && error?.code == "NotImplemented")
        }
    }

    /// Bytes of a document.
    private static let longestDocument = 32 << 20
    /// Seconds before a request that the server was too busy for is sent again.
    private static let pauses = [0.2, 1.0]

    let site: Site
    let curl: Curl
    let limits: Limits
    /// For parts that were read and are on their way.
    let partMemory: Room
    /// Directories that have a marker, for certain.
    let marked = DirectoryCache()
    /// Directories that files may be put into: no file stands where one of their names does.
    let usable = DirectoryCache()
    private let state = Mutex(State())

    init(site: Site, curl: Curl, limits: Limits) {
        self.site = site
        self.curl = curl
        self.limits = limits
        partMemory = Room(bytes: limits.partMemory)
    }

    /// The server takes `If-None-Match: *` on a write, as far as is known.
    var canCondition: Bool { state.withLock { !$0.cannotCondition } }
    var canCopy: Bool { state.withLock { !$0.cannotCopy } }
    func rememberNoCondition() { state.withLock { $0.cannotCondition = true } }
    func rememberNoCopy() { state.withLock { $0.cannotCopy = true } }

    func request(
        _ method: S3Request.Method, _ key: [UInt8], query: [(String, String)] = [], headers: [SigV4.Header] = [],
        sent: S3Request.Sent = .nothing
    ) -> S3Request {
        S3Request(
            site: site, method: method, key: key, query: query, headers: headers, sent: sent,
            stallSeconds: curl.stallSeconds)
    }

    /// Sends a request and reads its document, again where the server was too busy for it.
    /// - Parameter pool: Where copies go that take their time; nil for the one of small answers.
    func send(_ request: S3Request, in pool: CurlPool? = nil) async throws -> Reply {
        var repeated = false
        for pause in Self.pauses {
            let reply = try await exchange(request, pool ?? curl.metadata)
            if ![500, 502, 503, 429].contains(reply.response.status) {
                return Reply(
                    response: reply.response, document: reply.document, repeated: reply.repeated || repeated)
            }
            repeated = true
            // Not all at the same moment.
            try await Task.sleep(for: .seconds(pause * Double.random(in: 0.7...1.3)))
        }
        var reply = try await exchange(request, pool ?? curl.metadata)
        reply.repeated = true
        return reply
    }

    /// The same, where nothing but success will do.
    func accepted(_ request: S3Request, _ what: String, in pool: CurlPool? = nil) async throws -> Reply {
        let reply = try await send(request, in: pool)
        guard reply.response.isSuccess else { throw reply.response.failure(what, reply.error) }
        return reply
    }

    /// Whether the server takes `If-None-Match: *` on a write, asked with the end of an upload that there is not: for
    /// those who could not send their bytes again.
    func learnCondition() async throws -> Bool {
        if state.withLock({ $0.knowsCondition }) { return canCondition }
        // Once: a server that fails at this knows at least the header.
        let reply = try await exchange(
            request(
                .post, Array("haul".utf8), query: [("uploadId", "none")], headers: [("If-None-Match", "*")],
                sent: .document("<CompleteMultipartUpload/>")), curl.metadata)
        state.withLock { state in
            state.knowsCondition = true
            if reply.isUnknownToServer { state.cannotCondition = true }
        }
        return canCondition
    }

    private func exchange(_ request: S3Request, _ pool: CurlPool) async throws -> Reply {
        var request = request
        if request.method != .head { request.answer = .memory(Self.longestDocument) }
        let response = try await pool.perform(request)
        return Reply(response: response, document: response.body, repeated: response.repeated)
    }
}
