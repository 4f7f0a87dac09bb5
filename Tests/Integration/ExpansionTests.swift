import HaulModel
import Support
import Testing

/// What COPY, REMOVE and RENAME become, over the live server; the rules themselves are HaulModel's and tested there.
@Suite(.server()) struct ExpansionTests {
    private let hostile = [
        "-rf", "a b", "new\nline", "tab\t", "\u{1b}[31m", "ü", "u\u{308}", "日本", "🎈", "'", "\"", "\\", "$(id)", "`id`",
        "...", "..a", "*", "%00", "~", " ", "\u{202e}x", "a\u{301}b", "{\"dir\":1}", String(repeating: "n", count: 255),
    ]

    private func elements(_ person: Person, _ job: Int) async throws -> [JSONValue] {
        try await person.user.get("/jobs/\(job)/elements?listing=none").json.array ?? []
    }

    /// COPY of a tree: an element a file below the destination, a MKDIR an empty directory, hostile names and all.
    @Test func copyOfATree() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.copy("~/s/", "t")
        let files = hostile.map { entry($0, size: 5) }
        let listing: JSONValue = [
            "~/s/": .array(files + [entry("full", isDirectory: true), entry("void", isDirectory: true)]),
            "~/s/full": [entry(".haul-part-0123456789abcdef"), entry("deep", size: 9)], "~/s/void": [],
        ]
        try await worker.finish(try await worker.takeOne(), ["listing": listing])
        try await eventually("expansion") { try await elements(person, id).count == hostile.count + 3 }
        let all = try await elements(person, id).dropFirst()
        #expect(all.compactMap { $0["id"]?.int } == Array(1...hostile.count + 2))
        for (element, name) in zip(all, hostile) {
            #expect(element["src_filepath"]?.string?.utf8.elementsEqual("~/s/\(name)".utf8) == true, "\(name)")
            #expect(element["dst_filepath"]?.string?.utf8.elementsEqual("t/\(name)".utf8) == true)
            #expect(element["size"] == 5 && element["type"] == "COPY" && element["status"] == "NEW")
        }
        let rest = all.suffix(2).map { [$0["type"]?.string, $0["src_filepath"]?.string, $0["dst_filepath"]?.string] }
        #expect(rest == [["COPY", "~/s/full/deep", "t/full/deep"], ["MKDIR", "t/void", nil]])
        let shown = try await person.user.get("/jobs/\(id)/elements/0")
        let names = (shown["listing"]?[0]?["~/s/"]?.array ?? []).compactMap(\.string)
        #expect(zip(names, hostile).allSatisfy { $0.utf8.elementsEqual($1.utf8) })
        try await worker.finish(job: id, of: person.user)
        #expect(try await person.status(id) == "DONE")
        #expect(try await person.user.get("/jobs/\(id)")["num_done"]?.int == hostile.count + 3)
    }

    /// An empty directory is DONE with the directory made; a file goes onto the destination itself.
    @Test func smallCopies() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let empty = try await person.copy("/e", "/f")
        try await worker.finish(try await worker.takeOne(), ["listing": ["/e": []]])
        let mkdir = try await worker.takeOne()
        #expect(mkdir.type == .mkdir && mkdir.source == "/f" && mkdir.destination == nil)
        #expect(try await person.status(empty) == "SUBMITTED")
        try await worker.finish(mkdir)
        #expect(try await person.status(empty) == "DONE")
        _ = try await person.copy("/p/one", "/q/two")
        try await worker.finish(try await worker.takeOne(), ["listing": ["/p": [entry("one", size: 3)]]])
        let file = try await worker.takeOne()
        #expect(file.type == .copy && file.source == "/p/one" && file.destination == "/q/two")
        #expect(file.element["size"] == 3)
    }

    /// REMOVE: files before their directory, deepest first, the top last; a directory only once all below it is DONE.
    @Test func removalOrder() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.remove("/t/")
        let listing: JSONValue = [
            "/t": [entry("a", isDirectory: true), entry("f"), entry("z", isDirectory: true)],
            "/t/a": [entry("b", isDirectory: true), entry("g")], "/t/a/b": [entry("h")], "/t/z": [],
        ]
        try await worker.finish(try await worker.takeOne(), ["listing": listing])
        try await eventually("expansion") { try await elements(person, id).count == 8 }
        let paths = try await elements(person, id).dropFirst().compactMap { $0["src_filepath"]?.string }
        #expect(paths.first == "/t/a/b/h" && paths.last == "/t/")
        #expect(Set(paths) == ["/t/a/b/h", "/t/a/b/", "/t/a/g", "/t/f", "/t/a/", "/t/z/", "/t/"])
        var left = Set(paths)
        let deadline = ContinuousClock.now + .seconds(20)
        while !left.isEmpty, ContinuousClock.now < deadline {
            let held = try await worker.take(100, ["wait": 1])
            for item in held where item.source.hasSuffix("/") {
                let below = left.filter { $0.hasPrefix(item.source) && $0 != item.source }
                #expect(below.isEmpty, "\(item.source) was handed out before \(below)")
            }
            for item in held {
                try await worker.finish(item)
                left.remove(item.source)
            }
        }
        #expect(try await person.status(id) == "DONE")
        #expect(try await person.user.get("/jobs/\(id)")["num_done"] == 8)
    }

    /// A child that failed fails the directories above it without an attempt, class `not_empty`.
    @Test func failedChild() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.remove("/t", ["max_tries": 1])
        let listing: JSONValue = [
            "/t": [entry("a", isDirectory: true), entry("b", isDirectory: true)],
            "/t/a": [entry("c", isDirectory: true)], "/t/a/c": [entry("bad")], "/t/b": [entry("good")],
        ]
        try await worker.finish(try await worker.takeOne(), ["listing": listing])
        try await eventually("the job ends") {
            for held in try await worker.take(100) {
                if held.source.hasSuffix("bad") {
                    try await worker.report(held, 1, ["error_class": "permission"])
                } else {
                    try await worker.finish(held)
                }
            }
            return try await person.status(id) == "FAILED"
        }
        let all = try await elements(person, id)
        let outcomes = all.reduce(into: [:]) { $0[$1["src_filepath"]?.string ?? ""] = $1 }
        for path in ["/t/a/c/", "/t/a/", "/t/"] {
            let element = outcomes[path]
            #expect(element?["error_class"] == "not_empty" && element?["attempts"] == 0, "\(path)")
            #expect(element?["status"] == "FAILED")
        }
        #expect(outcomes["/t/b/"]?["status"] == "DONE" && outcomes["/t/b/good"]?["status"] == "DONE")
        let output = try await person.user.get("/jobs/\(id)/output")
        #expect(output.json.array?.count == 4, "those that were tried: LIST, two files, /t/b/")
    }

    /// REMOVE of a file, and of an empty directory.
    @Test func smallRemovals() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let file = try await person.remove("f")
        try await worker.finish(try await worker.takeOne(), ["listing": ["~": [entry("f")]]])
        let one = try await worker.takeOne()
        #expect(one.source == "f" && one.type == .remove)
        try await worker.finish(one)
        #expect(try await person.status(file) == "DONE")
        let empty = try await person.remove("d")
        try await worker.finish(try await worker.takeOne(), ["listing": ["d": []]])
        let directory = try await worker.takeOne()
        #expect(directory.source == "d/")
        try await worker.finish(directory)
        #expect(try await person.status(empty) == "DONE")
    }

    /// A listing that says nothing at all is that of an empty directory, to a plain LIST.
    @Test func emptyDocument() async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await person.list("/empty")
        try await worker.finish(try await worker.takeOne(), ["listing": [:]])
        #expect(try await person.status(id) == "DONE")
        #expect(try await person.user.get("/jobs/\(id)/elements/0/output")["listing"] == ["/empty": []])
    }

    /// A LIST that fails for good expands nothing; a listing that says nothing at all is none.
    @Test(arguments: ["copy", "remove"])
    func emptyListings(type: String) async throws {
        let person = try await newPerson()
        let worker = try await ActingWorker(person.worker)
        let id = try await type == "copy" ? person.copy("/a", "/b") : person.remove("/a")
        try await worker.finish(try await worker.takeOne(), ["listing": [:]])
        #expect(try await person.status(id) == "FAILED")
        let other = try await type == "copy" ? person.copy("/a", "/b") : person.remove("/a")
        try await worker.report(try await worker.takeOne(), 1, ["error_class": "not_found"])
        #expect(try await person.status(other) == "FAILED")
        #expect(try await elements(person, other).count == 1)
    }
}
