import Foundation

/// A secret that a command is given in a file; `-` is standard input. In an argument everybody could read it.
enum SecretFile {
    static func read(_ path: String, _ what: String) throws -> String {
        let data =
            path == "-" ? (try? FileHandle.standardInput.readToEnd()) : FileManager.default.contents(atPath: path)
        guard let data else { throw StartError(message: "\(path): cannot be read") }
        let secret = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !secret.isEmpty else { throw StartError(message: "\(path): holds no \(what)") }
        return secret
    }
}
