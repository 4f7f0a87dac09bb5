import Foundation
import HaulModel
public import HaulProtocol

/// What sites that curl speaks to have in common: an endpoint, a CA, a proxy, secrets in files.
extension SiteSpec {
    /// Of an endpoint that names no port.
    public var webPort: Int { options["tls"]?.bool == true ? 443 : 80 }

    /// `https://host:port` of the site's first endpoint, without a path.
    /// - Throws: ``BackendFailure`` (`invalid`) where it has none that can stand in a URL.
    public func origin(tls: Bool) throws -> String {
        guard let endpoint = endpoints.first, Self.isAuthority(endpoint) else {
            throw BackendFailure(.invalid, "site \(site) has no endpoint of the form host:port")
        }
        return (tls ? "https://" : "http://") + endpoint
    }

    /// What all requests to the site share: the proxy (nil for none) and the CA of its site option `ca`.
    /// - Parameter scratch: The batch's private directory, for a CA that is given as text.
    public func connection(scratch: String, proxy: String?) throws -> CurlConnection {
        var connection = CurlConnection()
        if let proxy, !proxy.isEmpty { connection.proxy = proxy }
        if let authority = options["ca"]?.string, !authority.isEmpty {
            connection.authorities = try authorityFile(authority, scratch: scratch)
        }
        return connection
    }

    /// The lines of a credential's file, which are secret; nil where the site has none of this kind.
    /// - Throws: ``BackendFailure`` (`auth`) where there is a file and nothing in it.
    public func secret(_ kind: String) throws -> [String]? {
        guard let file = credentials[kind] else { return nil }
        let lines = FileManager.default.contents(atPath: file).map {
            String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
        }
        guard let lines, !lines.isEmpty else {
            throw BackendFailure(.auth, "site \(site): the credential's file is empty or cannot be read")
        }
        return lines
    }

    private func authorityFile(_ text: String, scratch: String) throws -> String {
        guard text.contains("-----BEGIN") else {
            guard FileManager.default.isReadableFile(atPath: text) else {
                throw BackendFailure(.invalid, "site \(site): the CA file \(text) cannot be read")
            }
            return text
        }
        // Another text has another name: what libcurl read of a file serves for later connections.
        let hash = try StreamHash(.sha256)
        Array(text.utf8).withUnsafeBytes { hash.update($0) }
        let path = scratch + "/ca-\(hash.finish().dropFirst("sha256:".count).prefix(32)).pem"
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
