import Foundation
import HaulConfig

/// Where `haul login` keeps a server's token: a file a server, so that none is shown the token of another.
struct LoginFile: Sendable {
    let path: String

    /// - Parameter base: The server's URL, with the API's root.
    init(of base: String, _ environment: [String: String]) {
        let folder = environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "~/.config"
        path = ConfigFile.resolve("\(folder)/haul/logins/\(ServerConnection.escape(base))", relativeTo: "")
    }

    /// Nil where nobody is logged in.
    func token() -> String? {
        let text = try? String(contentsOfFile: path, encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Keeps a token (0600), in place of another at once.
    func keep(_ token: String) throws(CLIError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let new = path + ".new"
        do {
            try PrivateFolder.make(folder, withParents: true)
            unlink(new)
            let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
            try handle.write(contentsOf: Data((token + "\n").utf8))
            try handle.close()
            guard rename(new, path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        } catch {
            throw CLIError(
                code: .output, message: "the token cannot be kept in \(path): \(error.localizedDescription)",
                hint: "XDG_CONFIG_HOME names another folder")
        }
    }

    func forget() { unlink(path) }
}
