/// What curl says of one request: the line that `-w` writes when it ended.
struct HTTPResponse: Sendable, Equatable {
    /// curl's own exit code for the request (`curl(1)`, "EXIT CODES").
    var exitCode: Int
    /// The last HTTP status; 0 where there was none.
    var status: Int
    var downloaded: Int
    var uploaded: Int
    /// Of the headers, empty where missing.
    var contentLength: Int?
    var lastModified = ""
    var etag = ""
    var authenticate = ""
    /// Where redirects led.
    var finalURL = ""
    var message = ""
    /// The request went out twice, because the curl process died: a "not there any more" may be its own doing.
    var repeated = false

    /// Header values and messages come from the server: they stand after the numbers, so that they can forge none.
    static func writeOut(tag: String) -> String {
        "%{stderr}\(tag) %{exitcode} %{http_code} %{size_download} %{size_upload} \\t%header{content-length}"
            + "\\t%header{last-modified}\\t%header{etag}\\t%header{www-authenticate}\\t%{url_effective}"
            + "\\t%{errormsg}\\n"
    }

    /// Reads a line of standard error; nil where it is none of ours.
    static func parse(_ line: String) -> (tag: String, response: HTTPResponse)? {
        let fields = line.split(separator: "\t", maxSplits: 6, omittingEmptySubsequences: false)
        let numbers = (fields.first ?? "").split(separator: " ")
        guard fields.count == 7, numbers.count == 5, let exitCode = Int(numbers[1]), let status = Int(numbers[2]),
            let downloaded = Int(numbers[3]), let uploaded = Int(numbers[4])
        else { return nil }
        let response = HTTPResponse(
            exitCode: exitCode, status: status, downloaded: downloaded, uploaded: uploaded,
            contentLength: Int(fields[1]).flatMap { $0 >= 0 ? $0 : nil }, lastModified: String(fields[2]),
            etag: String(fields[3]), authenticate: String(fields[4]), finalURL: String(fields[5]),
            message: String(fields[6]))
        return (String(numbers[0]), response)
    }

    /// The request did what it asked for; 207 only says that there is more to read.
    var isSuccess: Bool { exitCode == 0 && (200..<300).contains(status) }
}
