import Foundation

/// The dialects, a folder of HaulAPI each (the one with a `NAMEAPI.swift`): none uses what another one declares.
struct Dialects {
    /// Types of each dialect that its other files can see, by the dialect's name.
    private let types: [String: Set<String>]
    /// Words of each file's code, by the dialect's name.
    private let words: [String: [(file: String, words: Set<String>)]]

    var count: Int { types.count }

    init(in folder: String) throws {
        var types: [String: Set<String>] = [:]
        var words: [String: [(file: String, words: Set<String>)]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            guard FileManager.default.fileExists(atPath: "\(folder)/\(name)/\(name)API.swift") else { continue }
            let files = FileManager.default.enumerator(atPath: "\(folder)/\(name)")?.compactMap { $0 as? String } ?? []
            for file in files.sorted() where file.hasSuffix(".swift") {
                let text = try String(contentsOfFile: "\(folder)/\(name)/\(file)", encoding: .utf8)
                let code = text.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("//") }
                types[name, default: []].formUnion(code.compactMap(Self.declared))
                words[name, default: []].append(("\(folder)/\(name)/\(file)", Set(code.flatMap(Self.words))))
            }
        }
        (self.types, self.words) = (types, words)
    }

    /// A line for each use of another dialect's type.
    var problems: [String] {
        guard count > 1 else { return ["there are no dialects where they were looked for"] }
        return words.sorted { $0.key < $1.key }.flatMap { name, files in
            types.filter { $0.key != name }.sorted { $0.key < $1.key }.flatMap { other, types in
                files.flatMap { file in
                    file.words.intersection(types).subtracting(self.types[name, default: []]).sorted().map {
                        "\(file.file): \(name) must not use \($0), which is \(other)'s"
                    }
                }
            }
        }
    }

    /// The type that a line at the top of a file declares, unless the file keeps it to itself.
    private static func declared(_ line: Substring) -> String? {
        let parts = line.split(separator: " ")
        let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        guard line.first != " ", let kind = parts.firstIndex(where: kinds.contains), kind + 1 < parts.count,
            !parts[..<kind].contains(where: { $0 == "private" || $0 == "fileprivate" })
        else { return nil }
        return Self.words(parts[kind + 1]).first
    }

    private static func words(_ line: Substring) -> [String] {
        line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
    }
}
