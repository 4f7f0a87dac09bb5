import HaulModel
import HaulProtocol

/// What rclone says when something fails. Its seventy backends speak with the words of their services, so the text is
/// what tells.
enum Complaint {
    /// In lower case; the first part that is found counts.
    static let rows: [(text: String, errorClass: ErrorClass)] = [
        ("directory not empty", .notEmpty),
        ("corrupted on transfer", .checksum),
        ("no space left on device", .noSpace),
        ("file too big for remaining disk space", .noSpace),
        ("quota exceeded", .noSpace),
        ("quotaexceeded", .noSpace),
        ("insufficient storage", .noSpace),
        ("storage limit", .noSpace),
        ("not a directory", .invalid),
        ("is a directory", .invalid),
        ("file name too long", .invalid),
        ("didn't find section in config file", .invalid),
        ("didn't find backend called", .invalid),
        ("object not found", .notFound),
        ("directory not found", .notFound),
        ("no such file or directory", .notFound),
        ("404 not found", .notFound),
        ("file already exists", .exists),
        ("file exists", .exists),
        ("token expired", .credentialExpired),
        ("invalid_grant", .credentialExpired),
        ("401 unauthorized", .auth),
        ("unable to authenticate", .auth),
        ("couldn't authenticate", .auth),
        ("login incorrect", .auth),
        ("invalid credentials", .auth),
        ("permission denied", .permission),
        ("403 forbidden", .permission),
        ("access denied", .permission),
        ("read-only file system", .permission),
        ("429 too many requests", .busy),
        ("rate limit", .busy),
        ("503 service unavailable", .busy),
        ("423 locked", .busy),
        ("source file is being updated", .busy),
        ("context canceled", .interrupted),
        ("deadline exceeded", .timeout),
        ("i/o timeout", .timeout),
        ("connection refused", .connect),
        ("connection reset", .connect),
        ("no such host", .connect),
        ("no route to host", .connect),
        ("network is unreachable", .connect),
        ("unexpected eof", .connect),
        ("broken pipe", .connect),
    ]

    /// - Parameters:
    ///   - what: What was tried: `cannot remove /a`.
    ///   - paths: Those that rclone may name, whose words mean nothing.
    static func failure(_ said: String, _ what: String, about paths: [String]) -> BackendFailure {
        let words = said.split(whereSeparator: \.isNewline).joined(separator: "; ")
        let text = SaidText(words, about: paths)
        let row = rows.first { text.says($0.text) }
        return BackendFailure(
            row?.errorClass ?? .unknown,
            "\(what): \(words.isEmpty ? "rclone gives no reason" : String(words.prefix(600)))")
    }
}
