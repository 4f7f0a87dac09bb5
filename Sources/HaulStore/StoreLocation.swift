import Foundation

/// Where a database is.
public enum StoreLocation: Sendable, Hashable, CustomStringConvertible {
    /// A file.
    case sqlite(path: String)
    /// `postgresql://USER@HOST:PORT/DATABASE?...`, as libpq takes it.
    case postgresql(url: String)

    /// - Parameter text: a PostgreSQL URL, or a path.
    public init(_ text: String) {
        self = Self.isURL(text) ? .postgresql(url: text) : .sqlite(path: text)
    }

    /// True for what is a server's URL rather than a file.
    public static func isURL(_ text: String) -> Bool {
        text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
    }

    /// Without what is secret: of a URL neither its password nor its parameters.
    public var description: String {
        switch self {
        case .sqlite(let path): return path
        case .postgresql(let url):
            let bare = url.prefix { $0 != "?" }
            guard let scheme = bare.range(of: "://"), let at = bare.lastIndex(of: "@") else { return String(bare) }
            let user = bare[scheme.upperBound..<at].prefix { $0 != ":" }
            return "\(bare[..<scheme.upperBound])\(user)\(bare[at...])"
        }
    }
}
