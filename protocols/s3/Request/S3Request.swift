import Foundation
import HaulCrypto
import HaulCurl

/// One request to a bucket, as the backend wants it of curl: signed when libcurl is about to get it, so that the time in
/// the signature is the time of the request however long it waited.
struct S3Request: CurlRequest {
    enum Method: String, Sendable { case get = "GET", head = "HEAD", put = "PUT", post = "POST", delete = "DELETE" }

    /// What curl sends.
    enum Sent: Sendable {
        case nothing
        /// A document in memory.
        case document(String)
        /// Bytes in memory, with their SHA-256.
        case bytes(Data, hash: SigV4.Payload)
        /// A file of this machine, with its SHA-256.
        case file(String, hash: SigV4.Payload)
        /// So many bytes, as they come.
        case stream(Int)
    }

    /// Where the answer's body goes.
    enum Answer: Sendable {
        case discard
        /// At most so many bytes.
        case memory(Int)
        case file(String)
        /// As it comes; an error's document does not.
        case stream
    }

    var site: Site
    var method: Method
    /// Empty for the bucket itself.
    var key: [UInt8]
    var query: [(String, String)] = []
    /// All are signed.
    var headers: [SigV4.Header] = []
    var sent = Sent.nothing
    var answer = Answer.discard
    /// The first byte that is wanted of an object: nothing but the rest is taken then.
    var from = 0
    /// Bytes/s at most.
    var bandwidth: Int?
    /// Seconds without a byte moved after which it is given up.
    var stallSeconds: Int
    /// Passed in by tests.
    var now: @Sendable () -> Int = { Int(time(nil)) }

    /// The headers that are read back, by their place in ``HTTPResponse/headers``.
    enum Wanted: String, CaseIterable {
        case mtime = "x-amz-meta-mtime"
        case region = "x-amz-bucket-region"
        case encryption = "x-amz-server-side-encryption"
        case customerKey = "x-amz-server-side-encryption-customer-algorithm"
        case sha256 = "x-amz-checksum-sha256"
        case contentType = "content-type"
        case contentRange = "content-range"
        case storageClass = "x-amz-storage-class"
    }

    var server: String { site.origin }

    private var payload: SigV4.Payload {
        switch sent {
        case .nothing: .empty
        case .document(let text): .bytes(Array(text.utf8))
        case .bytes(_, let hash), .file(_, let hash): hash
        // Nobody knows its hash before its end; each part's ETag, the md5 of what arrived, is compared instead.
        case .stream: .unsigned
        }
    }

    func call() -> CurlCall {
        let path = site.path(key)
        let query = SigV4.encoded(query: query)
        var call = CurlCall(
            method: method.rawValue, url: site.origin + path + (query.isEmpty ? "" : "?" + query),
            connection: site.connection, stallSeconds: stallSeconds)
        call.wanted = Self.wantedNames
        call.bandwidth = bandwidth
        call.from = from
        call.headers = signed(path).map { "\($0.name): \($0.value)" }
        switch sent {
        // A length of 0.
        case .nothing: if method == .put || method == .post { call.sent = .bytes(Data()) }
        case .document(let text): call.sent = .bytes(Data(text.utf8))
        case .bytes(let bytes, _): call.sent = .bytes(bytes)
        case .file(let path, _): call.sent = .file(path)
        case .stream(let length): call.sent = .stream(length: length)
        }
        switch sent {
        // Small, so that waiting for the server's leave costs more than it can save.
        case .bytes, .file: call.headers.append("Expect:")
        default: break
        }
        switch answer {
        case .discard: break
        case .memory(let most): call.kept = .memory(most)
        case .file(let file): call.kept = .file(file)
        case .stream: call.kept = .stream
        }
        return call
    }

    private static let wantedNames = Wanted.allCases.map(\.rawValue)

    private func signed(_ path: String) -> [SigV4.Header] {
        var headers = headers
        if case .document = sent { headers.append(("Content-Type", "application/xml")) }
        guard let signer = site.signer else { return headers }
        return signer.sign(
            method.rawValue, host: site.host, path: path, query: query, headers: headers, payload: payload, time: now())
    }
}

extension HTTPResponse {
    /// A header that ``S3Request`` asks for; empty where the answer has none.
    func header(_ wanted: S3Request.Wanted) -> String {
        guard let index = S3Request.Wanted.allCases.firstIndex(of: wanted), index < headers.count else { return "" }
        return headers[index]
    }
}
