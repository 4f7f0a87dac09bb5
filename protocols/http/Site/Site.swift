import Foundation
import HaulCurl
import HaulModel
import HaulProtocol

/// One side of a batch as this protocol sees it: where its server is, what to show there.
final class Site: Sendable {
    let name: String
    /// `https://host:port`, without a path.
    let origin: String
    /// The encoded path that all paths of jobs lie below; empty or `/a/b`.
    let prefix: Location
    /// Credentials, CA, proxy. Never part of an argument list or a log.
    let connection: CurlConnection
    /// The site's operator has said that what the server has and does not list may go with its directory.
    let removesUnlisted: Bool
    /// Whether a PUT that is cut off may be taken to leave what was there, where the server proves it.
    let wholePuts: WholePuts.Belief

    /// - Parameters:
    ///   - scratch: The batch's private directory, for a CA that is given as text.
    ///   - proxy: The URL of the proxy that all requests go through; nil for none.
    init(_ spec: SiteSpec, scratch: String, proxy: String?) throws {
        name = spec.site
        origin = try spec.origin(tls: spec.options["tls"]?.bool ?? false)
        do {
            prefix = try Location("/" + (spec.options["prefix"]?.string ?? ""))
        } catch {
            throw BackendFailure(.invalid, "site \(spec.site): prefix: \(error.reason)")
        }
        removesUnlisted = spec.options["unlisted_names"]?.string == "remove"
        wholePuts = spec.options["whole_puts"]?.string.flatMap(WholePuts.Belief.init) ?? .detect
        var connection = try spec.connection(scratch: scratch, proxy: proxy)
        if let pair = try spec.secret("http-password")?.first {
            guard pair.contains(":") else {
                throw BackendFailure(.auth, "site \(spec.site): the http-password is not of the form user:password")
            }
            connection.password = pair
        } else if let token = try spec.secret("bearer")?.first {
            connection.bearer = token
        }
        self.connection = connection
    }

    /// The URL of a place; a collection's ends in a slash where the server cares (nginx).
    func url(_ location: Location, directory: Bool = false) -> String {
        let path = prefix.encoded + location.encoded
        return origin + (path.isEmpty ? "/" : directory ? path + "/" : path)
    }

    /// Whether both are the same server with the same rights, so that it can copy by itself.
    func isSameServer(as other: Site) -> Bool { origin == other.origin && connection == other.connection }
}
