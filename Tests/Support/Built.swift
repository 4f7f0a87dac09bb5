import Foundation
public import HaulProtocol

/// What the build made, found from a test: `swift test` runs its bundle out of the build folder, so programs stand
/// beside it.
public enum Built {
    /// The path of a program of this package; `swift build --build-tests` builds them all.
    public static func executable(_ name: String) -> String { "\(ProtocolCatalog.besideExecutable)/\(name)" }

    /// The repository's top folder.
    public static let repository: String = {
        var folder = URL(fileURLWithPath: #filePath)
        repeat {
            folder.deleteLastPathComponent()
        } while folder.path != "/"
            && !FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path)
        return folder.path
    }()

    /// The package's protocols, with the backends of this build.
    public static func protocols() -> ProtocolCatalog { ProtocolCatalog.scan(["\(repository)/protocols"]) }
}
