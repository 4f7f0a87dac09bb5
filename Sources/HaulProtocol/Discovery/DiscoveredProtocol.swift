public import HaulModel

/// A protocol that can run here: its manifest is valid, its backend was found, and so was every tool it requires.
public struct DiscoveredProtocol: Sendable, Hashable {
    public var manifest: ProtocolManifest
    /// The folder that holds the manifest.
    public var folder: String
    /// The backend's path.
    public var executable: String
    /// The manifest's words after the backend's name.
    public var arguments: [String]

    public init(manifest: ProtocolManifest, folder: String, executable: String, arguments: [String] = []) {
        self.manifest = manifest
        self.folder = folder
        self.executable = executable
        self.arguments = arguments
    }
}

/// A folder that is no usable protocol, and why.
public struct ProtocolProblem: Sendable, Hashable, CustomStringConvertible {
    public var folder: String
    /// The protocol's name, where the manifest could be read.
    public var name: String?
    /// A sentence each: a key of the manifest that is wrong, a backend or a tool that is missing.
    public var reasons: [String]

    public var description: String { "\(name ?? folder): \(reasons.joined(separator: "; "))" }
}
