import Foundation
import HaulModel
import HaulProtocol
import Testing

@Suite(.serialized) struct CopyTests {
    @Test(arguments: Kind.allCases) func manyFilesWithHostileNames(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, b in
            let names = [
                "a b", "\u{fc}", "u\u{308}", "q\"'x", "back\\slash", "p%41c", "h#x", "q?x", "s;x", "-dash", "new\nline",
                "tab\tx", String(repeating: "x", count: 255), "a&b<c>", "+plus", " lead", "trail ", "~t", "{x}[1-3]",
                "${HOME}$(id)`id`", "@f", "empty",
            ]
            for name in names { try bench.write(bench.a + "/" + name, name == "empty" ? "" : "content of \(name)") }
            let elements = names.enumerated().map {
                ElementSpec(id: "\($0.offset)", source: "/" + $0.element, destination: "/deep/er/" + $0.element)
            }
            let outcome = try await bench.run(bench.batch(.copy, a, to: b, options: ["verify": "checksum"]), elements)
            for (index, name) in names.enumerated() {
                #expect(outcome.results["\(index)"]?.reason == nil, "\(name)")
                #expect(bench.read(bench.b + "/deep/er/" + name) == (name == "empty" ? "" : "content of \(name)"))
                #expect(outcome.results["\(index)"]?.checksum?.hasPrefix("md5:") == true)
            }
            // Names that differ only in how a letter is composed are two files; nothing else came.
            #expect(bench.names(bench.b + "/deep/er").count == names.count)
            for name in ["new\nline", "tab\tx"] { unlink(bench.b + "/deep/er/" + name) }
            let listed = try await bench.one(bench.batch(.list, b), "/deep/er")
            let shown = Set(listed.outcome.entries.flatMap { $0.entries.map { Array($0.name.utf8) } })
            #expect(shown == Set(names.filter { !["new\nline", "tab\tx"].contains($0) }.map { Array($0.utf8) }))
        }
    }

    @Test(arguments: Kind.allCases) func overwriteRules(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, b in
            try bench.write(bench.a + "/f", "new!")
            try bench.write(bench.b + "/same", "old!")
            try bench.write(bench.b + "/other", "longer than new")
            try bench.write(bench.b + "/dir/precious", "x")
            func copy(_ to: String, _ overwrite: JSONValue, _ verify: JSONValue = "size") async throws -> ElementResult
            {
                let options: [String: JSONValue] = ["overwrite": overwrite, "verify": verify]
                return try await bench.one(bench.batch(.copy, a, to: b, options: options), "/f", to).result
            }
            #expect(try await copy("/same", "never").isOK)
            #expect(bench.read(bench.b + "/same") == "old!")
            #expect(try await copy("/same", "never", "checksum").errorClass == .exists)
            #expect(try await copy("/other", "never").errorClass == .exists)
            #expect(bench.read(bench.b + "/other") == "longer than new")
            #expect(try await copy("/same", "different").isOK)
            #expect(bench.read(bench.b + "/same") == "old!")
            #expect(try await copy("/same", "different", "checksum").isOK)
            #expect(bench.read(bench.b + "/same") == "new!")
            #expect(try await copy("/other", "always").isOK)
            #expect(bench.read(bench.b + "/other") == "new!")
            for overwrite in ["never", "different", "always"] {
                #expect(try await copy("/dir", .string(overwrite)).errorClass == .exists)
            }
            #expect(bench.read(bench.b + "/dir/precious") == "x")
            #expect(!bench.names(bench.b).contains { $0.hasPrefix(".haul-part-") })
        }
    }

    @Test(arguments: Kind.allCases) func refusesWhatIsNoFile(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, b in
            try bench.write(bench.a + "/dir/f", "x")
            let batch = bench.batch(.copy, a, to: b)
            #expect(try await bench.one(batch, "/dir", "/x").result.errorClass == .invalid)
            #expect(try await bench.one(batch, "/none", "/x").result.errorClass == .notFound)
            #expect(try await bench.one(batch, "/dir/f/g", "/x").result.errorClass == .notFound)
            #expect(try await bench.one(batch, "/dir/../dir/f", "/x").result.errorClass == .invalid)
            #expect(try await bench.one(batch, "/dir/f", "/../x").result.errorClass == .invalid)
            let flat = bench.batch(.copy, a, to: b, options: ["parents": false])
            #expect(try await bench.one(flat, "/dir/f", "/no/such/x").result.errorClass == .notFound)
            let wrong = try await bench.one(batch, "/dir/f", "/x", checksum: "md5:" + String(repeating: "0", count: 32))
            #expect(wrong.result.errorClass == .checksum)
            // Equal in size to what is there, which is not what the element promises.
            try bench.write(bench.b + "/there", "y")
            let right = "md5:9DD4E461268C8034F5C8564E155C67A6"
            let other = try await bench.one(batch, "/dir/f", "/there", checksum: right)
            #expect(other.result.errorClass == .exists, "\(other.result)")
            #expect(bench.read(bench.b + "/there") == "y")
            let different = bench.batch(.copy, a, to: b, options: ["overwrite": "different"])
            #expect(try await bench.one(different, "/dir/f", "/there", checksum: right).result.isOK)
            #expect(bench.read(bench.b + "/there") == "x")
            #expect(try await bench.one(batch, "/dir/f", "/there", checksum: right).result.isOK)
            unlink(bench.b + "/there")
            #expect(bench.names(bench.b) == [])
        }
    }

    @Test(arguments: Kind.allCases) func largeFilesStream(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, b in
            var content = Data(count: 40 << 20)
            for index in stride(from: 0, to: content.count, by: 4099) {
                content[index] = UInt8(truncatingIfNeeded: index)
            }
            try bench.write(bench.a + "/big", content)
            let batch = bench.batch(.copy, a, to: b, options: ["verify": "checksum"], spoolBytes: 1 << 20)
            let (result, _) = try await bench.one(batch, "/big", "/d/big")
            #expect(result.reason == nil)
            #expect(result.transferred == content.count)
            #expect(FileManager.default.contents(atPath: bench.b + "/d/big") == content)
            #expect(bench.names(bench.b + "/d") == ["big"])
        }
    }

    @Test(arguments: Kind.allCases) func copiesWithinOneServer(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, _ in
            try bench.write(bench.a + "/f g", "within")
            let (result, outcome) = try await bench.one(bench.batch(.copy, a, to: a), "/f g", "/x/h i")
            #expect(result.isOK)
            #expect(bench.read(bench.a + "/x/h i") == "within")
            #expect(outcome.logs.contains { $0.contains("COPY") })
        }
    }

    @Test(arguments: Kind.allCases) func getsAndPuts(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, _ in
            for (name, size) in [("small", 1000), ("none", 0), ("large", 9 << 20)] {
                let content = Data(repeating: 7, count: size)
                try bench.write(bench.a + "/" + name, content)
                let local = bench.folder + "/local/sub/\(name)"
                let options: [String: JSONValue] = ["verify": "checksum"]
                let got = try await bench.one(bench.batch(.get, a, options: options), "/" + name, local)
                #expect(got.result.reason == nil)
                #expect(FileManager.default.contents(atPath: local) == content)
                let put = try await bench.one(bench.batch(.put, a, options: options), local, "/up/\(name)")
                #expect(put.result.reason == nil)
                #expect(FileManager.default.contents(atPath: bench.a + "/up/\(name)") == content)
                #expect(bench.modified(local) == bench.modified(bench.a + "/" + name))
            }
            #expect(bench.names(bench.folder + "/local/sub") == ["large", "none", "small"])
        }
    }

    @Test(arguments: Kind.allCases) func cancelLeavesNothing(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, b in
            // Sparse: nothing to write, much to send.
            try bench.write(bench.a + "/huge", "")
            truncate(bench.a + "/huge", 1 << 36)
            let outcome = try await bench.run(
                bench.batch(.copy, a, to: b), [ElementSpec(id: "1", source: "/huge", destination: "/huge")]
            ) { event, run in
                if case .progress = event { await run?.cancel("1") }
            }
            #expect(outcome.results["1"]?.errorClass == .interrupted)
            // apache's own temporary file goes once it has noticed.
            let deadline = ContinuousClock.now + .seconds(20)
            while bench.names(bench.b) != [], ContinuousClock.now < deadline { await Task.yield() }
            #expect(bench.names(bench.b) == [])
        }
    }
}
