import HaulConfig
import HaulWire

/// The credential files of the configuration, looked at each time that they are used.
struct CredentialFiles: Sendable {
    /// Site (name or id) to kind to path.
    private let files: [String: [String: String]]

    init(_ files: [String: [String: String]]) { self.files = files }

    /// Kind to path for a site, of the kinds that its protocol understands, and a line for each that cannot be used.
    /// Reads the disk.
    func usable(for site: ClaimedSite, kinds: [String]) -> (files: [String: String], refused: [String]) {
        let given = files[site.name] ?? files[String(site.id)] ?? [:]
        var usable: [String: String] = [:]
        var refused: [String] = []
        for (kind, path) in given.sorted(by: { $0.key < $1.key }) where kinds.contains(kind) {
            if let problem = PrivateFile.problem(with: path) {
                refused.append("credential \(kind) of site \(site.name) is not used: \(path) \(problem)")
            } else {
                usable[kind] = path
            }
        }
        return (usable, refused)
    }

    /// A line for each file that cannot be used as things are. Reads the disk.
    func problems() -> [String] {
        files.sorted { $0.key < $1.key }.flatMap { site, kinds in
            kinds.sorted { $0.key < $1.key }.compactMap { kind, path in
                PrivateFile.problem(with: path).map { "credential \(kind) of site \(site) is not used: \(path) \($0)" }
            }
        }
    }
}
