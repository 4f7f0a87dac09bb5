import Foundation
import HaulModel
import HaulProtocol
import Testing

@Suite(.serialized) struct ChangeTests {
    @Test(arguments: Kind.allCases) func removes(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, _ in
            try bench.write(bench.a + "/d/f", "x")
            try bench.write(bench.a + "/e/.keep", "x")
            unlink(bench.a + "/e/.keep")
            let batch = bench.batch(.remove, a)
            #expect(try await bench.one(batch, "/d/").result.errorClass == .notEmpty)
            #expect(try await bench.one(batch, "/d").result.errorClass == .invalid)
            #expect(try await bench.one(batch, "/d/f/").result.errorClass == .invalid)
            #expect(bench.read(bench.a + "/d/f") == "x")
            #expect(try await bench.one(batch, "/d/f").result.isOK)
            #expect(try await bench.one(batch, "/d/f").result.errorClass == .notFound)
            #expect(try await bench.one(batch, "/d/f", attempt: 2).result.isOK)
            #expect(try await bench.one(batch, "/d/").result.isOK)
            #expect(try await bench.one(batch, "/e/").result.isOK)
            #expect(try await bench.one(batch, "/").result.isOK == false)
            #expect(bench.names(bench.a) == [])
        }
    }

    @Test(arguments: Kind.allCases) func renames(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, _ in
            try bench.write(bench.a + "/d/f", "x")
            try bench.write(bench.a + "/g", "old")
            let batch = bench.batch(.rename, a)
            #expect(try await bench.one(batch, "/d/f", "/g").result.errorClass == .exists)
            #expect(bench.read(bench.a + "/g") == "old")
            let replacing = bench.batch(.rename, a, options: ["overwrite": "always"])
            #expect(try await bench.one(replacing, "/d/f", "/g").result.isOK)
            #expect(bench.read(bench.a + "/g") == "x")
            #expect(try await bench.one(batch, "/d/f", "/g").result.errorClass == .notFound)
            #expect(try await bench.one(batch, "/d/f", "/g", attempt: 2).result.isOK)
            #expect(try await bench.one(batch, "/g", "/new/deep/h").result.isOK)
            #expect(bench.read(bench.a + "/new/deep/h") == "x")
            // A directory, with what is in it.
            #expect(try await bench.one(batch, "/new", "/moved").result.reason == nil)
            #expect(bench.read(bench.a + "/moved/deep/h") == "x")
            // A directory in the way is never replaced: a server would take all that is in it.
            try bench.write(bench.a + "/loose", "y")
            #expect(try await bench.one(replacing, "/loose", "/moved").result.errorClass == .exists)
            #expect(try await bench.one(batch, "/moved", "/moved/inside").result.errorClass == .invalid)
            #expect(bench.read(bench.a + "/moved/deep/h") == "x")
            let flat = bench.batch(.rename, a, options: ["parents": false])
            #expect(try await bench.one(flat, "/loose", "/not/there").result.errorClass == .notFound)
        }
    }

    @Test(arguments: Kind.allCases) func makesDirectories(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, _ in
            try bench.write(bench.a + "/f", "x")
            let batch = bench.batch(.mkdir, a)
            let flat = bench.batch(.mkdir, a, options: ["parents": false])
            // All at once below parents that none of them has yet.
            let elements = (0..<40).map { ElementSpec(id: "\($0)", source: "/p/q r/\($0 % 8)/\($0)") }
            let outcome = try await bench.run(batch, elements)
            #expect(outcome.results.values.filter { !$0.isOK }.isEmpty)
            #expect(bench.names(bench.a + "/p/q r").count == 8)
            #expect(try await bench.one(batch, "/p").result.isOK)
            #expect(try await bench.one(flat, "/p").result.errorClass == .exists)
            #expect(try await bench.one(flat, "/p", attempt: 2).result.isOK)
            #expect(try await bench.one(flat, "/no/way").result.errorClass == .notFound)
            #expect(try await bench.one(batch, "/f").result.errorClass == .exists)
            #expect(try await bench.one(batch, "/f/below").result.errorClass == .exists)
        }
    }

    @Test(arguments: Kind.allCases) func lists(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, _ in
            try bench.write(bench.a + "/t/f", "12345")
            try bench.write(bench.a + "/t/s u/g%", "1")
            try bench.write(bench.a + "/t/empty/x", "")
            unlink(bench.a + "/t/empty/x")
            for index in 0..<1_500 { try bench.write(bench.a + "/t/many/\(index)", "") }
            let batch = bench.batch(.list, a)
            let (result, outcome) = try await bench.one(batch, "/t/")
            #expect(result.reason == nil)
            let paths = outcome.paths
            #expect(paths["/t/f"] == 5 && paths["/t/s u/g%"] == 1 && paths["/t/empty/"] != nil)
            #expect(paths.count == 4 + 1 + 1_500)
            #expect(outcome.entries.map(\.entries.count).max() ?? 0 <= 1_000)
            #expect(outcome.entries.contains { $0.directory == "/t/empty" && $0.entries.isEmpty })
            #expect(outcome.entries.first?.directory == "/t")
            let time = outcome.entries.flatMap(\.entries).first { $0.name == "f" }?.modified ?? 0
            #expect(abs(Date().timeIntervalSince1970 - Double(time)) < 600)

            let home = try await bench.one(batch, "~/t/f").outcome.entries
            #expect(home.map(\.directory) == ["~/t"] && home[0].entries.map(\.name) == ["f"])
            let depth = { (depth: Int, path: String) in
                try await bench.one(bench.batch(.list, a, options: ["depth": .int(depth)]), path).outcome
            }
            #expect(try await depth(0, "/t").paths.keys.sorted() == ["//t/"])
            #expect(try await depth(1, "t").paths.keys.sorted() == ["t/empty/", "t/f", "t/many/", "t/s u/"])
            #expect(try await depth(2, "t").paths.count == 4 + 1 + 1_500)
            #expect(try await bench.one(batch, "/none").result.errorClass == .notFound)
            #expect(try await bench.one(batch, "/").outcome.paths.keys.contains("//t/"))
        }
    }
}
