import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// list, rename, remove and mkdir where XRootD's ways are not the contract's.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct ChangeTests {
    /// The server makes what is missing of a rename's way, and of a file's, without being asked.
    @Test func parentsAreMadeOnWishAlone() async throws {
        try await Bench.with { bench in
            try bench.write("a", Data("a".utf8))
            let file = try bench.local("file", Data("x".utf8))
            let alone: [String: JSONValue] = ["parents": false]
            let renamed = try await bench.one(.rename, "/a", "/none/b", options: alone)
            #expect(renamed.result.errorClass == .notFound, "\(renamed.result)")
            let put = try await bench.one(.put, file, "/none/c", options: alone)
            #expect(put.result.errorClass == .notFound, "\(put.result)")
            #expect(try bench.names() == ["a"])
        }
    }

    /// It renames over what is there without being asked, and over a link's own target.
    @Test func aRenameTakesNothingAway() async throws {
        try await Bench.with { bench in
            try bench.write("one", Data("one".utf8))
            try bench.write("two", Data("two".utf8))
            try FileManager.default.createSymbolicLink(atPath: bench.root + "/link", withDestinationPath: "two")
            let never = try await bench.one(.rename, "/one", "/two")
            #expect(never.result.errorClass == .exists, "\(never.result)")
            for (from, to) in [("/link", "/two"), ("/two", "/link"), ("/two", "/./two")] {
                let outcome = try await bench.one(.rename, from, to, options: ["overwrite": "always"])
                #expect(outcome.result.errorClass == .invalid, "\(from) \(to): \(outcome.result)")
            }
            #expect(bench.data("one") == Data("one".utf8) && bench.data("two") == Data("two".utf8))
        }
    }

    @Test func aLinkThatLeadsUpwards() async throws {
        try await Bench.with { bench in
            try bench.write("d/e/file", Data("x".utf8))
            try FileManager.default.createSymbolicLink(atPath: bench.root + "/d/e/up", withDestinationPath: "..")
            let outcome = try await bench.one(.list, "/d")
            #expect(outcome.result.errorClass == .invalid, "\(outcome.result)")
            #expect(outcome.result.reason?.contains("/d/e/up") == true)
        }
    }

    /// What stands on the disk and cannot be told fails the listing; what can, and cannot be asked for, is listed.
    @Test func namesOfTheDisk() async throws {
        try await Bench.with { bench in
            try bench.write("q/what?", Data("x".utf8))
            try bench.write("n/new\nline", Data("x".utf8))
            // Names of 255 bytes are cut by the server's listings.
            let long = String(repeating: "x", count: 254)
            try bench.write("l/\(long)", Data("x".utf8))
            #expect(try await bench.one(.list, "/l").entries == ["/l/\(long)"])
            for (folder, names) in [("l1", ["y"]), ("l2", ["", "y"])] {
                for end in names { try bench.write("\(folder)/\(long)\(end)", Data("x".utf8)) }
                let cut = try await bench.one(.list, "/\(folder)")
                #expect(cut.result.errorClass == .invalid, "\(cut.result)")
            }
            let file = try bench.local("file", Data("x".utf8))
            #expect(try await bench.one(.put, file, "/\(long)y").result.errorClass == .invalid)
            let listed = try await bench.one(.list, "/q")
            #expect(listed.entries == ["/q/what?"])
            let got = try await bench.one(.get, "/q/what?", bench.folder + "/got")
            #expect(got.result.errorClass == .invalid)
            #expect(got.result.reason?.contains("?") == true)
            let broken = try await bench.one(.list, "/n")
            #expect(broken.result.errorClass == .invalid, "\(broken.entries)")
        }
    }

    @Test func severalEndpoints() async throws {
        try await Bench.with { bench in
            try bench.write("file", Data("x".utf8))
            let outcome = try await bench.one(.list, "/", endpoints: ["127.0.0.1:1", bench.server.endpoint])
            #expect(outcome.result.isOK, "\(outcome.result)")
            #expect(outcome.entries == ["//file"])
            let nobody = try await bench.one(.list, "/", endpoints: ["127.0.0.1:1"])
            #expect(nobody.result.errorClass == .connect, "\(nobody.result)")
        }
    }

    /// One process and connection for many: far from a process each.
    @Test func manyElements() async throws {
        try await Bench.with { bench in
            try bench.write("d/file", Data("x".utf8))
            for index in 0..<400 { try Data().write(to: URL(fileURLWithPath: "\(bench.root)/d/f\(index)")) }
            let elements = (0..<400).map { ElementSpec(id: "\($0)", source: "/d/f\($0)") }
            let outcomes = try await bench.run(.remove, elements)
            #expect(outcomes.compactMap(\.result.reason) == [])
            #expect(try bench.names("d") == ["file"])
        }
    }
}
