import Foundation
import HaulCrypto
import HaulCurl
import HaulModel
import HaulProtocol

/// One side of a batch as this protocol sees it: a bucket, where it is, what to show there.
final class Site: Sendable {
    let name: String
    let bucket: String
    /// `https://host:port`, without a path: the bucket's own host where it is addressed by name.
    let origin: String
    /// The `Host` header that goes with it.
    let host: String
    /// What stands before the key in a path: `/bucket`, or nothing.
    let base: String
    /// What all keys of jobs begin with: a directory, or the bucket itself.
    let prefix: Location
    /// Nil where the site has no credential: what everybody may do.
    let signer: SigV4?
    /// CA and proxy.
    let connection: CurlConnection
    /// The endpoint alone, which both addressings share.
    private let endpoint: String

    /// - Parameters:
    ///   - scratch: The batch's private directory, for a CA that is given as text.
    ///   - proxy: The URL of the proxy that all requests go through; nil for none.
    init(_ spec: SiteSpec, scratch: String, proxy: String?) throws {
        name = spec.site
        guard let bucket = spec.options["bucket"]?.string, Self.isBucket(bucket) else {
            throw BackendFailure(
                .invalid,
                "site \(spec.site): the site option bucket names the bucket: 3 to 63 letters, digits, dots, hyphens")
        }
        self.bucket = bucket
        let endpoint = try spec.origin(tls: spec.options["tls"]?.bool ?? false)
        self.endpoint = endpoint
        if spec.options["addressing"]?.string == "virtual-host" {
            origin = endpoint.replacing("://", with: "://\(bucket).", maxReplacements: 1)
            base = ""
        } else {
            origin = endpoint
            base = "/" + bucket
        }
        host = SigV4.host(ofOrigin: origin)
        do {
            prefix = try Location("/" + (spec.options["prefix"]?.string ?? ""))
        } catch {
            throw BackendFailure(.invalid, "site \(spec.site): prefix: \(error.reason)")
        }
        connection = try spec.connection(scratch: scratch, proxy: proxy)
        signer = try Self.signer(spec)
    }

    private static func signer(_ spec: SiteSpec) throws -> SigV4? {
        guard let lines = try spec.secret("s3-key") else { return nil }
        guard let colon = lines[0].firstIndex(of: ":"), colon != lines[0].startIndex,
            lines[0].index(after: colon) != lines[0].endIndex
        else {
            throw BackendFailure(
                .auth, "site \(spec.site): the first line of the s3-key is not of the form ACCESS:SECRET")
        }
        return SigV4(
            accessKey: String(lines[0][..<colon]), secretKey: String(lines[0][lines[0].index(after: colon)...]),
            sessionToken: lines.count > 1 ? lines[1] : nil, region: spec.options["region"]?.string ?? "us-east-1")
    }

    /// The path of a URL, encoded; of the bucket itself without a key.
    func path(_ key: [UInt8]) -> String { base + SigV4.encoded(path: [UInt8(ascii: "/")] + key) }

    /// The header that names an object as a copy's source.
    func copySource(_ key: [UInt8]) -> String { SigV4.encoded(path: Array("/\(bucket)/".utf8) + key) }

    /// Whether both are one service for the same user, so that it can copy between them by itself.
    func isSameService(as other: Site) -> Bool {
        endpoint == other.endpoint && signer?.accessKey == other.signer?.accessKey
            && signer?.region == other.signer?.region
    }

    private static func isBucket(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            } && name != "..."
    }
}
