/// What a backend can be asked to do (`protocols/README.md`, "Operations"). The raw values are those of the wire.
public enum ProtocolOperation: String, Sendable, Hashable, CaseIterable, Codable, CodingKeyRepresentable {
    /// Lists a path.
    case list
    /// Copies one file between two sites of the protocol.
    case copy
    /// Copies one file from a site to a local path.
    case get
    /// Copies one file from a local path to a site.
    case put
    /// Removes one file, link or empty directory.
    case remove
    /// Renames a file or a directory within a site.
    case rename
    /// Makes a directory.
    case mkdir

    /// True where an element has a destination beside its source.
    public var hasDestination: Bool {
        switch self {
        case .copy, .get, .put, .rename: true
        case .list, .remove, .mkdir: false
        }
    }
}
