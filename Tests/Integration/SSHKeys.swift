import Foundation
import Support
import Testing

/// Keys of ssh-keygen.
enum SSHKeys {
    /// The text of a private one.
    static func make() async throws -> String {
        let folder = try Folder()
        let run = try await ProgramRun(
            executable: "/usr/bin/ssh-keygen",
            ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder.path + "/key"])
        try #require(run.code == 0, "\(run.errors)")
        return try String(contentsOfFile: folder.path + "/key", encoding: .utf8)
    }
}
