public import Foundation

/// What libcurl says of one request when it ended.
public struct HTTPResponse: Sendable, Equatable {
    /// curl's own exit code for the request (`curl(1)`, "EXIT CODES").
    public var exitCode: Int
    /// The last HTTP status; 0 where there was none.
    public var status: Int
    public var downloaded: Int
    public var uploaded: Int
    /// Of the headers, empty where missing.
    public var contentLength: Int?
    public var lastModified = ""
    public var etag = ""
    public var authenticate = ""
    /// Where redirects led.
    public var finalURL = ""
    /// Where it is sent on to, by a redirect that was not followed.
    public var redirect = ""
    /// Why this worker must not follow that.
    public var refusal: String?
    /// The headers that the request asked for by name, in that order; empty where missing.
    public var headers: [String] = []
    public var message = ""
    /// Where the request asked for it in memory (``CurlCall/Kept/memory(_:)``).
    public var body = Data()
    /// The request went out more than once, because its kept connection was closed: a "not there any more" may be its
    /// own doing.
    public var repeated = false

    public init(exitCode: Int, status: Int, downloaded: Int, uploaded: Int, message: String = "") {
        self.exitCode = exitCode
        self.status = status
        self.downloaded = downloaded
        self.uploaded = uploaded
        self.message = message
    }

    /// The request did what it asked for; 207 only says that there is more to read.
    public var isSuccess: Bool { exitCode == 0 && (200..<300).contains(status) }
}
