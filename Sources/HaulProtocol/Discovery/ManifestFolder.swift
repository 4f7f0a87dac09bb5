import Foundation
public import HaulModel

/// The manifests of a folder of protocols, whether this machine could run them or not: what a server, which runs none,
/// checks jobs and sites against.
public enum ManifestFolder {
    /// Reads each `FOLDER/NAME/protocol.json`, once, at start. Blocks on the disk.
    ///
    /// - Returns: the manifests by name, and for each that can't be used why.
    public static func scan(_ folder: String) -> (manifests: [String: ProtocolManifest], problems: [String]) {
        var manifests: [String: ProtocolManifest] = [:]
        var problems: [String] = []
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            return ([:], ["\(folder): the folder of protocols can't be read"])
        }
        for name in names.sorted() {
            let file = "\(folder)/\(name)/protocol.json"
            guard let data = FileManager.default.contents(atPath: file) else { continue }
            do {
                let manifest = try ProtocolManifest.parse(data)
                manifests[manifest.name] = manifest
            } catch {
                problems.append("\(file): \(error)")
            }
        }
        return (manifests, problems)
    }
}
