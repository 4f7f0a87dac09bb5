import Foundation
import HaulModel
import HaulProtocol

/// One side of a batch as ssh needs it, checked.
struct SSHSite: Hashable, Sendable {
    /// The site's name, for messages.
    var name: String
    /// The preferred one first.
    var endpoints: [Endpoint]
    var user: String?
    /// What `known_hosts` says after the host: `ssh-ed25519 AAAA...`.
    var hostKeys: [String]
    /// The private key's file.
    var identity: String
    /// The ciphers that are offered first, as ssh_config(5) has it.
    var ciphers: String

    /// - Throws: ``BackendFailure``: `invalid` for options that cannot work, `auth` where the key is missing.
    init(_ spec: SiteSpec) throws {
        name = spec.site
        endpoints = try spec.endpoints.map(Endpoint.init)
        if endpoints.isEmpty { throw BackendFailure(.invalid, "the site \(spec.site) has no endpoint (host:port)") }
        user = spec.options["user"]?.string
        if let user, !Self.isUser(user) {
            throw BackendFailure(.invalid, "the site \(spec.site) has a user that ssh does not take")
        }
        ciphers = spec.options["ciphers"]?.string ?? "^aes128-gcm@openssh.com"
        guard Self.isPlain(ciphers, besides: "^+-@.,*") else {
            throw BackendFailure(.invalid, "the site \(spec.site) has ciphers that ssh does not take")
        }
        hostKeys = (spec.options["host_keys"]?.array ?? []).compactMap(\.string)
        if hostKeys.isEmpty {
            throw BackendFailure(
                .invalid,
                "the site \(spec.site) pins no host key; set its option host_keys to the lines that "
                    + "`ssh-keyscan` prints, without the host: [\"ssh-ed25519 AAAA...\"]")
        }
        if let key = hostKeys.first(where: { !Self.isHostKey($0) }) {
            throw BackendFailure(
                .invalid,
                "the site \(spec.site) has a host key that is none: \"\(key.prefix(40))\"; expected "
                    + "\"ssh-ed25519 AAAA...\"")
        }
        guard let file = spec.credentials["ssh-key"] else {
            throw BackendFailure(.auth, "no credential ssh-key for the site \(spec.site)")
        }
        identity = file
    }

    /// The file that ssh checks the server's key against.
    var knownHosts: String {
        endpoints.flatMap { endpoint in hostKeys.map { "\(endpoint.knownHost) \($0)\n" } }.joined()
    }

    /// Whether both reach the same files: the same server, user and key. Reads the keys' files (blocking).
    func isSameAccount(as other: SSHSite) -> Bool {
        guard endpoints == other.endpoints, user == other.user, hostKeys == other.hostKeys, ciphers == other.ciphers,
            let key = FileManager.default.contents(atPath: identity)
        else { return false }
        return key == FileManager.default.contents(atPath: other.identity)
    }

    /// A type, the key in base64, and maybe a comment; one line, without markers or patterns of its own.
    private static func isHostKey(_ line: String) -> Bool {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count >= 2, !line.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return false }
        return isPlain(String(fields[0]), besides: "-@.") && fields[0].first?.isLetter == true
            && fields[1].hasPrefix("AAAA") && isPlain(String(fields[1]), besides: "+/=")
    }

    private static func isUser(_ text: String) -> Bool {
        !text.hasPrefix("-") && isPlain(text, besides: "-._@+$")
    }

    private static func isPlain(_ text: String, besides others: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 20_000
            && text.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || others.unicodeScalars.contains($0))
            }
    }
}
