import Foundation
import HaulCrypto
import HaulModel
import HaulProtocol
import Support
import Testing

@Suite(.serialized, .timeLimit(.minutes(15))) struct NameTests {
    static let names = [
        "a b", " lead", "trail ", "\u{fc}", "u\u{308}", "q\"'x", "back\\slash", "p%41c", "100%", "h#x", "q?x", "s;x",
        "-rf", "--help", "new\nline", "cr\rx", "tab\tx", "bell\u{7}x", "del\u{7f}x", "c1\u{85}x",
        String(repeating: "x", count: 255), "a&b<c>", "a&amp;b", "]]>", "+plus", "a+b c", "%2B", "~t", "{x}[1-3]",
        "${HOME}$(id)`id`", "@f", "...", ".hidden", "a=b&c=d", "a:b,c", "日本語", "🚚", "\u{202e}rtl", "\u{feff}bom",
        "uploads", "?uploads", "empty",
    ]
    static func holdsControl(_ name: String) -> Bool {
        name.unicodeScalars.contains { $0.value < 32 || (127...159).contains($0.value) }
    }

    /// There, within the server, back, renamed, removed: each is that object and no other.
    @Test(arguments: [["prefix": "pre fix/+"], ["addressing": "virtual-host"]] as [[String: JSONValue]])
    func hostileNames(_ options: [String: JSONValue]) async throws {
        try await Bench.with { bench in
            let endpoint = options["addressing"] == nil ? nil : "localhost:\(bench.service.port)"
            let site = bench.site(options, endpoint: endpoint)
            let prefix = options["prefix"] == nil ? "" : "pre fix/+/"
            func all(_ operation: ProtocolOperation, _ paths: (Int, String) -> (String, String?)) async throws {
                let elements = Self.names.enumerated().map { index, name in
                    let (source, destination) = paths(index, name)
                    return ElementSpec(id: "\(index)", source: source, destination: destination)
                }
                let outcome = try await bench.run(operation, elements, site: site)
                for (index, name) in Self.names.enumerated() {
                    let result = outcome.results["\(index)"]
                    #expect(
                        result?.isOK == true, "\(operation) \(name.debugDescription): \(String(describing: result))")
                }
            }
            for (index, name) in Self.names.enumerated() {
                _ = try bench.write("\(index)", name == "empty" ? "" : "content of \(name)")
            }
            try await all(.put) { (bench.local("\($0)"), "/d/er/" + $1) }
            let stored = try await bench.service.keys()
            #expect(Set(stored) == Set(Self.names.map { Array("\(prefix)d/er/\($0)".utf8) }))
            try await all(.copy) { ("~/d/er/" + $1, "e/" + $1) }
            try await all(.get) { ("/e/" + $1, bench.local("back\($0)")) }
            for (index, name) in Self.names.enumerated() {
                #expect(bench.read("back\(index)") == bench.read("\(index)"), "\(name.debugDescription)")
            }
            try await all(.rename) { ("/e/" + $1, "/r/" + $1) }
            // What no job can name fails a listing; with the others it is exact.
            let refused = try await bench.one(.list, "/d", site: site)
            #expect(
                refused.result.errorClass == .invalid && refused.result.reason?.contains("/d/er holds the name") == true
            )
            let elements = Self.names.enumerated().map {
                ElementSpec(id: "\($0.offset)", source: "/r/" + $0.element)
            }.filter { Self.holdsControl($0.source) }
            _ = try await bench.run(.remove, elements, site: site)
            let listed = try await bench.one(.list, "/r", site: site)
            let shown = listed.entries.flatMap { $0.entries.map { Array($0.name.utf8) } }
            let expected = Self.names.filter { !Self.holdsControl($0) }.map { Array($0.utf8) }
            #expect(Set(shown) == Set(expected) && shown.count == expected.count, "\(listed)")
            // The removal by itself, name for name.
            try await all(.remove) { ("/d/er/" + $1, nil) }
            #expect(try await bench.keys().filter { $0.hasPrefix(prefix + "d/") } == [prefix + "d/er/"])
        }
    }

    /// Keys that no path of a job means: told, never shown as something else, never left out.
    @Test(arguments: [
        ("t//x", ""), ("t/./x", "."), ("t/../x", ".."), ("t/line\nend", "line\\x0aend"), ("t/bell\u{7}", "bell\\x07"),
        ("/lead", ""), ("t/sub//", ""),
    ]) func unspeakableKeys(_ key: String, _ shown: String) async throws {
        try await Bench.with { bench in
            try await bench.service.put("t/fine", "x")
            try await bench.service.put(key, "x")
            let listed = try await bench.one(.list, "/")
            #expect(listed.result.errorClass == .invalid, "\(listed)")
            #expect(listed.result.reason?.contains("holds the name \"\(shown)\"") == true, "\(listed.result)")
            // And its directory is not empty.
            if key.hasPrefix("t/") {
                _ = try await bench.one(.remove, "/t/fine")
                let removed = try await bench.one(.remove, "/t/")
                #expect(removed.result.errorClass == .notEmpty, "\(removed)")
            }
            #expect(try await bench.keys().contains(key))
        }
    }

    /// A directory's marker that holds something is nobody's file: not to be lost behind a directory.
    @Test func aMarkerWithContent() async throws {
        try await Bench.with { bench in
            try await bench.service.put("d/", "precious")
            let listed = try await bench.one(.list, "/d")
            #expect(
                listed.result.errorClass == .invalid && listed.result.reason?.contains("8 bytes") == true, "\(listed)")
            #expect(try await bench.one(.remove, "/d/").result.errorClass == .invalid)
            #expect(try await bench.keys() == ["d/"])
        }
    }
}
