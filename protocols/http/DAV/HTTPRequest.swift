import HaulCurl

/// One HTTP request, as the backend wants it of curl.
struct HTTPRequest: CurlRequest {
    enum Method: Sendable, Equatable {
        case head
        /// The whole resource, or what is left of it from a byte on.
        case get(from: Int = 0)
        /// The properties that a listing shows, of the resource (0) or of its children too (1).
        case propfind(depth: Int)
        /// Refused, where asked for, if something is there.
        case put(onlyIfMissing: Bool = false)
        case delete
        case makeCollection
        /// To a URL of the same server.
        case move(to: String, overwrite: Bool)
        case copy(to: String, overwrite: Bool)
    }

    /// Where curl takes or leaves the body.
    enum Body: Sendable, Equatable {
        case discard
        case file(String)
        /// curl's standard input or output, with the bytes that will come where that is known.
        case stream(length: Int?)
    }

    var method: Method
    var site: Site
    var url: String
    var body: Body = .discard
    /// Seconds without a byte moved after which curl gives up.
    var stallSeconds: Int
    /// For the rest of a GET: it must still be the same content, by this `ETag` or `Last-Modified`.
    var unchanged: (etag: String, modified: String)?
    /// Bytes/s at most, in either direction.
    var bandwidth: Int?

    var isUpload: Bool {
        if case .put = method { true } else { false }
    }

    /// What the user calls it, in logs.
    var verb: String {
        switch method {
        case .head: "HEAD"
        case .get: "GET"
        case .propfind: "PROPFIND"
        case .put: "PUT"
        case .delete: "DELETE"
        case .makeCollection: "MKCOL"
        case .move: "MOVE"
        case .copy: "COPY"
        }
    }

    static let properties =
        #"<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/>"#
        + "<getlastmodified/></prop></propfind>"

    /// The section of a configuration file for this request; its result line is marked with `tag`.
    func config(tag: String) -> CurlConfig {
        var config = CurlConfig()
        config.set("url", url)
        config.flag("globoff")
        config.flag("path-as-is")
        config.flag("http1.1")
        config.set("proto", "=http,https")
        config.set("connect-timeout", min(10, max(1, stallSeconds)))
        config.set("speed-limit", 1)
        config.set("speed-time", max(1, stallSeconds))
        if let bandwidth { config.set("limit-rate", bandwidth) }
        config.append(site.config)
        config.set("write-out", HTTPResponse.writeOut(tag: tag))
        switch method {
        case .head:
            config.flag("head")
            followRedirects(&config)
        case .get(let start):
            followRedirects(&config)
            if start > 0 {
                config.set("continue-at", "\(start)")
                // A weak tag promises no equal bytes.
                if let unchanged, !unchanged.etag.isEmpty, !unchanged.etag.hasPrefix("W/") {
                    config.set("header", "If-Match: \(unchanged.etag)")
                } else if let unchanged, !unchanged.modified.isEmpty {
                    config.set("header", "If-Unmodified-Since: \(unchanged.modified)")
                }
            }
        case .propfind(let depth):
            config.set("request", "PROPFIND")
            config.set("header", "Depth: \(depth)")
            config.set("header", "Content-Type: application/xml; charset=utf-8")
            config.set("data-binary", Self.properties)
            followRedirects(&config)
        case .put(let onlyIfMissing):
            if onlyIfMissing { config.set("header", "If-None-Match: *") }
        case .delete: config.set("request", "DELETE")
        case .makeCollection: config.set("request", "MKCOL")
        case .move(let target, let overwrite): relocate(&config, "MOVE", target, overwrite)
        case .copy(let target, let overwrite): relocate(&config, "COPY", target, overwrite)
        }
        place(body, &config)
        return config
    }

    private func followRedirects(_ config: inout CurlConfig) {
        config.flag("location")
        config.set("max-redirs", 5)
        config.set("proto-redir", "=http,https")
    }

    private func relocate(_ config: inout CurlConfig, _ method: String, _ target: String, _ overwrite: Bool) {
        config.set("request", method)
        config.set("header", "Destination: \(target)")
        config.set("header", "Overwrite: \(overwrite ? "T" : "F")")
        config.set("header", "Depth: infinity")
    }

    private func place(_ body: Body, _ config: inout CurlConfig) {
        guard case .put = method else {
            switch body {
            case .discard: config.set("output", "/dev/null")
            case .file(let path): config.set("output", path)
            case .stream:
                // An error page must not pass for content.
                config.flag("fail")
                config.set("output", "-")
            }
            return
        }
        config.set("output", "/dev/null")
        switch body {
        case .discard: config.set("upload-file", "/dev/null")
        case .file(let path):
            config.set("upload-file", path)
            // Small, so that waiting for the server's leave costs more than it can save.
            config.set("header", "Expect:")
        case .stream(let length):
            config.set("upload-file", "-")
            if let length {
                // A body that stops short is then an error of the request, for the server too.
                config.set("header", "Transfer-Encoding:")
                config.set("header", "Content-Length: \(length)")
            }
        }
    }
}
