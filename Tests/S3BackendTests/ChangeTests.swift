import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

@Suite(.serialized, .timeLimit(.minutes(15))) struct ChangeTests {
    @Test func directoriesAreMarkersOrWhatKeysImply() async throws {
        try await Bench.with { bench in
            #expect(try await bench.one(.mkdir, "/m/a/b").result.isOK)
            #expect(try await bench.keys() == ["m/a/b/"])
            try await bench.service.put("i/j/f", "x")
            let listed = try await bench.one(.list, "/")
            #expect(listed.paths == ["/i/": 0, "/i/j/": 0, "/i/j/f": 1, "/m/": 0, "/m/a/": 0, "/m/a/b/": 0])
            #expect(listed.entries.contains { $0.directory == "/m/a/b" && $0.entries.isEmpty })
            // The last file goes, its directory stays, and can go by itself.
            #expect(try await bench.one(.remove, "/i/j/f").result.isOK)
            #expect(try await bench.keys() == ["i/j/", "m/a/b/"])
            #expect(try await bench.one(.remove, "/i/").result.errorClass == .notEmpty)
            #expect(try await bench.one(.remove, "/i/j/").result.isOK)
            #expect(try await bench.one(.remove, "/i/").result.isOK)
            #expect(try await bench.keys() == ["m/a/b/"])
            #expect(try await bench.one(.remove, "/i/").result.errorClass == .notFound)
            #expect(try await bench.one(.remove, "/i/", attempt: 2).result.isOK)
            #expect(try await bench.one(.remove, "/").result.errorClass == .permission)
        }
    }

    @Test func removesOneKeyAlone() async throws {
        try await Bench.with { bench in
            for key in ["d/f", "d/f/below", "d/f2", "d/f/", "f"] {
                try await bench.service.put(key, key == "d/f/" ? "" : "x")
            }
            #expect(try await bench.one(.remove, "/d/f").result.isOK)
            #expect(try await bench.keys() == ["d/", "d/f/", "d/f/below", "d/f2", "f"])
            #expect(try await bench.one(.remove, "/f/").result.errorClass == .invalid)
            #expect(try await bench.one(.remove, "/d/f/").result.errorClass == .notEmpty)
            #expect(try await bench.one(.remove, "/d").result.errorClass == .invalid)
            #expect(try await bench.keys() == ["d/", "d/f/", "d/f/below", "d/f2", "f"])
        }
    }

    /// More than a page, and a thousand at a time; names that sort around the slash.
    @Test func longListings() async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", "x")
            let names = (0..<1_150).map { "/big/f\($0)" } + ["/big-/x", "/big!/x", "/big0", "/big/sub/y", "/big.txt"]
            let put = try await bench.run(
                .put, names.enumerated().map { ElementSpec(id: "\($0.offset)", source: file, destination: $0.element) })
            #expect(put.results.values.allSatisfy { $0.isOK } && put.results.count == names.count)
            let listed = try await bench.one(.list, "/")
            #expect(listed.result.isOK)
            #expect(Set(listed.paths.keys).isSuperset(of: names) && listed.paths.count == names.count + 4)
            #expect(listed.entries.filter { $0.directory == "/big" }.count >= 2)
            // All of a directory stands together.
            let order = listed.entries.map(\.directory)
            let runs = order.indices.filter { $0 == 0 || order[$0] != order[$0 - 1] }.map { order[$0] }
            #expect(runs.count == Set(runs).count)
            #expect(try await bench.one(.list, "/big").entries.map(\.directory).first == "/big")
            #expect(try await bench.one(.list, "/big", options: ["depth": 1]).paths.count == 1_151)
            // A tree of more than a page changes its name, whole.
            let renamed = try await bench.one(.rename, "/big", "/new/name")
            #expect(renamed.result.isOK, "\(renamed)")
            let keys = try await bench.keys()
            #expect(keys.filter { $0.hasPrefix("new/name/") }.count == 1_151)
            #expect(!keys.contains { $0.hasPrefix("big/") || $0.contains(PartFile.prefix) })
        }
    }

    @Test func renamesFiles() async throws {
        try await Bench.with { bench in
            try await bench.service.put("d/f", "one")
            try await bench.service.put("g", "other")
            #expect(try await bench.one(.rename, "/d/f", "/g").result.errorClass == .exists)
            #expect(try await bench.one(.rename, "/d/f", "/d/f").result.errorClass == .exists)
            #expect(try await bench.one(.rename, "/d", "/d/e").result.errorClass == .invalid)
            #expect(try await bench.one(.rename, "/none", "/x").result.errorClass == .notFound)
            #expect(try await bench.one(.rename, "/d/f", "/g", options: ["overwrite": "always"]).result.isOK)
            #expect(try await bench.service.read("g") == Array("one".utf8))
            // The directory that the file was in is there still.
            #expect(try await bench.keys() == ["d/", "g"])
            #expect(try await bench.one(.rename, "/d/f", "/g", attempt: 2).result.isOK)
        }
    }

    /// Cut off between the copy and the removal, a later attempt ends it.
    @Test func aRenameIsGoneOnWith() async throws {
        try await Bench.with { bench in
            for key in ["f", "t/a", "t/b/c", "t/empty/", "t/x//y"] {
                try await bench.service.put(key, key.hasSuffix("/") ? "" : key)
            }
            try await bench.service.set(.init("DELETE ", status: 500, code: "InternalError"))
            #expect(try await bench.one(.rename, "/f", "/g").result.errorClass == .unknown)
            #expect(try await bench.one(.rename, "/t", "/u").result.errorClass == .unknown)
            #expect(try await bench.keys().filter { $0.hasPrefix("u/") }.count == 5)
            try await bench.service.set(.init("DELETE /haul-test/t/b", status: 500, code: "InternalError"))
            #expect(try await bench.one(.rename, "/t", "/u", attempt: 2).result.errorClass == .unknown)
            try await bench.service.set()
            let file = try await bench.one(.rename, "/f", "/g", attempt: 2)
            #expect(file.result.isOK && file.log.contains("an earlier attempt copied it"), "\(file)")
            let tree = try await bench.one(.rename, "/t", "/u", attempt: 3)
            #expect(tree.result.isOK, "\(tree)")
            #expect(try await bench.keys() == ["g", "u/a", "u/b/c", "u/empty/", "u/x//y"])
            for key in ["a", "b/c", "x//y"] {
                #expect(try await bench.service.read("u/\(key)") == Array("t/\(key)".utf8))
            }
            // Once more, after all was done: it was.
            #expect(try await bench.one(.rename, "/t", "/u", attempt: 4).result.isOK)
            // What was there before is nobody's earlier attempt.
            try await bench.service.put("v/own", "x")
            #expect(try await bench.one(.rename, "/u", "/v", attempt: 2).result.errorClass == .exists)
        }
    }

    /// What comes to the old name while what was there is removed is neither lost nor left.
    @Test func aRenameTakesLatecomersAlong() async throws {
        try await Bench.with { bench in
            for number in 0..<40 { try await bench.service.put("t/\(number + 10)", "\(number)") }
            var slow = S3Service.Fault("DELETE /haul-test/t/")
            slow.delay = 0.3
            try await bench.service.set(slow)
            async let renaming = bench.one(.rename, "/t", "/u")
            try await eventually("removing has begun") { try await !bench.service.keys().contains(Array("t/10".utf8)) }
            try await bench.service.put("t/09", "late")
            let renamed = try await renaming
            #expect(renamed.result.isOK, "\(renamed)")
            let keys = try await bench.keys()
            #expect(keys.count == 41 && keys.allSatisfy { $0.hasPrefix("u/") }, "\(keys)")
            #expect(try await bench.service.read("u/09") == Array("late".utf8))
        }
    }

    /// The answer to a copy that went well is lost: the copy that is there is it.
    @Test func aCopyThatIsMadeTwice() async throws {
        try await Bench.with { bench in
            try await bench.service.put("f", "content")
            var lost = S3Service.Fault("PUT /haul-test/g", status: 503, code: "SlowDown")
            lost.late = true
            lost.times = 1
            try await bench.service.set(lost)
            let copied = try await bench.one(.copy, "/f", "/g")
            #expect(copied.result.isOK, "\(copied)")
            #expect(try await bench.service.read("g") == Array("content".utf8))
        }
    }

    /// What cannot be finished is undone while the old name has all of it.
    @Test func aRenameThatFailsForGoodLeavesTheOldName() async throws {
        try await Bench.with { bench in
            for key in ["t/a", "t/b", "t/c"] { try await bench.service.put(key, key) }
            try await bench.service.set(.init("PUT /haul-test/u/c", status: 403, code: "AccessDenied"))
            let outcome = try await bench.one(.rename, "/t", "/u")
            #expect(outcome.result.errorClass == .permission, "\(outcome)")
            #expect(try await bench.keys() == ["t/a", "t/b", "t/c"])
        }
    }
}
