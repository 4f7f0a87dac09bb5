import Foundation
import HaulModel

/// Names that break what was built from strings.
enum CheckNames {
    static let names = [
        "with space", " leading", "trailing ", "quote\"double", "quote'single", "-rf", "--help", "back\\slash", "%41",
        "100%", "#hash", "what?", "star*", "[glob]", "{a,b}", "$HOME", "`id`", "semi;colon", "amp&and", "pipe|", "<in>",
        "tilde~", "~", "...", ".hidden", "a:b", "a=b", "a+b", "@at", "!bang", "comma,", "\u{e9}nfc", "e\u{301}nfd",
        "日本語", "🚚 haul", "\u{202e}rtl", "tab\there", "new\nline", "cr\r\nlf", String(repeating: "x", count: 255),
    ]

    static func run(_ site: CheckSite) async throws {
        var wrong: [String] = []
        for (index, name) in names.enumerated() {
            do {
                try await check(site, name, in: "names/\(index)")
            } catch let error as NotApplicable {
                throw error
            } catch {
                wrong.append("\(name.debugDescription.prefix(40)): \(error)")
            }
        }
        if !wrong.isEmpty { throw CheckFailure("\(wrong.count) names: " + wrong.prefix(5).joined(separator: "; ")) }
    }

    private static func check(_ site: CheckSite, _ name: String, in folder: String) async throws {
        let content = Array(name.utf8)
        try Data(content).write(to: URL(fileURLWithPath: site.local("source")))
        let first = try await site.one(.put, site.local("source"), site.path("\(folder)/\(name)"))
        // A protocol may refuse what it cannot name; what it may not do is to hit another file.
        let isControlled = name.unicodeScalars.contains { $0.value < 32 }
        if first.result.errorClass == .invalid, isControlled || name.utf8.count > 200 { return }
        guard first.result.isOK else { throw CheckFailure("put: \(first.result.reason ?? "")") }
        if isControlled {
            // No job can name it: told with the listing, neither left out nor shown as another.
            try await failsToList(site, folder, EntryName.escaped(name.utf8))
        } else {
            let listed = try await site.ok(.list, site.path(folder)).chunks.flatMap(\.entries).map(\.name)
            guard listed.count == 1, listed[0].utf8.elementsEqual(name.utf8) else {
                throw CheckFailure("it is listed as \(listed)")
            }
        }
        try await CheckCopies.expect(site, "\(folder)/\(name)", content)
        var last = name
        if site.target.discovered.manifest.operations[.copy] != nil {
            try await site.ok(.copy, site.path("\(folder)/\(name)"), site.path("\(folder)/sub/\(name)"))
            try await CheckCopies.expect(site, "\(folder)/sub/\(name)", content)
            try await site.ok(.remove, site.path("\(folder)/\(name)"))
            last = "sub/\(name)"
        }
        if site.target.discovered.manifest.operations[.rename] != nil {
            try await site.ok(.rename, site.path("\(folder)/\(last)"), site.path("\(folder)/renamed"))
            try await site.ok(.rename, site.path("\(folder)/renamed"), site.path("\(folder)/\(name)"))
            last = name
        }
        try await site.ok(.remove, site.path("\(folder)/\(last)"))
        let left = try await site.tree(site.path(folder)).filter { $0.value.kind != .directory }
        if !left.isEmpty { throw CheckFailure("\(left.keys) stays after its removal") }
    }

    /// A name that JSON cannot carry, made beside the protocol.
    static func notText(_ site: CheckSite) async throws {
        guard let disk = site.target.disk else {
            throw NotApplicable(reason: "the site's disk is not this machine's, so no such name can be made there")
        }
        try await CheckCopies.put(site, Array("x".utf8), "latin/before")
        let folder = disk + site.path("latin").dropFirst(site.target.base.count)
        let raw = (Array((folder + "/caf").utf8) + [0xe9] + Array(".txt".utf8) + [0]).map { CChar(bitPattern: $0) }
        let (made, code) = (rename(folder + "/before", raw), errno)
        // EILSEQ: this file system has only UTF-8.
        if made != 0, code == EILSEQ { throw NotApplicable(reason: "the file system takes only names in UTF-8") }
        guard made == 0 else { throw CheckFailure("cannot make the name: \(String(cString: strerror(code)))") }
        defer { unlink(raw) }
        try await failsToList(site, "latin", #"caf\xe9.txt"#)
        let answer = try await site.one(.remove, site.path("latin") + "/")
        if answer.result.errorClass != .notEmpty { throw CheckFailure("a directory with that name is not not_empty") }
    }

    private static func failsToList(_ site: CheckSite, _ folder: String, _ shown: String) async throws {
        let answer = try await site.one(.list, site.path(folder))
        guard answer.result.errorClass == .invalid else {
            let listed = answer.chunks.flatMap(\.entries).map(\.name)
            throw CheckFailure("the listing is \(answer.result.errorClass?.rawValue ?? "ok: \(listed)"), not invalid")
        }
        guard let reason = answer.result.reason, reason.contains(shown), reason.contains(site.path(folder)) else {
            throw CheckFailure("the listing's reason does not show \(shown): \(answer.result.reason ?? "")")
        }
    }
}
