import Foundation
import HaulModel
import HaulProtocol

/// What ssh writes to stderr when it fails: it exits with 255 whatever happened, so the text is what tells.
enum SSHComplaint {
    struct Row: Sendable {
        /// In lower case; part of what ssh says.
        var text: String
        var errorClass: ErrorClass
        /// For the user, where ssh's own words are not enough.
        var hint: String?
        /// False where the hint says all, and ssh's words are a banner.
        var quoted: Bool

        init(_ text: String, _ errorClass: ErrorClass, _ hint: String? = nil, quoted: Bool = true) {
            self.text = text
            self.errorClass = errorClass
            self.hint = hint
            self.quoted = quoted
        }
    }

    /// The first row whose text occurs counts: what is more telling stands first.
    static let rows: [Row] = [
        // Before the verdict that follows it: the key is of a type that is not pinned, or of a host that has none.
        Row("host key is known for", .auth, "the host key of HOST is not among the site's host_keys", quoted: false),
        Row(
            "remote host identification has changed", .auth, "the host key of HOST does not match the site's host_keys",
            quoted: false),
        Row(
            "host key verification failed", .auth, "the host key of HOST does not match the site's host_keys",
            quoted: false),
        Row(
            "no matching host key type", .auth, "the host key of HOST is of none of the types in the site's host_keys",
            quoted: false),
        Row("too many authentication failures", .auth),
        Row("bad permissions", .auth, "the key's file must be readable by its owner only"),
        Row("error in libcrypto", .auth, "the credential ssh-key is no private key, or has a passphrase"),
        Row("invalid format", .auth, "the credential ssh-key is no private key"),
        // With its bracket: a warning of a file of ours that cannot be written has the words too.
        Row("permission denied (", .auth, "the server does not accept this user with this key"),
        Row("subsystem request failed", .invalid, "the server offers no SFTP (Subsystem sftp in its sshd_config)"),
        Row("bad configuration option", .invalid),
        Row("bad ssh2 cipher spec", .invalid, "the site's option ciphers is wrong"),
        Row("no matching cipher", .invalid, "the site's option ciphers has none that the server takes"),
        Row("could not resolve hostname", .connect),
        Row("connection refused", .connect),
        Row("connection timed out", .connect),
        Row("operation timed out", .connect),
        Row("no route to host", .connect),
        Row("network is unreachable", .connect),
        Row("not responding", .connect),
        Row("connection reset", .connect),
        Row("broken pipe", .connect),
        Row("connection closed", .connect),
        Row("closed by remote host", .connect),
        Row("kex_exchange_identification", .connect),
        Row("banner exchange", .connect),
    ]

    /// - Parameters:
    ///   - said: All of ssh's stderr, as far as it was kept.
    ///   - endpoint: Where it went.
    ///   - otherwise: What was seen, where the text tells nothing.
    static func failure(_ said: String, _ endpoint: Endpoint, returncode: Int, otherwise: String) -> BackendFailure {
        let lowered = said.lowercased()
        let row = rows.first { lowered.contains($0.text) }
        let told = row?.quoted == false ? keyShown(said) : quote(said) ?? otherwise
        let hint = row?.hint?.replacing("HOST", with: "\(endpoint)")
        let reason =
            row?.quoted == false
            ? "\(hint ?? "")\(told)" : "\(endpoint): \(hint.map { "\($0); " } ?? "")\(told)"
        return BackendFailure(
            row?.errorClass ?? .connect, reason, returncode: returncode == 0 ? 1 : returncode)
    }

    /// ssh's last words; nil where it had none.
    private static func quote(_ said: String) -> String? {
        let words = said.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty && !$0.hasPrefix("Killed by signal") }
            .suffix(3).joined(separator: "; ")
        return words.isEmpty ? nil : "ssh says \"\(words.prefix(600))\""
    }

    /// Which key the server showed, and what to do about it.
    private static func keyShown(_ said: String) -> String {
        let shown = said.firstMatch(of: /SHA256:[A-Za-z0-9+\/]{43}/).map { " (it showed \($0.output))" } ?? ""
        return "\(shown): compare it with what the server's operator says, then pin it (ssh-keyscan prints it)"
    }
}
