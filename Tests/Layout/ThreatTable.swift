import Foundation

/// The tests that `Tests/THREATS.md` names: `TARGET/SUITE/test`, between backquotes.
struct ThreatTable {
    private struct Name: Hashable {
        var target: Substring
        var suite: Substring
        var test: Substring
    }

    private let names: Set<Name>

    var count: Int { names.count }

    init(markdown: String) {
        let words = markdown.split(separator: "`", omittingEmptySubsequences: false).enumerated()
        names = Set(
            words.compactMap { place, word in
                let parts = word.split(separator: "/", omittingEmptySubsequences: false)
                guard place % 2 == 1, parts.count == 3,
                    parts.allSatisfy({ $0.allSatisfy { $0.isLetter || $0.isNumber } && !$0.isEmpty })
                else { return nil }
                return Name(target: parts[0], suite: parts[1], test: parts[2])
            })
    }

    /// A line for each test that is not there.
    func problems(tests folder: String) throws -> [String] {
        var texts: [Substring: [String]] = [:]
        return try names.compactMap { name in
            if texts[name.target] == nil { texts[name.target] = try Self.sources(of: "\(folder)/\(name.target)") }
            let isThere = texts[name.target]?.contains { text in
                let hasSuite = ["struct", "class", "actor"].contains {
                    text.contains("\($0) \(name.suite) ") || text.contains("\($0) \(name.suite):")
                }
                return hasSuite && text.contains("func \(name.test)(")
            }
            return isThere == true
                ? nil : "\(folder)/THREATS.md: there is no test \(name.target)/\(name.suite)/\(name.test)"
        }.sorted()
    }

    private static func sources(of folder: String) throws -> [String] {
        let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return try files.filter { $0.hasSuffix(".swift") }.map {
            try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)
        }
    }
}
