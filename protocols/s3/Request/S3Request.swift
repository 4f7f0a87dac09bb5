import Foundation
import HaulCrypto
import HaulCurl

/// One request to a bucket, as the backend wants it of curl: signed when curl is about to get it, so that the time in
/// the signature is the time of the request however long it waited.
struct S3Request: CurlRequest {
    enum Method: String, Sendable { case get = "GET", head = "HEAD", put = "PUT", post = "POST", delete = "DELETE" }

    /// What curl sends.
    enum Sent: Sendable {
        case nothing
        /// A document in memory.
        case document(String)
        /// A file of this machine, with its SHA-256.
        case file(String, hash: SigV4.Payload)
        /// So many bytes of curl's standard input.
        case stream(Int)
    }

    /// Where curl leaves the answer's body.
    enum Answer: Sendable {
        case discard
        case file(String)
        /// curl's standard output; an error's document does not go there.
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
    /// The first byte that is wanted of an object: curl then takes nothing but the rest.
    var from = 0
    /// Bytes/s at most.
    var bandwidth: Int?
    /// Seconds without a byte moved after which curl gives up.
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

    var isUpload: Bool {
        if case .stream = sent { true } else { false }
    }

    private var payload: SigV4.Payload {
        switch sent {
        case .nothing: .empty
        case .document(let text): .bytes(Array(text.utf8))
        case .file(_, let hash): hash
        // Nobody knows its hash before its end; each part's ETag, the md5 of what arrived, is compared instead.
        case .stream: .unsigned
        }
    }

    func config(tag: String) -> CurlConfig {
        var config = CurlConfig()
        let path = site.path(key)
        let query = SigV4.encoded(query: query)
        config.set("url", site.origin + path + (query.isEmpty ? "" : "?" + query))
        config.flag("globoff")
        config.flag("path-as-is")
        config.flag("http1.1")
        config.set("proto", "=http,https")
        config.set("connect-timeout", min(10, max(1, stallSeconds)))
        config.set("speed-limit", 1)
        config.set("speed-time", max(1, stallSeconds))
        config.append(site.config)
        config.set("write-out", HTTPResponse.writeOut(tag: tag, headers: Wanted.allCases.map(\.rawValue)))
        if let bandwidth { config.set("limit-rate", bandwidth) }
        if from > 0 { config.set("continue-at", "\(from)") }
        sign(path, &config)
        send(&config)
        switch answer {
        case .discard: config.set("output", "/dev/null")
        case .file(let file): config.set("output", file)
        case .stream:
            config.flag("fail")
            config.set("output", "-")
        }
        return config
    }

    private func sign(_ path: String, _ config: inout CurlConfig) {
        var headers = headers
        if case .document = sent { headers.append(("Content-Type", "application/xml")) }
        guard let signer = site.signer else {
            return headers.forEach { config.set("header", "\($0.name): \($0.value)") }
        }
        let signed = signer.sign(
            method.rawValue, host: site.host, path: path, query: query, headers: headers, payload: payload, time: now())
        for header in signed { config.set("header", "\(header.name): \(header.value)") }
    }

    private func send(_ config: inout CurlConfig) {
        switch sent {
        case .nothing:
            switch method {
            case .head: config.flag("head")
            case .get: break
            case .delete: config.set("request", "DELETE")
            case .put, .post:
                config.set("request", method.rawValue)
                // A length of 0, and no type that curl would make up.
                config.set("data-binary", "")
                if !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
                    config.set("header", "Content-Type:")
                }
            }
        case .document(let text):
            config.set("request", method.rawValue)
            config.set("data-binary", text)
        case .file(let path, _):
            config.set("upload-file", path)
            // Small, so that waiting for the server's leave costs more than it can save.
            config.set("header", "Expect:")
        case .stream(let length):
            config.set("upload-file", "-")
            // A body that stops short is then an error of the request, for the server too.
            config.set("header", "Transfer-Encoding:")
            config.set("header", "Content-Length: \(length)")
        }
    }
}

extension HTTPResponse {
    /// A header that ``S3Request`` asks for; empty where the answer has none.
    func header(_ wanted: S3Request.Wanted) -> String {
        guard let index = S3Request.Wanted.allCases.firstIndex(of: wanted), index < headers.count else { return "" }
        return headers[index]
    }
}
