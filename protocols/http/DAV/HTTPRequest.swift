import Foundation
import HaulCurl

/// One HTTP request, as the backend wants it of curl.
struct HTTPRequest: CurlRequest {
    enum Method: Sendable, Equatable {
        /// What the server does at a place.
        case options
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

    /// The body of a PUT, or where that of an answer goes.
    enum Body: Sendable {
        case discard
        /// To memory, at most so many bytes.
        case memory(Int)
        /// These are sent.
        case bytes(Data)
        case file(String)
        /// As it comes, with the bytes that will come where that is known.
        case stream(length: Int?)
        /// The beginning of one, which then stands still.
        case halting(CurlHalt)
    }

    var method: Method
    var site: Site
    var url: String
    var body: Body = .discard
    /// Seconds without a byte moved after which it is given up.
    var stallSeconds: Int
    /// For the rest of a GET: it must still be the same content, by this `ETag` or `Last-Modified`.
    var unchanged: (etag: String, modified: String)?
    /// Bytes/s at most, in either direction.
    var bandwidth: Int?

    var server: String { site.origin }

    /// As HTTP calls it.
    var verb: String {
        switch method {
        case .options: "OPTIONS"
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

    func call() -> CurlCall {
        var call = CurlCall(method: verb, url: url, connection: site.connection, stallSeconds: stallSeconds)
        call.bandwidth = bandwidth
        switch method {
        case .options: call.wanted = ["dav"]
        case .head: call.followsRedirects = true
        case .get(let start):
            call.followsRedirects = true
            call.from = start
            if start > 0, let unchanged {
                // A weak tag promises no equal bytes.
                if !unchanged.etag.isEmpty, !unchanged.etag.hasPrefix("W/") {
                    call.headers.append("If-Match: \(unchanged.etag)")
                } else if !unchanged.modified.isEmpty {
                    call.headers.append("If-Unmodified-Since: \(unchanged.modified)")
                }
            }
        case .propfind(let depth):
            call.headers += ["Depth: \(depth)", "Content-Type: application/xml; charset=utf-8"]
            call.sent = .bytes(Data(Self.properties.utf8))
            call.followsRedirects = true
        case .put(let onlyIfMissing):
            if onlyIfMissing { call.headers.append("If-None-Match: *") }
        case .delete, .makeCollection: break
        case .move(let target, let overwrite), .copy(let target, let overwrite):
            call.headers += [
                "Destination: \(target)", "Overwrite: \(overwrite ? "T" : "F")", "Depth: infinity",
            ]
        }
        place(&call)
        return call
    }

    private func place(_ call: inout CurlCall) {
        guard case .put = method else {
            switch body {
            case .discard, .bytes, .halting: break
            case .memory(let most): call.kept = .memory(most)
            case .file(let path): call.kept = .file(path)
            case .stream: call.kept = .stream
            }
            return
        }
        switch body {
        case .discard, .memory: call.sent = .bytes(Data())
        case .bytes(let bytes): call.sent = .bytes(bytes)
        case .file(let path): call.sent = .file(path)
        case .stream(let length): return call.sent = .stream(length: length)
        case .halting(let halt):
            call.sent = .halting(halt)
            return call.headers.append("Expect: 100-continue")
        }
        // Small, so that waiting for the server's leave costs more than it can save.
        call.headers.append("Expect:")
    }
}
