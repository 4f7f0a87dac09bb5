public import Foundation

/// Reads config files: JSON5 (json5.org) into plain `Decodable` types.
///
/// A key that no type asks for is an error, as are a key given twice and a value of the wrong type; so a config type
/// needs nothing but its properties, and what it does not know cannot be silently ignored.
public enum ConfigFile {
    /// Bytes; a file past it is refused.
    public static let maximumLength = 16 << 20

    /// Reads a file. Blocks on the disk.
    public static func load<T: Decodable & Sendable>(_ type: T.Type, from path: String) throws(ConfigError) -> T {
        let bytes = try read(path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigError(file: path, message: "is not UTF-8 text")
        }
        return try parse(type, text: text, name: path)
    }

    /// Reads a text; `name` is what errors call it. `${NAME}` and `${NAME:-default}` in its texts stand for what the
    /// environment says.
    public static func parse<T: Decodable & Sendable>(
        _ type: T.Type, text: String, name: String,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigError) -> T {
        var parser = JSON5Parser(text)
        let document: Node
        do {
            document = try parser.document()
        } catch {
            throw ConfigError(file: name, line: error.line, column: error.column, message: error.message)
        }
        let root: Node
        do {
            root = try document.expanded(from: environment)
        } catch {
            throw ConfigError(
                file: name, line: error.line,
                message: "the environment has no ${\(error.name)}: set it, or give a default: ${\(error.name):-...}")
        }
        do {
            return try NodeDecoder(root, file: name, path: []).value(type)
        } catch let error as ConfigError {
            throw error
        } catch {
            // Only a type that throws errors of its own kind gets here.
            throw ConfigError(file: name, line: root.line, message: "\(error)")
        }
    }

    private static func read(_ path: String) throws(ConfigError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason =
                errno == ENOENT ? "there is no such file" : "cannot be read: \(String(cString: strerror(errno)))"
            throw ConfigError(file: path, message: reason)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Foundation.read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw ConfigError(file: path, message: "cannot be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= maximumLength else {
                throw ConfigError(file: path, message: "is longer than \(maximumLength) bytes")
            }
        }
    }
}
