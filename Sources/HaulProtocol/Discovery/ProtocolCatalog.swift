import Foundation
import HaulModel

/// The protocols that a scan found, and those that cannot run here with the reason.
public struct ProtocolCatalog: Sendable {
    /// By name.
    public private(set) var usable: [DiscoveredProtocol] = []
    /// By folder.
    public private(set) var unusable: [ProtocolProblem] = []

    /// Looks through each `FOLDER/NAME/protocol.json`. Reads the disk: once, at start.
    /// - Parameters:
    ///   - folders: Such as `protocols`; of two protocols of one name the earlier folder's is used.
    ///   - programs: Where backends are looked up beside their own folder; by default beside this executable.
    ///   - path: `PATH` for the tools of `requires`.
    public static func scan(
        _ folders: [String], programs: [String] = [besideExecutable], path: String? = Environment.allowed["PATH"]
    ) -> ProtocolCatalog {
        var catalog = ProtocolCatalog()
        for folder in folders {
            do {
                for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
                    catalog.add("\(folder)/\(name)", programs: programs, path: path)
                }
            } catch {
                catalog.unusable.append(ProtocolProblem(folder: folder, name: nil, reasons: ["cannot be read"]))
            }
        }
        catalog.usable.sort { $0.manifest.name < $1.manifest.name }
        return catalog
    }

    /// The protocol of that name, in any case.
    public subscript(name: String) -> DiscoveredProtocol? {
        let name = name.lowercased()
        return usable.first { $0.manifest.name == name }
    }

    /// The protocol that serves URLs of a scheme; of several the first by name.
    public func serving(scheme: String) -> DiscoveredProtocol? {
        usable.first { $0.manifest.serves(scheme: scheme) }
    }

    /// The folder of the running executable.
    public static let besideExecutable: String = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? 0
        }
        let path = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }()

    private mutating func add(_ folder: String, programs: [String], path: String?) {
        let file = "\(folder)/protocol.json"
        // A folder without a manifest (or the schema beside them) is something else, not a broken protocol.
        guard FileManager.default.fileExists(atPath: file) else { return }
        func refuse(_ name: String?, _ reasons: [String]) -> ProtocolProblem {
            ProtocolProblem(folder: folder, name: name, reasons: reasons)
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            return unusable.append(refuse(nil, ["\(file) cannot be read"]))
        }
        do {
            let manifest = try ProtocolManifest.parse(data)
            var reasons = manifest.requires.filter { ToolPath.find($0, path: path) == nil }
                .map { "\($0) is not in PATH" }
            let command = manifest.backend[0]
            let executable = Self.backend(command, folder: folder, programs: programs)
            if executable == nil { reasons.append("the backend \(command) is not there") }
            if usable.contains(where: { $0.manifest.name == manifest.name }) {
                reasons.append("another protocol of that name came first")
            }
            guard reasons.isEmpty, let executable else {
                return unusable.append(refuse(manifest.name, reasons))
            }
            usable.append(
                DiscoveredProtocol(
                    manifest: manifest, folder: folder, executable: executable,
                    arguments: Array(manifest.backend.dropFirst())))
        } catch {
            unusable.append(refuse(nil, ["protocol.json: \(error)"]))
        }
    }

    /// `backend[0]`: in the protocol's folder, beside the executable, or absolute as it is.
    private static func backend(_ command: String, folder: String, programs: [String]) -> String? {
        if command.hasPrefix("/") { return ToolPath.isExecutable(command) ? command : nil }
        if command.split(separator: "/").contains("..") { return nil }
        return ([folder] + programs).map { "\($0)/\(command)" }.first(where: ToolPath.isExecutable)
            .map { URL(fileURLWithPath: $0).path }
    }
}
