import Foundation

/// The dialects, a folder of HaulAPI each (the one with a `NAMEAPI.swift`): none uses what another one alone declares, be
/// it a type or what it adds to a type of everybody's.
struct Dialects {
    private struct File {
        var path: String
        /// Words of its code, and those with a dot between them (`Problem.noUser`).
        var words: Set<String>
        /// What it declares, wherever.
        var declared: Set<String>
        /// What other files can see of that: types, and members that it adds to types, each with the type.
        var types: Set<String>
        var added: [(type: String, member: String)]
    }

    /// Files of each dialect, by its name.
    private var files: [String: [File]] = [:]
    /// What all others declare.
    private var common: Set<String> = []

    var count: Int { files.count }

    /// - Parameters:
    ///   - sources: the folder of all targets.
    ///   - folder: the dialects' parent among them.
    init(in sources: String, below folder: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            FileManager.default.fileExists(atPath: "\(folder)/\($0)/\($0)API.swift")
        }
        let all = FileManager.default.enumerator(atPath: sources)?.compactMap { $0 as? String } ?? []
        for path in all.filter({ $0.hasSuffix(".swift") }).sorted().map({ "\(sources)/\($0)" }) {
            let file = try Self.read(path)
            if let name = names.first(where: { path.hasPrefix("\(folder)/\($0)/") }) {
                files[name, default: []].append(file)
            } else {
                common.formUnion(file.declared)
                common.formUnion(file.added.map { "\($0.type).\($0.member)" })
            }
        }
    }

    /// A line for each use of what is another dialect's.
    var problems: [String] {
        guard count > 1 else { return ["there are no dialects where they were looked for"] }
        let own = files.mapValues { $0.reduce(into: Set<String>()) { $0.formUnion($1.declared) } }
        return files.sorted { $0.key < $1.key }.flatMap { name, files in
            self.files.filter { $0.key != name }.sorted { $0.key < $1.key }.flatMap { other, others in
                let foreign = Self.given(by: others).subtracting(common).subtracting(own[name, default: []])
                return files.flatMap { file in
                    file.words.intersection(foreign).sorted().map {
                        "\(file.path): \(name) must not use \($0), which is \(other)'s"
                    }
                }
            }
        }
    }

    private static func given(by files: [File]) -> Set<String> {
        let types = files.reduce(into: Set<String>()) { $0.formUnion($1.types) }
        let added = files.flatMap(\.added).filter { !types.contains($0.type) }
        return types.union(added.flatMap { [$0.member, "\($0.type).\($0.member)"] })
    }

    private static func read(_ path: String) throws -> File {
        let code = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").filter {
            !$0.drop { $0 == " " }.hasPrefix("//")
        }
        var file = File(
            path: path, words: Set(code.flatMap { words($0) + dotted($0) }), declared: [], types: [], added: [])
        var extended: String?
        for line in code {
            let indentation = line.prefix { $0 == " " }.count
            if indentation == 0 { extended = Self.extended(line) }
            guard let (names, isPrivate) = declared(line) else { continue }
            file.declared.formUnion(names)
            guard !isPrivate else { continue }
            if indentation == 0 { file.types.formUnion(names) }
            if indentation == 4, let extended { file.added += names.map { (extended, $0) } }
        }
        return file
    }

    /// The type that a line begins to extend for others, too.
    private static func extended(_ line: Substring) -> String? {
        guard !line.contains("private "), line.contains("extension ") else { return nil }
        return words(line).drop { $0 != "extension" }.dropFirst().first
    }

    private static func declared(_ line: Substring) -> (names: [String], isPrivate: Bool)? {
        let parts = line.split(separator: " ")
        let kinds: Set<Substring> = [
            "struct", "class", "enum", "actor", "protocol", "typealias", "func", "var", "let", "case",
        ]
        guard let kind = parts.firstIndex(where: kinds.contains), kind + 1 < parts.count else { return nil }
        let isPrivate = parts[..<kind].contains { $0.contains("private") }
        // `case one, two` declares both.
        let rest = parts[kind] == "case" ? parts[(kind + 1)...] : parts[(kind + 1)...(kind + 1)]
        return (rest.flatMap { words($0).prefix(1) }, isPrivate)
    }

    private static func dotted(_ line: Substring) -> [String] {
        line.split { !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "." }.filter { $0.contains(".") }.map(
            String.init)
    }

    private static func words(_ line: Substring) -> [String] {
        line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
    }
}
