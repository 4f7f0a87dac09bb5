import Foundation
import HaulModel

/// Names that break what was built from strings.
enum CheckNames {
    static let names = [
        "with space", " leading", "trailing ", "quote\"double", "quote'single", "-rf", "--help", "back\\slash", "%41",
        "100%", "#hash", "what?", "star*", "[glob]", "{a,b}", "$HOME", "$(touch x)", "`id`", "semi;colon", "amp&and",
        "pipe|", "<in>",
        "tilde~", "~", "...", ".hidden", "a:b", "a=b", "a+b", "@at", "!bang", "comma,", "\u{e9}nfc", "e\u{301}nfd",
        "日本語", "🚚 haul", "\u{202e}rtl", "tab\there", "new\nline", "cr\r\nlf", String(repeating: "x", count: 255),
    ]

    /// One of the names, in a directory of its own.
    private struct Trial: Sendable {
        let id: String
        let name: String

        var folder: String { "names/\(id)" }
        var content: Data { Data(name.utf8) }
        var isControlled: Bool { name.unicodeScalars.contains { $0.value < 32 } }
    }

    /// Each operation on all names at once; one that went wrong with one takes no part any more.
    static func run(_ site: CheckSite) async throws {
        var trials = names.enumerated().map { Trial(id: "\($0.offset)", name: $0.element) }
        var wrong: [(Trial, String)] = []
        func each(
            _ operation: ProtocolOperation, _ source: (Trial) -> String, _ destination: ((Trial) -> String)? = nil,
            judge: (Trial, CheckSite.Answer) -> String? = { $1.result.isOK ? nil : $1.result.reason ?? "" }
        ) async throws {
            let elements = trials.map {
                ElementSpec(id: $0.id, source: source($0), destination: destination?($0), partSeed: "names.\($0.id)")
            }
            let answers = try await site.run(operation, elements)
            for (trial, answer) in zip(trials, answers) {
                guard let why = judge(trial, answer) else { continue }
                wrong.append((trial, "\(operation.rawValue): \(why)"))
            }
            trials.removeAll { trial in wrong.contains { $0.0.id == trial.id } }
        }
        func comesBack(_ name: (Trial) -> String) async throws {
            let back: (Trial) -> String = { site.local("name-back-\($0.id)") }
            let all = trials
            try await each(.get, { site.path(name($0)) }, back) { trial, answer in
                guard answer.result.isOK else { return answer.result.reason ?? "" }
                let isSame = FileManager.default.contents(atPath: back(trial)) == trial.content
                return isSame ? nil : "it holds something else"
            }
            for trial in all { unlink(back(trial)) }
        }
        let here: (Trial) -> String = { site.local("name-\($0.id)") }
        for trial in trials { try trial.content.write(to: URL(fileURLWithPath: here(trial))) }
        defer { for index in names.indices { unlink(site.local("name-\(index)")) } }

        // A protocol may refuse what it cannot name; what it may not do is to hit another file.
        var refused: [String] = []
        try await each(.put, here, { site.path("\($0.folder)/\($0.name)") }) { trial, answer in
            if answer.result.errorClass == .invalid, trial.isControlled || trial.name.utf8.count > 200 {
                refused.append(trial.id)
                return nil
            }
            return answer.result.isOK ? nil : answer.result.reason ?? ""
        }
        trials.removeAll { refused.contains($0.id) }
        try await each(.list, { site.path($0.folder) }, judge: { listed(site, $0, $1) })
        try await comesBack { "\($0.folder)/\($0.name)" }
        var last: (Trial) -> String = { "\($0.folder)/\($0.name)" }
        let operations = site.target.discovered.manifest.operations
        if operations[.copy] != nil {
            let copied: (Trial) -> String = { "\($0.folder)/sub/\($0.name)" }
            try await each(.copy, { site.path(last($0)) }, { site.path(copied($0)) })
            try await comesBack(copied)
            try await each(.remove, { site.path(last($0)) })
            last = copied
        }
        if operations[.rename] != nil {
            let renamed: (Trial) -> String = { "\($0.folder)/renamed" }
            try await each(.rename, { site.path(last($0)) }, { site.path(renamed($0)) })
            try await each(.rename, { site.path(renamed($0)) }, { site.path("\($0.folder)/\($0.name)") })
            last = { "\($0.folder)/\($0.name)" }
        }
        try await each(.remove, { site.path(last($0)) })
        try await each(
            .list, { site.path($0.folder) },
            judge: { _, answer in
                let left = answer.chunks.flatMap(\.entries).filter { $0.kind != .directory }.map(\.name)
                return !answer.result.isOK ? answer.result.reason ?? "" : left.isEmpty ? nil : "\(left) stays"
            })
        if wrong.isEmpty { return }
        let told = wrong.sorted { Int($0.0.id) ?? 0 < Int($1.0.id) ?? 0 }.map {
            "\($0.0.name.debugDescription.prefix(40)): \($0.1)"
        }
        throw CheckFailure("\(wrong.count) names: " + told.prefix(5).joined(separator: "; "))
    }

