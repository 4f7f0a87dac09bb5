import Foundation
import HaulProtocol

/// Where haul stands on this machine: its programs beside the one that runs, its config files and protocols in the
/// source tree around them, or below `share/haul` where it was installed.
struct Installation: Sendable {
    /// The folder with `hauld`, `haul-worker` and `haul`.
    let programs: String
    /// The folder with `hauld.json5`, `sites.json5` and `worker.json5`.
    let config: String
    /// The folder of protocols.
    let protocols: String

    /// - Throws: ``StackError`` that names what is missing.
    static func find() throws -> Installation {
        let programs = ProtocolCatalog.besideExecutable
        for name in ["hauld", "haul-worker", "haul"] where ToolPath.find("\(programs)/\(name)") == nil {
            throw StackError("\(programs)/\(name) is not there: build it first (make build)")
        }
        let places = folders(above: programs).flatMap { [$0, $0 + "/share/haul"] }
        let home = (places + folders(above: FileManager.default.currentDirectoryPath)).first { folder in
            ["config/hauld.json5", "config/sites.json5", "config/worker.json5", "protocols"].allSatisfy {
                FileManager.default.fileExists(atPath: "\(folder)/\($0)")
            }
        }
        guard let home else {
            throw StackError("haul's config/ and protocols/ are neither above \(programs) nor above this folder")
        }
        return Installation(programs: programs, config: home + "/config", protocols: home + "/protocols")
    }

    func program(_ name: String) -> String { "\(programs)/\(name)" }

    /// The folder and all those above it, the nearest first.
    private static func folders(above folder: String) -> [String] {
        var url = URL(fileURLWithPath: folder).standardizedFileURL
        var result: [String] = []
        while url.path != "/" {
            result.append(url.path)
            url.deleteLastPathComponent()
        }
        return result
    }
}
