import Foundation
import HaulPlayground

/// A program of the Python environment that `make venv` makes below the build folder.
public enum PythonTool {
    /// - Throws: where there is no such environment, or it was made without the program.
    public static func path(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: Built.executable("hauld")).deletingLastPathComponent().path
        guard let python = Moto.python(above: folder) else {
            throw LiveServer.Failure(description: "there is no Python environment: run `make venv`")
        }
        let path = URL(fileURLWithPath: python).deletingLastPathComponent().path + "/" + name
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw LiveServer.Failure(description: "the Python environment has no \(name): run `make venv`")
        }
        return path
    }
}
