public import HaulModel
public import HaulProtocol

/// Why a request failed, in haul's classes.
extension HTTPResponse {
    /// Nil for a success.
    public var errorClass: ErrorClass? {
        if refusal != nil { return .permission }
        // The status first: a server that refuses an upload early also breaks the connection.
        if status >= 400 { return Self.errorClass(status: status, authenticate: authenticate) }
        if exitCode != 0 { return Self.errorClass(exitCode: exitCode) }
        return (200..<300).contains(status) ? nil : .invalid
    }

    /// The failure in a user's words: what was asked of what, what came back.
    public func failure(_ what: String) -> BackendFailure {
        let errorClass = errorClass ?? .unknown
        var said: [String] = []
        if status > 0 { said.append("HTTP \(status)\(Self.meaning(status))") }
        if let refusal {
            said.append(refusal)
        } else if exitCode != 0, status < 400 || exitCode != 22 {
            said.append("curl \(exitCode)" + (message.isEmpty ? "" : ": \(message.prefix(300))"))
        }
        return BackendFailure(
            errorClass, "\(what): \(said.joined(separator: ", "))", returncode: exitCode == 0 ? 22 : exitCode)
    }

    /// What an HTTP status means where the protocol knows no better.
    public static func errorClass(status: Int, authenticate: String = "") -> ErrorClass {
        switch status {
        // RFC 6750: the token was good once.
        case 401: authenticate.contains("invalid_token") ? .credentialExpired : .auth
        case 407, 511: .auth
        case 402, 403, 451: .permission
        case 404, 410: .notFound
        // RFC 4918: what the request builds on (a parent) is not there.
        case 409: .notFound
        // Asked for with `Overwrite: F`.
        case 412: .exists
        case 408, 504: .timeout
        case 423, 425, 429, 503: .busy
        case 502: .connect
        case 507: .noSpace
        case 501, 505, 506, 508: .invalid
        case 500...: .unknown
        default: .invalid
        }
    }

    /// What an exit code of curl means (`curl(1)`, "EXIT CODES").
    public static func errorClass(exitCode: Int) -> ErrorClass {
        switch exitCode {
        case 5, 6, 7, 35, 45, 97: .connect
        case 28: .timeout
        case 8, 16, 18, 33, 42, 52, 55, 56, 92, 95, 96: .interrupted
        // The certificate is not what the site's CA signed.
        case 51, 60, 83, 90, 91: .auth
        case 67: .auth
        case 1, 3, 47, 53, 54, 58, 59, 61, 63, 66, 77, 80, 82, 94: .invalid
        case 2, 4, 26, 27, 41, 43, 48: .backend
        // Writing the body: the disk, or the roof over what a server may send.
        case 23: .noSpace
        case 128...: .interrupted
        default: .unknown
        }
    }

    private static func meaning(_ status: Int) -> String {
        switch status {
        case 300..<400: " (a redirect that is not followed)"
        case 401: " (no or wrong credentials)"
        case 403: " (forbidden)"
        case 404: " (not found)"
        case 405: " (the server does not do this here)"
        case 409: " (conflict: a parent is missing)"
        case 412: " (is there already, or changed)"
        case 413: " (too large for the server)"
        case 423: " (locked)"
        case 429, 503: " (busy)"
        case 501: " (the server cannot do this)"
        case 507: " (no space)"
        default: ""
        }
    }
}
