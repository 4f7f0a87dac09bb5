public import Foundation

/// What libcurl, or the line that `-w` writes, says of one request when it ended.
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

    /// Header values and messages come from the server: they stand after the numbers, so that they can forge none.
    /// - Parameter headers: Names of further headers whose values are wanted.
    public static func writeOut(tag: String, headers: [String] = []) -> String {
        "%{stderr}\(tag) %{exitcode} %{http_code} %{size_download} %{size_upload} \(headers.count)"
            + "\\t%header{content-length}\\t%header{last-modified}\\t%header{etag}\\t%header{www-authenticate}"
            + "\\t%{url_effective}\\t%{redirect_url}" + headers.map { "\\t%header{\($0)}" }.joined()
            + "\\t%{errormsg}\\n"
    }

    /// Reads a line of standard error; nil where it is none of ours.
    public static func parse(_ line: String) -> (tag: String, response: HTTPResponse)? {
        let numbers = line.prefix { $0 != "\t" }.split(separator: " ")
        guard numbers.count == 6, let exitCode = Int(numbers[1]), let status = Int(numbers[2]),
            let downloaded = Int(numbers[3]), let uploaded = Int(numbers[4]), let wanted = Int(numbers[5]),
            (0...64).contains(wanted)
        else { return nil }
        let fields = line.split(separator: "\t", maxSplits: 7 + wanted, omittingEmptySubsequences: false)
        guard fields.count == 8 + wanted else { return nil }
        var response = HTTPResponse(
            exitCode: exitCode, status: status, downloaded: downloaded, uploaded: uploaded,
            message: String(fields[7 + wanted]))
        response.contentLength = Int(fields[1]).flatMap { $0 >= 0 ? $0 : nil }
        response.lastModified = String(fields[2])
        response.etag = String(fields[3])
        response.authenticate = String(fields[4])
        response.finalURL = String(fields[5])
        response.redirect = String(fields[6])
        response.headers = fields[7..<(7 + wanted)].map(String.init)
        return (String(numbers[0]), response)
    }

    /// The request did what it asked for; 207 only says that there is more to read.
    public var isSuccess: Bool { exitCode == 0 && (200..<300).contains(status) }
}