    /// Why the listing of a name's directory is wrong; nil where it is well.
    private static func listed(_ site: CheckSite, _ trial: Trial, _ answer: CheckSite.Answer) -> String? {
        if trial.isControlled {
            // No job can name it: told with the listing, neither left out nor shown as another.
            return unlistable(site, answer, trial.folder, EntryName.escaped(trial.name.utf8))
        }
        let listed = answer.chunks.flatMap(\.entries).map(\.name)
        let isRight = answer.result.isOK && listed.count == 1 && listed[0].utf8.elementsEqual(trial.name.utf8)
        return isRight ? nil : answer.result.reason ?? "it is listed as \(listed)"
    }

    /// A path with `..` in it is refused, or means what it means to a file system: nothing else is read, written or removed.
    static func dots(_ site: CheckSite) async throws {
        try site.declares(.get)
        try await CheckCopies.put(site, Array("kept".utf8), "dots/kept")
        try await CheckCopies.put(site, Array("inner".utf8), "dots/sub/inner")
        let (new, back) = (site.local("dots-new"), site.local("dots-back"))
        defer { for file in [new, back] { unlink(file) } }
        try Data("new".utf8).write(to: URL(fileURLWithPath: new))
        let answers: [(what: String, result: ElementResult)] = [
            ("get", try await site.one(.get, site.path("dots/sub/../kept"), back).result),
            ("put", try await site.one(.put, new, site.path("dots/sub/../new")).result),
            ("remove", try await site.one(.remove, site.path("dots/sub/../sub/inner")).result),
            ("remove of ..", try await site.one(.remove, site.path("dots/sub/..")).result),
        ]
        for (what, result) in answers where ![nil, .invalid, .permission].contains(result.errorClass) {
            throw CheckFailure("\(what): \(result.errorClass?.rawValue ?? "") (\(result.reason ?? "")), not invalid")
        }
        if answers[3].result.isOK { throw CheckFailure("a directory that is not empty was removed by the name ..") }
        if answers[0].result.isOK, FileManager.default.contents(atPath: back) != Data("kept".utf8) {
            throw CheckFailure("dots/sub/../kept is another file than dots/kept")
        }
        var expected: Set = ["\(site.path("dots"))/kept"]
        if answers[1].result.isOK { expected.insert("\(site.path("dots"))/new") }
        if !answers[2].result.isOK { expected.insert("\(site.path("dots"))/sub/inner") }
        let left = try await site.ok(.list, site.path("dots")).chunks.flatMap { chunk in
            chunk.entries.filter { $0.kind != .directory }.map { ListingPath.child(chunk.directory, $0.name) }
        }
        if Set(left) != expected { throw CheckFailure("there are \(left.sorted()), not \(expected.sorted())") }
    }

    /// A name that JSON cannot carry, made beside the protocol.
    static func notText(_ site: CheckSite) async throws {
        guard let folder = site.onDisk(site.path("latin")) else {
            throw NotApplicable(reason: "the site's disk is not this machine's, so no such name can be made there")
        }
        try await CheckCopies.put(site, Array("x".utf8), "latin/before")
        let raw = (Array((folder + "/caf").utf8) + [0xe9] + Array(".txt".utf8) + [0]).map { CChar(bitPattern: $0) }
        let (made, code) = (rename(folder + "/before", raw), errno)
        // EILSEQ: this file system has only UTF-8.
        if made != 0, code == EILSEQ { throw NotApplicable(reason: "the file system takes only names in UTF-8") }
        guard made == 0 else { throw CheckFailure("cannot make the name: \(String(cString: strerror(code)))") }
        defer { unlink(raw) }
        let listing = try await site.one(.list, site.path("latin"))
        if let why = unlistable(site, listing, "latin", #"caf\xe9.txt"#) { throw CheckFailure(why) }
        let answer = try await site.one(.remove, site.path("latin") + "/")
        if answer.result.errorClass != .notEmpty { throw CheckFailure("a directory with that name is not not_empty") }
    }

    private static func unlistable(
        _ site: CheckSite, _ answer: CheckSite.Answer, _ folder: String, _ shown: String
    ) -> String? {
        guard answer.result.errorClass == .invalid else {
            let listed = answer.chunks.flatMap(\.entries).map(\.name)
            return "the listing is \(answer.result.errorClass?.rawValue ?? "ok: \(listed)"), not invalid"
        }
        guard let reason = answer.result.reason, reason.contains(shown), reason.contains(site.path(folder)) else {
            return "the listing's reason does not show \(shown): \(answer.result.reason ?? "")"
        }
        return nil
    }
}
