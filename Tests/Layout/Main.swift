import Foundation

/// `haul-layout PACKAGE.json README.md GROUP...`, run in the repository: holds README's table of targets against the
/// package's description and the `import` lines of the sources, and the groups of tests that `make test` runs (each a
/// target, or several as `A|B`) against its test targets; the tests that `Tests/THREATS.md` names; and that no dialect uses
/// another's types. Part of `make lint`.
@main struct HaulLayout {
    /// Folders at the top; a new one needs a reason.
    static let folders: Set<String> = ["config", "protocols", "Sources", "Tests"]

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 2 else {
            complain(["usage: haul-layout PACKAGE.json README.md GROUP..."], code: 2)
        }
        let (package, readme, groups) = (arguments[0], arguments[1], arguments[2...])
        do {
            let description = try JSONDecoder().decode(
                PackageDescription.self, from: Data(contentsOf: URL(fileURLWithPath: package)))
            let text = try String(contentsOfFile: readme, encoding: .utf8)
            let targets = Set(description.targets.map(\.name))
            let table = LayoutTable(markdown: text, targets: targets)
            let checked = description.targets.filter { !$0.isTest }
            var problems = try checked.flatMap { try check($0, table, targets: targets) }
            problems += strangers()
            let tests = description.targets.filter { $0.type == "test" }.map(\.name)
            problems += check(groups: groups.flatMap { $0.split(separator: "|").map(String.init) }, tests: tests)
            let threats = ThreatTable(markdown: try String(contentsOfFile: "Tests/THREATS.md", encoding: .utf8))
            problems += try threats.problems(tests: "Tests")
            let dialects = try Dialects(in: "Sources", below: "Sources/HaulAPI")
            problems += dialects.problems
            guard problems.isEmpty else { complain(problems, code: 1) }
            print(
                "layout: \(checked.count) targets import what README.md allows; `make test` runs all "
                    + "\(tests.count) test targets, with the \(threats.count) that Tests/THREATS.md names; "
                    + "\(dialects.count) APIs use nothing of each other")
        } catch {
            complain(["\(error)"], code: 2)
        }
    }

    private static func check(
        _ target: PackageDescription.Target, _ table: LayoutTable, targets: Set<String>
    ) throws -> [String] {
        let folder = table.folders.first { target.folder.hasPrefix($0.key + "/") }
        guard let allowed = table.allowed[target.name] ?? folder.map({ .some($0.value) }) else {
            return ["\(target.name): README.md's table of targets has no row for it"]
        }
        let declared = Set(target.dependencies.map(\.name))
        var problems: [String] = []
        if let allowed {
            problems += declared.subtracting(allowed).sorted().map {
                "Package.swift: \(target.name) depends on \($0), which README.md's table of targets does not allow"
            }
        }
        for (file, imports) in try imports(in: target.folder) {
            for name in imports.intersection(targets).subtracting([target.name]).sorted() {
                if let allowed, !allowed.contains(name) {
                    problems.append("\(file): \(target.name) must not import \(name) (README.md, table of targets)")
                } else if !declared.contains(name) {
                    problems.append("\(file): imports \(name), which Package.swift does not give to \(target.name)")
                }
            }
        }
        return problems
    }

    /// Each test target once, and no group of none: `swift test` is content with a filter that finds nothing.
    private static func check(groups: [String], tests: [String]) -> [String] {
        tests.compactMap { test in
            let count = groups.count { $0 == test }
            return count == 1 ? nil : "Makefile: TESTS names the test target \(test) \(count) times"
        }
            + Set(groups).subtracting(tests).sorted().map { "Makefile: TESTS names \($0), which is no test target" }
    }

    /// The modules that each Swift file of a folder imports.
    private static func imports(in folder: String) throws -> [(file: String, modules: Set<String>)] {
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            let modules = text.split(separator: "\n").compactMap { line -> String? in
                let words = line.split(separator: " ").prefix { !$0.hasPrefix("//") }
                guard let keyword = words.firstIndex(of: "import"), words[..<keyword].allSatisfy(isModifier),
                    let module = words[(keyword + 1)...].first(where: { !kinds.contains($0) })
                else { return nil }
                return module.split(separator: ".").first.map(String.init)
            }
            return ("\(folder)/\(name)", Set(modules))
        }
    }

    private static func isModifier(_ word: Substring) -> Bool {
        word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }

    private static func strangers() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: ".")) ?? []
        return names.filter { name in
            var isDirectory: ObjCBool = false
            return !name.hasPrefix(".") && !folders.contains(name)
                && FileManager.default.fileExists(atPath: name, isDirectory: &isDirectory) && isDirectory.boolValue
        }.map { "\($0)/: no folder of this repository's layout" }
    }

    private static func complain(_ lines: [String], code: Int32) -> Never {
        for line in lines { FileHandle.standardError.write(Data("layout: \(line)\n".utf8)) }
        exit(code)
    }
}
