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
            let batch = bench.batch(.remove, a, site: kind == .nginx ? ["unlisted_names": "remove"] : [:])
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

    /// A DELETE takes what is in a directory, whether or not it was listed.
    @Test(arguments: Kind.allCases) func aDirectoryGoesOnlyEmpty(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, _ in
            for name in [".hidden", "d/.hidden", "d/sub/.hidden"] {
                try bench.write(bench.a + "/x/" + name, "precious")
            }
            try bench.write(bench.a + "/empty/f", "")
            unlink(bench.a + "/empty/f")
            let remove = bench.batch(.remove, a)
            let elements = ["/x/d/sub/", "/x/", "/empty/"].map { ElementSpec(id: $0, source: $0) }
            let outcome = try await bench.run(remove, elements)
            let (deep, top) = (outcome.results["/x/d/sub/"], outcome.results["/x/"])
            #expect(deep?.errorClass == (kind == .nginx ? .permission : .notEmpty), "\(deep as Any)")
            #expect(top?.errorClass == .notEmpty, "\(top as Any)")
            if kind == .nginx { #expect(deep?.reason?.contains("unlisted_names") == true) }
            #expect(bench.read(bench.a + "/x/.hidden") == "precious")
            #expect(bench.names(bench.a + "/x/d/sub") == [".hidden"])
            #expect(outcome.results["/empty/"]?.isOK == (kind == .apache))
            #expect(bench.names(bench.a) == (kind == .apache ? ["x"] : ["empty", "x"]))
            #expect(kind == .apache || bench.names(bench.a + "/empty") == [])
            // The operator has said that it may.
            let allowed = bench.batch(.remove, a, site: ["unlisted_names": "remove"])
            let gone = try await bench.one(allowed, "/x/d/sub/").result
            #expect(gone.isOK == (kind == .nginx), "\(gone)")
            #expect(bench.names(bench.a + "/x/d") == (kind == .nginx ? [".hidden"] : [".hidden", "sub"]))
            #expect(try await bench.one(allowed, "/x/").result.errorClass == .notEmpty)
        }
    }

    /// Whatever another client writes while a directory is removed, and was told is written, stays.
    @Test(arguments: 1...9) func whatComesWhileADirectoryGoesStays(_ moment: Int) async throws {
        let bench = try Bench()
        defer { bench.remove() }
        for hasMove in [true, false] {
            let server = try await HostileServer.start(["-c", RacingServer.script, "\(moment)", hasMove ? "move" : ""])
            let (result, _) = try await bench.one(bench.batch(.remove, server.endpoint), "/d/")
            let listed = try await bench.one(bench.batch(.list, server.endpoint), "/").outcome.paths
            await server.stop()
            let accepted = listed.keys.contains("//accepted")
            let kept = listed.keys.contains("/d/late")
            #expect(result.isOK || result.errorClass == .notEmpty, "\(moment): \(result)")
            // Without MOVE the moment of the DELETE itself stays open.
            if hasMove || !result.isOK { #expect(kept == accepted, "\(moment): \(listed) \(result)") }
            #expect(result.isOK != listed.keys.contains("//d/"), "\(moment): \(listed) \(result)")
            #expect(!listed.keys.contains { $0.contains(".haul-part-") }, "\(moment): \(listed)")
        }
    }

    /// Killed between two of its steps, a removal goes on, or goes back, with the next attempt.
    @Test(arguments: Kind.allCases) func aRemovalThatWasCutOff(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, _ in
            let site: [String: JSONValue] = kind == .nginx ? ["unlisted_names": "remove"] : [:]
            let remove = bench.batch(.remove, a, site: site)
            let name = try PartFile.name(seed: "seed\n/d", size: 0, modified: 0)
            let mark = kind == .nginx ? [] : [name]
            // Marked only.
            try bench.write(bench.a + "/d/" + name, "")
            #expect(try await bench.one(remove, "/d/", attempt: 2).result.isOK)
            #expect(bench.names(bench.a) == [])
            // Under its other name already.
            for file in mark + ["x"] { try bench.write(bench.a + "/\(name)/\(file)", "") }
            unlink(bench.a + "/\(name)/x")
            #expect(try await bench.one(remove, "/d/", attempt: 2).result.isOK)
            #expect(bench.names(bench.a) == [])
            // And with something in it.
            for file in mark + ["precious"] { try bench.write(bench.a + "/\(name)/\(file)", "") }
            #expect(try await bench.one(remove, "/d/", attempt: 2).result.errorClass == .notEmpty)
            #expect(bench.names(bench.a) == ["d"] && bench.names(bench.a + "/d") == ["precious"])
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
            for itself in ["//g", "/./g", "g"] {
                #expect(try await bench.one(replacing, "/g", itself).result.errorClass == .invalid)
            }
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
            for index in 0..<1_500 { try bench.write(bench.a + "/t/more/\(index)", "") }
            let batch = bench.batch(.list, a)
            let (result, outcome) = try await bench.one(batch, "/t/")
            // All chunks of a directory stand together.
            var order: [String] = []
            for (directory, _) in outcome.entries where order.last != directory { order.append(directory) }
            #expect(Set(order).count == order.count, "\(order)")
            #expect(result.reason == nil)
            let paths = outcome.paths
            #expect(paths["/t/f"] == 5 && paths["/t/s u/g%"] == 1 && paths["/t/empty/"] != nil)
            #expect(paths.count == 5 + 1 + 3_000)
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
            #expect(try await depth(1, "t").paths.keys.sorted() == ["t/empty/", "t/f", "t/many/", "t/more/", "t/s u/"])
            #expect(try await depth(2, "t").paths.count == 5 + 1 + 3_000)
            #expect(try await bench.one(batch, "/none").result.errorClass == .notFound)
            #expect(try await bench.one(batch, "/").outcome.paths.keys.contains("//t/"))
        }
    }

    @Test(arguments: Kind.allCases) func aNameThatNoJobCanNameFailsTheListing(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, _ in
            try bench.write(bench.a + "/d/new\nline", "x")
            let line = try await bench.one(bench.batch(.list, a), "/d").result
            #expect(line.errorClass == .invalid)
            #expect(line.reason?.contains(#"/d holds the name "new\x0aline""#) == true, "\(line)")
            try bench.write(bench.a + "/e/f", "x")
            let raw = (Array((bench.a + "/e/caf").utf8) + [0xe9, 0]).map { CChar(bitPattern: $0) }
            let made = rename(bench.a + "/e/f", raw)
            #expect(made == 0)
            let latin = try await bench.one(bench.batch(.list, a), "/e").result
            #expect(latin.errorClass == .invalid)
            #expect(latin.reason?.contains(#"/e holds the name "caf\xe9", which is not UTF-8"#) == true, "\(latin)")
            // It is there all the same.
            #expect(try await bench.one(bench.batch(.remove, a), "/e/").result.errorClass == .notEmpty)
        }
    }
}
