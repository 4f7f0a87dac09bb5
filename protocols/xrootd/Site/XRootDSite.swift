import Foundation
import HaulCrypto
import HaulModel
import HaulProtocol

/// One side of a batch as the tools of XRootD need it, checked.
struct XRootDSite: Hashable, Sendable {
    /// The site's name, for messages.
    var name: String
    /// `HOST:PORT`, the preferred one first.
    var endpoints: [String]
    /// `roots` where all is encrypted.
    var scheme: String
    /// What `~` means.
    var home: String
    /// The environment of xrdfs and xrdcp: what they show to the server, and how long they wait for it.
    var environment: [String: String]
    /// Of each kind that the tools may show, the file; nil where the site has none.
    private var credentials: [String?]

    /// - Parameters:
    ///   - scratch: The batch's own folder: the home directory of the tools, which keep a history there.
    ///   - followsRedirects: Whether a server may send the tools on to others, which nobody can look at before.
    /// - Throws: ``BackendFailure`` (`invalid`) for what cannot work.
    init(_ spec: SiteSpec, scratch: String, followsRedirects: Bool = true) throws {
        name = spec.site
        endpoints = spec.endpoints
        guard !endpoints.isEmpty else {
            throw BackendFailure(.invalid, "the site \(spec.site) has no endpoint (host:port)")
        }
        if let odd = endpoints.first(where: { !Self.isEndpoint($0) }) {
            throw BackendFailure(.invalid, "the site \(spec.site) has an endpoint that is no host:port: \(odd)")
        }
        scheme = spec.options["tls"]?.bool == true ? "roots" : "root"
        home = spec.options["home"]?.string ?? "/"
        environment = Environment.allowed.merging(Self.manners(scratch)) { $1 }
        if !followsRedirects { environment["XRD_REDIRECTLIMIT"] = "0" }
        credentials = [spec.credentials["x509-proxy"], spec.credentials["bearer"]]
        // A credential of this process's own user is nobody's here.
        environment["X509_USER_PROXY"] = spec.credentials["x509-proxy"] ?? "\(scratch)/no-proxy"
        environment["BEARER_TOKEN_FILE"] = spec.credentials["bearer"] ?? "\(scratch)/no-token"
    }

    /// Whether the tools may show both servers the same: they know one credential of a kind, whoever they speak to. It is
    /// the contents that count, read here.
    func showsTheSame(as other: XRootDSite) -> Bool {
        zip(credentials, other.credentials).allSatisfy { one, other in
            guard let one, let other else { return one == nil && other == nil }
            guard let content = FileManager.default.contents(atPath: one) else { return false }
            return content == FileManager.default.contents(atPath: other)
        }
    }

    /// Fails where a credential's time is over (reads its file): the server would only say that it takes none.
    func refuseExpired(at now: Date = Date()) throws {
        let ends = [CredentialTime.end(x509:), CredentialTime.end(token:)]
        for ((kind, file), end) in zip(zip(["x509-proxy", "bearer"], credentials), ends) {
            guard let content = file.flatMap({ FileManager.default.contents(atPath: $0) }), let end = end(content),
                end <= now
            else { continue }
            throw BackendFailure(
                .credentialExpired, "the \(kind) of the site \(name) was good until \(end.formatted(.iso8601))")
        }
    }

    /// `root://HOST:PORT`; a path follows a slash of its own.
    func url(_ endpoint: String) -> String { "\(scheme)://\(endpoint)/" }

    private static func manners(_ scratch: String) -> [String: String] {
        [
            "HOME": scratch, "LC_ALL": "C.UTF-8", "TERM": "dumb", "INPUTRC": "/dev/null", "TZ": "UTC",
            "XRD_LOGLEVEL": "None",
            // A file is what it is called, also `a.meta4`.
            "XRD_METALINKPROCESSING": "0",
            // Whoever is away is told so soon: the job is tried again, the batch must not stand still meanwhile.
            "XRD_CONNECTIONWINDOW": "15", "XRD_CONNECTIONRETRY": "1", "XRD_STREAMERRORWINDOW": "0",
            "XRD_REQUESTTIMEOUT": "900", "XRD_STREAMTIMEOUT": "60", "XRD_CPTIMEOUT": "0",
        ]
    }

    private static func isEndpoint(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-"), text.utf8.count <= 300 else { return false }
        let letters = text.unicodeScalars.allSatisfy {
            $0.isASCII
                && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || ".-_:[]".unicodeScalars.contains($0))
        }
        return letters
    }
}
