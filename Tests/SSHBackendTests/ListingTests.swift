import Foundation
import HaulModel
import HaulProtocol
import Testing

/// LIST against OpenSSH's server.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ListingTests {
    @Test func aLargeDirectoryComesWholeAndInOnePiece() async throws {
        try await Bench.with { bench in
            try bench.makeDirectory("big/sub/empty")
            for index in 0..<5_000 {
                _ = FileManager.default.createFile(atPath: bench.root + "/big/f\(index)", contents: nil)
            }
            try bench.write("big/sub/last", "x")
            let (result, outcome) = try await bench.one(bench.batch(.list), "~/big/")
            #expect(result.isOK, "\(result)")
            let names = outcome.entries.filter { $0.directory == "~/big" }.flatMap(\.entries).map(\.name)
            #expect(names.count == 5_001)
            #expect(Set(names) == Set((0..<5_000).map { "f\($0)" } + ["sub"]))
            #expect(outcome.entries.allSatisfy { $0.entries.count <= 1_000 })
            var order: [String] = []
            for (directory, _) in outcome.entries where order.last != directory { order.append(directory) }
            #expect(order == ["~/big", "~/big/sub", "~/big/sub/empty"])
            #expect(outcome.entries.last?.entries.isEmpty == true)
        }
    }

    @Test func entriesTellSizeModeAndTime() async throws {
        try await Bench.with { bench in
            try bench.write("d/file", "12345")
            chmod(bench.root + "/d/file", 0o640)
            try bench.setModified("d/file", 1_234_567_890)
            let (_, outcome) = try await bench.one(bench.batch(.list), "d")
            let expected = ListingEntry(name: "file", size: 5, mode: 0o100640, modified: 1_234_567_890)
            #expect(outcome.entries.map(\.entries) == [[expected]])
            let (_, single) = try await bench.one(bench.batch(.list), "~/d/file")
            #expect(single.entries.map(\.directory) == ["~/d"])
            #expect(single.entries.map(\.entries) == [[expected]])
            #expect(try await bench.one(bench.batch(.list), "none").result.errorClass == .notFound)
            let (_, flat) = try await bench.one(bench.batch(.list, ["depth": 0]), "d")
            #expect(flat.entries.flatMap(\.entries).map(\.displayName) == ["d/"])
        }
    }

    @Test func aNameThatNoJobCanNameFailsTheListing() async throws {
        try await Bench.with { bench in
            let long = String(repeating: "é", count: 127) + "x"
            try bench.write("d/" + long, "x")
            #expect(
                try await bench.one(bench.batch(.list), "d").outcome.entries.flatMap(\.entries).map(\.name) == [long])
            let raw: [CChar] = Array((bench.root + "/d/").utf8CString.dropLast()) + [CChar(bitPattern: 0xe9), 0x61, 0]
            let descriptor = open(raw, O_CREAT | O_WRONLY, 0o600)
            #expect(descriptor >= 0)
            close(descriptor)
            let (latin, _) = try await bench.one(bench.batch(.list), "d")
            #expect(latin.errorClass == .invalid)
            #expect(latin.reason?.contains(#"d holds the name "\xe9a", which is not UTF-8"#) == true, "\(latin)")
            try bench.write("e/sub/new\nline", "x")
            let (line, _) = try await bench.one(bench.batch(.list), "e")
            #expect(line.errorClass == .invalid)
            #expect(line.reason?.contains(#"e/sub holds the name "new\x0aline""#) == true, "\(line)")
        }
    }

    /// What is asked for ahead changes neither the order nor which lines stand together.
    @Test func aTreeComesInOneOrder() async throws {
        try await Bench.with { bench in
            for top in 0..<12 {
                for sub in 0..<12 {
                    for file in 0..<3 { try bench.write("t/\(top)/\(sub)/x/f\(file)", "") }
                }
            }
            let (result, outcome) = try await bench.one(bench.batch(.list), "t")
            #expect(result.isOK, "\(result)")
            let entries = outcome.entries.flatMap(\.entries)
            #expect(entries.count == 732)
            let order = outcome.entries.map(\.directory)
            #expect(Set(order).count == order.count)
            #expect(order.count == 301)
            for (index, directory) in order.enumerated() where index > 0 {
                #expect(order[..<index].contains(ListingPath.parent(directory).directory))
            }
            let (_, again) = try await bench.one(bench.batch(.list), "t")
            #expect(again.entries.map(\.directory) == order)
        }
    }

    @Test func linksAndLoops() async throws {
        try await Bench.with { bench in
            try bench.write("d/sub/file", "x")
            try bench.link("d/nowhere", to: "missing")
            try bench.link("d/there", to: "sub")
            func kinds(_ symlinks: String) async throws -> [String: ListingEntry.Kind] {
                let (result, outcome) = try await bench.one(bench.batch(.list, ["symlinks": .string(symlinks)]), "d")
                #expect(result.isOK, "\(result)")
                return Dictionary(
                    outcome.entries.flatMap { chunk in chunk.entries.map { (chunk.directory + "/" + $0.name, $0.kind) }
                    }
                ) { $1 }
            }
            let plain: [String: ListingEntry.Kind] = [
                "d/nowhere": .link, "d/there": .link, "d/sub": .directory, "d/sub/file": .file,
            ]
            #expect(try await kinds("fail") == plain)
            #expect(try await kinds("skip") == plain)
            let followed = plain.merging(["d/there": .directory, "d/there/file": .file]) { $1 }
            #expect(try await kinds("follow") == followed)
            try bench.link("d/sub/up", to: "..")
            let (loop, _) = try await bench.one(bench.batch(.list, ["symlinks": "follow"]), "d")
            #expect(loop.errorClass == .invalid)
            #expect(loop.reason?.contains("/up") == true, "\(loop)")
        }
    }
}
