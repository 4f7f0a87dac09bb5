import Foundation
import HaulModel
import HaulProtocol
import Testing

/// REMOVE, RENAME and MKDIR against OpenSSH's server.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ChangeTests {
    @Test func aDirectoryIsRenamed() async throws {
        try await Bench.with { bench in
            try bench.write("from/sub/file", "x")
            let (result, _) = try await bench.one(bench.batch(.rename), "from", "new/parent/to/")
            #expect(result.isOK, "\(result)")
            #expect(bench.text("new/parent/to/sub/file") == "x")
            #expect(!bench.exists("from"))
            let (again, outcome) = try await bench.one(bench.batch(.rename), "from", "new/parent/to", attempt: 2)
            #expect(again.isOK)
            #expect(outcome.log.contains("earlier attempt"))
            #expect(try await bench.one(bench.batch(.rename), "from", "x").result.errorClass == .notFound)
            let (inside, _) = try await bench.one(bench.batch(.rename), "new", "new/parent/to/new")
            #expect(!inside.isOK, "a directory into itself")
            #expect(bench.text("new/parent/to/sub/file") == "x")
        }
    }

    @Test func aRenameTakesNothingAway() async throws {
        try await Bench.with { bench in
            try bench.write("from", "new")
            try bench.write("to", "old")
            #expect(try await bench.one(bench.batch(.rename), "from", "to").result.errorClass == .exists)
            #expect(bench.text("to") == "old")
            try bench.makeDirectory("directory")
            let always = bench.batch(.rename, ["overwrite": "always"])
            #expect(try await bench.one(always, "from", "directory").result.errorClass == .exists)
            #expect(try await bench.one(always, "from", "to").result.isOK)
            #expect(bench.text("to") == "new")
            try bench.link("link", to: "to")
            #expect(try await bench.one(bench.batch(.rename), "link", "other").result.isOK)
            #expect(bench.text("to") == "new")
            #expect(try #require(bench.status("other")).st_mode & S_IFMT == S_IFLNK)
        }
    }

    /// One file under two names, or two spellings of one: none of it may be taken for a file that gives way.
    @Test(arguments: ["", "-P posix-rename"]) func aRenameOntoItselfLosesNothing(_ arguments: String) async throws {
        try await Bench.with(sftpArguments: arguments) { bench in
            try bench.write("a/b", "precious")
            try bench.link("l", to: "a")
            let always = bench.batch(.rename, ["overwrite": "always"])
            let root = bench.root
            for (from, to) in [
                ("a//b", "a/b"), ("a/./b", "a/b"), ("a/b", "a/../a/b"), ("\(root)/a/b", "a/b"), ("l/b", "a/b"),
                ("a/b", "~/l/b"),
            ] {
                let (result, _) = try await bench.one(always, from, to)
                #expect(result.errorClass == .invalid, "\(from) \(to): \(result)")
                #expect(bench.text("a/b") == "precious", "\(from) \(to)")
            }
            // Two links of one file: the old name goes.
            #expect(Foundation.link(root + "/a/b", root + "/a/c") == 0)
            #expect(try await bench.one(always, "a/b", "a/c").result.isOK)
            #expect(bench.text("a/c") == "precious" && !bench.exists("a/b"))
            // Another file gives way all the same.
            try bench.write("a/b", "new")
            #expect(try await bench.one(always, "a/b", "a/c").result.isOK)
            #expect(bench.text("a/c") == "new" && !bench.exists("a/b"))
            // Cut off when the old file had stepped aside: it is there again, and gives way.
            try bench.write("a/b", "newer")
            let aside = try PartFile.name(seed: "seed", size: 0, modified: 0)
            #expect(Foundation.rename(root + "/a/c", root + "/a/" + aside) == 0)
            #expect(try await bench.one(always, "a/b", "a/c", attempt: 2).result.isOK)
            #expect(bench.text("a/c") == "newer" && !bench.exists("a/b"))
        }
    }

    @Test func removing() async throws {
        try await Bench.with { bench in
            try bench.write("d/file", "x")
            try bench.link("link", to: "d")
            let remove = bench.batch(.remove)
            #expect(try await bench.one(remove, "d/").result.errorClass == .notEmpty)
            #expect(try await bench.one(remove, "d").result.errorClass == .invalid)
            #expect(try await bench.one(remove, "link/").result.errorClass == .invalid)
            #expect(try await bench.one(remove, "link").result.isOK)
            #expect(bench.text("d/file") == "x")
            #expect(try await bench.one(remove, "d/file").result.isOK)
            #expect(try await bench.one(remove, "d/file").result.errorClass == .notFound)
            let (again, outcome) = try await bench.one(remove, "d/file", attempt: 2)
            #expect(again.isOK)
            #expect(outcome.log.contains("gone already"))
            #expect(try await bench.one(remove, "d/").result.isOK)
            #expect(!bench.exists("d"))
        }
    }

    @Test func making() async throws {
        try await Bench.with { bench in
            try bench.write("file", "x")
            #expect(try await bench.one(bench.batch(.mkdir), "a/b/c/").result.isOK)
            #expect(try await bench.one(bench.batch(.mkdir), "a/b/c").result.isOK)
            let alone = bench.batch(.mkdir, ["parents": false])
            #expect(try await bench.one(alone, "a/b/c").result.errorClass == .exists)
            #expect(try await bench.one(alone, "a/b/c", attempt: 2).result.isOK)
            #expect(try await bench.one(alone, "x/y").result.errorClass == .notFound)
            #expect(try await bench.one(bench.batch(.mkdir), "file").result.errorClass == .exists)
            #expect(try await bench.one(bench.batch(.mkdir), "file/below").result.errorClass == .exists)
            let many = (0..<64).map { ElementSpec(id: "\($0)", source: "at/the/same/time/\($0 % 8)") }
            let outcome = try await bench.run(bench.batch(.mkdir, concurrency: 16), many)
            #expect(outcome.results.values.count { $0.isOK } == 64, "\(outcome.results)")
        }
    }
}
