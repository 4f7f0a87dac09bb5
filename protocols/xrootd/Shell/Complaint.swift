import HaulModel
import HaulProtocol

/// What xrdfs and xrdcp say when they fail: they exit with few codes, so the text is what tells.
enum Complaint {
    struct Row: Sendable {
        /// In lower case; a part of what is said.
        var text: String
        var errorClass: ErrorClass
        var hint: String?

        init(_ text: String, _ errorClass: ErrorClass, hint: String? = nil) {
            self.text = text
            self.errorClass = errorClass
            self.hint = hint
        }
    }

    private static let redirected =
        "the server sends its clients on; a worker whose configuration names `hosts` follows to none, unless its xrootd "
        + "setting `redirects` is `follow`"

    /// The first row that fits counts: a server's own words before its number, which often says "file system error".
    static let rows: [Row] = [
        Row("directory not empty", .notEmpty),
        Row("no space left on device", .noSpace),
        Row("disk quota exceeded", .noSpace),
        Row("not a directory", .invalid),
        Row("is a directory", .invalid),
        Row("file name too long", .invalid),
        Row("too many levels of symbolic links", .invalid),
        Row("read-only file system", .permission),
        Row("no such file or directory", .notFound),
        Row("[3000]", .invalid),
        Row("[3001]", .invalid),
        Row("[3002]", .invalid),
        Row("[3003]", .busy, hint: "somebody else has the file open"),
        Row("[3007]", .busy),
        Row("[3008]", .busy),
        Row("[3009]", .noSpace),
        Row("[3010]", .permission),
        Row("[3011]", .notFound),
        Row("[3013]", .invalid),
        Row("[3014]", .connect, hint: "the server knows of no other that has it"),
        Row("[3015]", .invalid),
        Row("[3016]", .invalid),
        Row("[3018]", .exists),
        Row("[3019]", .checksum),
        Row("[3020]", .busy),
        Row("[3021]", .noSpace),
        Row("[3024]", .busy),
        Row("[3025]", .permission),
        Row("[3028]", .permission, hint: "the server wants TLS: set the site option tls"),
        Row("[3029]", .notFound),
        Row("[3030]", .auth),
        Row("[3032]", .busy),
        Row("[3034]", .timeout),
        Row("[3035]", .timeout),
        Row("auth failed", .auth),
        Row("no protocols left to try", .auth, hint: "no credential that the server takes"),
        Row("tls error", .auth, hint: "the server's certificate is checked with X509_CERT_DIR"),
        Row("file exists", .exists),
        Row("checksum error", .checksum),
        Row("redirect limit has been reached", .permission, hint: redirected),
        Row("operation expired", .timeout),
        Row("request timed out", .timeout),
        Row("socket timeout", .timeout),
        Row("connection error", .connect),
        Row("socket error", .connect),
        Row("socket disconnected", .connect),
        Row("stream disconnect", .connect),
        Row("poller error", .connect),
        Row("no route to host", .connect),
        Row("invalid address", .connect),
    ]

    /// - Parameters:
    ///   - said: All that the tool wrote about it.
    ///   - what: What was tried: `cannot remove /a`.
    ///   - paths: Those that it may name, whose words mean nothing.
    static func failure(
        _ said: String, _ what: String, about paths: [String], returncode: Int = 1
    ) -> BackendFailure {
        let all = lines(said)
        let text = SaidText(all, about: paths)
        let row = rows.first { text.says($0.text) }
        let words = all.prefix(600)
        let hint = row?.hint.map { " (\($0))" } ?? ""
        return BackendFailure(
            row?.errorClass ?? .unknown, "\(what): \(words.isEmpty ? "no reason was given" : words)\(hint)",
            returncode: returncode)
    }

    /// Whether there was no connection to be had, so that nothing was done.
    static func isUnconnected(_ said: String) -> Bool { said.contains("[FATAL] Connection error") }

    /// One line of a length that a message may have.
    static func quote(_ said: String) -> String { String(lines(said).prefix(600)) }

    /// Without the colours of a log: one line, what a message ends with (a NUL) left out.
    private static func lines(_ said: String) -> String {
        said.split(whereSeparator: { $0.isNewline || $0 == "\0" })
            .map {
                $0.trimmingPrefix("Run: ").trimmingPrefix("[ERROR] ").trimmingPrefix("Server responded with an error: ")
            }
            .map { String($0) }.filter { !$0.allSatisfy(\.isWhitespace) }
            .suffix(3).joined(separator: "; ")
    }
}
