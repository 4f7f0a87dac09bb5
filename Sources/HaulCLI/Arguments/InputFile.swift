import Foundation

/// A file that a verb is given whole; `-` is standard input.
enum InputFile {
    /// - Parameter what: it holds, for the hint.
    static func read(_ path: String, _ what: String) throws(CLIError) -> Data {
        let data = path == "-" ? try? FileHandle.standardInput.readToEnd() : FileManager.default.contents(atPath: path)
        guard let data else { throw .usage("\(path) can't be read", hint: "name the file that holds \(what)") }
        return data
    }
}
