import HaulModel
import HaulProtocol

/// The section of an rclone.conf that a job's user shows at a site. It says who somebody is and no more: what kind of remote
/// it is and where that stands is the site's to say. An rclone.conf can do anything that the worker can: read its files
/// (`type = local`), run its programs (`bearer_token_command`), speak to whomever it reaches (`url`).
struct ShownSection {
    let text: String

    /// What tells who somebody is, and holds it: options of rclone's backends that name no file, program or host.
    private static let keys: Set<String> = [
        "access_key_id", "access_token", "account", "api_key", "api_password", "apikey", "app_key",
        "application_credential_id", "application_credential_name", "application_credential_secret", "auth_code",
        "bearer_token", "client_id", "client_secret", "domain", "key", "key_pem", "mailbox_id", "passphrase", "pass",
        "password",
        "project_number", "refresh_token", "secret_access_key", "security_token", "session_token",
        "tenant", "tenant_domain", "tenant_id", "token", "user", "user_id", "user_project",
        "username",
    ]

    /// Those that stand in the URLs which rclone asks.
    private static let names: Set<String> = ["account", "tenant", "tenant_domain", "tenant_id", "user_project"]

    /// - Parameters:
    ///   - file: What the user keeps.
    ///   - remote: The site's: `NAME:PATH`, or `NAME,OPTION=VALUE:PATH`.
    ///   - type: The site's; nil where users can show none.
    /// - Throws: ``BackendFailure`` (`invalid`), which repeats nothing of the file's values.
    init(_ file: String, site: String, remote: String, type: String?) throws {
        func refuse(_ reason: String) -> BackendFailure {
            BackendFailure(.invalid, "the rclone-config that the job's user shows at \(site) \(reason)")
        }
        guard let type else {
            throw refuse("counts for nothing: the site has no option type, which says what such a one may be of")
        }
        let name = String(remote.prefix { $0 != ":" && $0 != "," })
        var header: String?
        var values: [(key: String, value: String)] = []
        // As rclone's parser does: no other character ends a line.
        for line in file.utf8.split(separator: 0x0A).map({ Self.trimmed(Substring($0)) }) {
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), line.hasSuffix("]") {
                guard header == nil else { throw refuse("has more than one section") }
                header = Self.trimmed(line.dropFirst().dropLast())
                continue
            }
            guard let mark = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
                throw refuse("has a line that is neither [NAME] nor KEY = VALUE")
            }
            let key = Self.trimmed(line[..<mark])
            let value = Self.trimmed(line[line.index(after: mark)...])
            guard header != nil else { throw refuse("has a value before its [\(name)]") }
            guard key == "type" || Self.keys.contains(key) else {
                let shown = key.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") } ? key : "a key"
                throw refuse("holds \(shown): it may hold what tells who somebody is alone")
            }
            guard !values.contains(where: { $0.key == key }) else { throw refuse("holds \(key) twice") }
            guard Self.isPlain(value) else { throw refuse("holds a value for \(key) that is not of one line") }
            guard !Self.names.contains(key) || Self.isName(value) else {
                throw refuse("holds a value for \(key) that is no name")
            }
            values.append((key, value))
        }
        guard header == name, !name.isEmpty else { throw refuse("has no section [\(name)], which the site names") }
        guard values.first(where: { $0.key == "type" })?.value == type else {
            throw refuse("is not of the type \(type), which the site is of")
        }
        text = "[\(name)]\n" + values.map { "\($0.key) = \($0.value)\n" }.joined()
    }

    /// It means to rclone's parser what it says: nothing goes on in the next line, refers to others or is quoted. Told by its
    /// bytes, as that parser does.
    private static func isPlain(_ value: String) -> Bool {
        let bytes = Array(value.utf8)
        let refers = zip(bytes, bytes.dropFirst()).contains { $0 == UInt8(ascii: "%") && $1 == UInt8(ascii: "(") }
        let isQuoted = bytes.first == UInt8(ascii: "`") || bytes.first == UInt8(ascii: "\"")
        return !refers && !isQuoted && bytes.last != UInt8(ascii: "\\")
            && bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
    }

    /// What becomes a part of a URL stays within that part.
    private static func isName(_ value: String) -> Bool {
        value.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "_.-@".utf8.contains(byte)
        }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
