import Foundation
import HaulModel
import HaulProtocol

/// One side of a batch as this protocol sees it: where its server is, what to show there.
final class Site: Sendable {
    let name: String
    /// `https://host:port`, without a path.
    let origin: String
    /// The encoded path that all paths of jobs lie below; empty or `/a/b`.
    let prefix: Location
    /// curl's options for every request: credentials, CA, proxy. Never part of an argument list or a log.
    let config: CurlConfig
    /// The site's operator has said that what the server has and does not list may go with its directory.
    let removesUnlisted: Bool

    /// - Parameters:
    ///   - scratch: The batch's private directory, for a CA that is given as text.
    ///   - proxy: The URL of the proxy that all requests go through; nil for none.
    init(_ spec: SiteSpec, scratch: String, proxy: String?) throws {
        name = spec.site
        guard let endpoint = spec.endpoints.first, Self.isAuthority(endpoint) else {
            throw BackendFailure(.invalid, "site \(spec.site) has no endpoint of the form host:port")
        }
        let tls = spec.options["tls"]?.bool ?? false
        origin = (tls ? "https://" : "http://") + endpoint
        do {
            prefix = try Location("/" + (spec.options["prefix"]?.string ?? ""))
        } catch {
            throw BackendFailure(.invalid, "site \(spec.site): prefix: \(error.reason)")
        }
        removesUnlisted = spec.options["unlisted_names"]?.string == "remove"
        var config = CurlConfig()
        // The environment's proxies are for other programs.
        if let proxy, !proxy.isEmpty { config.set("proxy", proxy) } else { config.set("noproxy", "*") }
        if let authority = spec.options["ca"]?.string, !authority.isEmpty {
            config.set("cacert", try Self.authorityFile(authority, site: spec.site, scratch: scratch))
        }
        if let file = spec.credentials["http-password"] {
            let pair = try Self.secret(file, site: spec.site)
            guard pair.contains(":") else {
                throw BackendFailure(.auth, "site \(spec.site): the http-password is not of the form user:password")
            }
            config.flag("basic")
            config.set("user", pair)
        } else if let file = spec.credentials["bearer"] {
            config.set("oauth2-bearer", try Self.secret(file, site: spec.site))
        }
        self.config = config
    }

    /// The URL of a place; a collection's ends in a slash where the server cares (nginx).
    func url(_ location: Location, directory: Bool = false) -> String {
        let path = prefix.encoded + location.encoded
        return origin + (path.isEmpty ? "/" : directory ? path + "/" : path)
    }

    /// Whether both are the same server with the same rights, so that it can copy by itself.
    func isSameServer(as other: Site) -> Bool { origin == other.origin && config == other.config }

    /// The first line of a credential's file.
    private static func secret(_ file: String, site: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: file),
            let line = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).first
        else { throw BackendFailure(.auth, "site \(site): the credential's file is empty or cannot be read") }
        return String(line)
    }

    private static func authorityFile(_ text: String, site: String, scratch: String) throws -> String {
        guard text.contains("-----BEGIN") else {
            guard FileManager.default.isReadableFile(atPath: text) else {
                throw BackendFailure(.invalid, "site \(site): the CA file \(text) cannot be read")
            }
            return text
        }
        let path = scratch + "/ca-\(PercentEncoding.encode(site.utf8)).pem"
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else {
            throw BackendFailure(.backend, "site \(site): cannot write its CA to the scratch directory")
        }
        return path
    }

    /// `host`, `host:port` or `[v6]:port`, and nothing that would change what the rest of the URL means.
    private static func isAuthority(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"),
                    UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
