import Foundation
import HaulCrypto
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

@Suite(.serialized, .timeLimit(.minutes(15))) struct CopyTests {
    private static func modified(_ path: String) throws -> Double {
        let date = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        return try #require(date).timeIntervalSince1970
    }

    @Test func keepsTimesAsOthersDo() async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", Data("x".utf8), modified: 1_700_000_000.25)
            #expect(try await bench.one(.put, file, "/d/f").result.isOK)
            let headers = try await bench.service.ask("HEAD", "d/f").headers
            #expect(headers["x-amz-meta-mtime"] == "1700000000.25")
            #expect(headers["Content-Type"] == "application/octet-stream")
            // Within the server, and through the worker.
            #expect(try await bench.one(.copy, "/d/f", "/d/g").result.isOK)
            let other = bench.site(key: "key", endpoint: "localhost:\(bench.service.port)")
            #expect(try await bench.one(.copy, "/d/g", "/d/h", destination: other).result.isOK)
            #expect(try await bench.one(.get, "/d/h", bench.local("back")).result.isOK)
            #expect(try Self.modified(bench.local("back")) == 1_700_000_000.25)
            // Where nobody kept one, it is the time of the upload.
            try await bench.service.put("d/plain", "x")
            #expect(try await bench.one(.get, "/d/plain", bench.local("plain")).result.isOK)
            #expect(abs(try Self.modified(bench.local("plain")) - Date().timeIntervalSince1970) < 60)
        }
    }

    /// One request, one with the last bytes kept back (`bandwidth`), and parts; each there and back, byte for byte.
    @Test(arguments: [0, 1, 1_000_000, 8 << 20, (8 << 20) + 1, Bench.least * 3 + 17])
    func everySize(_ size: Int) async throws {
        try await Bench.with { bench in
            let content = Bench.content(size)
            let file = try bench.write("f", content)
            let ways: [(String, [String: JSONValue], [String: JSONValue])] = [
                ("/plain", [:], [:]), ("/sum", ["verify": "checksum"], [:]), ("/parts", [:], Bench.inParts),
                ("/partsum", ["verify": "checksum"], Bench.inParts),
                ("/slow", ["bandwidth": .int(200 << 20)], [:]),
                ("/slowparts", ["bandwidth": .int(200 << 20), "verify": "checksum"], Bench.inParts),
                ("/sha", ["verify": "checksum", "checksum_algorithm": "sha256"], Bench.inParts),
            ]
            for (path, options, settings) in ways {
                let put = try await bench.one(.put, file, path, options: options, settings: settings)
                #expect(put.result.isOK && put.result.transferred == size, "\(path): \(put)")
                #expect((try await bench.service.read(String(path.dropFirst()))).map { Data($0) } == content, "\(path)")
                let back = bench.local("back\(path.dropFirst())")
                let get = try await bench.one(.get, path, back, options: options, settings: settings)
                #expect(get.result.isOK, "\(path): \(get)")
                #expect(FileManager.default.contents(atPath: back) == content, "\(path)")
                #expect(get.result.checksum == put.result.checksum)
                let copy = try await bench.one(
                    .copy, path, path + "-copy", options: options, settings: settings)
                #expect(copy.result.isOK && copy.result.transferred == size, "\(path): \(copy)")
                let stored = try await bench.service.read(String(path.dropFirst()) + "-copy")
                #expect(stored.map { Data($0) } == content, "\(path)")
            }
            #expect(try await bench.service.uploads() == 0)
            let sum = try await bench.one(.put, file, "/sum", options: ["verify": "checksum"]).result.checksum
            #expect(sum?.hasPrefix("md5:") == true)
        }
    }

    /// Two services, or two users of one: the bytes pass through the worker.
    @Test(arguments: [100, (8 << 20) + 5, Bench.least * 4]) func throughTheWorker(_ size: Int) async throws {
        try await Bench.with { bench in
            let content = Bench.content(size)
            #expect(try await bench.one(.put, try bench.write("f", content), "/f").result.isOK)
            let other = bench.site(
                ["bucket": .string(S3Service.otherBucket)], endpoint: "localhost:\(bench.service.port)")
            try await bench.service.set()
            let copied = try await bench.one(
                .copy, "/f", "/deep/g", options: ["verify": "checksum"], settings: Bench.inParts, destination: other)
            #expect(copied.result.isOK && copied.result.checksum?.hasPrefix("md5:") == true, "\(copied)")
            #expect(!copied.log.contains("within the server"))
            let stored = try await bench.service.read("deep/g", bucket: S3Service.otherBucket)
            #expect(stored.map { Data($0) } == content)
            // The same endpoint and key: the server does it, between buckets too.
            let same = bench.site(["bucket": .string(S3Service.otherBucket)])
            let within = try await bench.one(.copy, "/f", "/h", settings: Bench.inParts, destination: same)
            #expect(within.result.isOK && within.log.contains("copied within the server"), "\(within)")
            let own = try await bench.service.read("h", bucket: S3Service.otherBucket)
            #expect(own.map { Data($0) } == content)
        }
    }

    @Test func overwriteRules() async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", "new!")
            try await bench.service.put("same", "old!")
            try await bench.service.put("other", "longer than new")
            try await bench.service.put("dir/precious", "x")
            func put(_ to: String, _ overwrite: JSONValue, _ verify: JSONValue = "size") async throws -> ElementResult {
                try await bench.one(.put, file, to, options: ["overwrite": overwrite, "verify": verify]).result
            }
            #expect(try await put("/same", "never").isOK)
            #expect(try await bench.service.read("same") == Array("old!".utf8))
            #expect(try await put("/same", "never", "checksum").errorClass == .exists)
            #expect(try await put("/other", "never").errorClass == .exists)
            #expect(try await put("/same", "different", "checksum").isOK)
            #expect(try await bench.service.read("same") == Array("new!".utf8))
            #expect(try await put("/other", "always").isOK)
            for overwrite in ["never", "different", "always"] {
                #expect(try await put("/dir", .string(overwrite)).errorClass == .exists)
                // Nothing lies below a file, although S3 would take it.
                #expect(try await put("/same/below", .string(overwrite)).errorClass == .exists)
            }
            #expect(try await bench.keys() == ["dir/precious", "other", "same"])
        }
    }

    /// What comes between the look and the write is not overwritten: the server refuses (`If-None-Match`).
    @Test(arguments: [100, Bench.least + 1]) func whoeverCameFirstStays(_ size: Int) async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", Bench.content(size))
            // The look sees nothing, whatever is there.
            try await bench.service.put("f", "precious")
            try await bench.service.set(.init("list-type=2", replace: ["<Key>f</Key>", "<Key>f0</Key>"]))
            for options in [[:], ["bandwidth": .int(100 << 20)]] as [[String: JSONValue]] {
                let outcome = try await bench.one(.put, file, "/f", options: options, settings: Bench.inParts)
                #expect(outcome.result.errorClass == .exists, "\(outcome)")
            }
            try await bench.service.put("source", "0123456789")
            let copy = try await bench.one(.put, file, "/f")
            #expect(copy.result.errorClass == .exists, "\(copy)")
            #expect(try await bench.service.read("f") == Array("precious".utf8))
            #expect(try await bench.service.uploads() == 0)
        }
    }

    /// A server that does not know the header refuses it; then only the look before the write protects.
    @Test(arguments: [100, (8 << 20) + 1, Bench.least * 3]) func serversWithoutConditions(_ size: Int) async throws {
        try await Bench.with { bench in
            let content = Bench.content(size)
            let file = try bench.write("f", content)
            try await bench.service.set(.init(" ", status: 501, code: "NotImplemented", when: "If-None-Match"))
            let settings = size < Bench.least * 3 ? [:] : Bench.inParts
            for options in [[:], ["bandwidth": .int(100 << 20)]] as [[String: JSONValue]] {
                let outcome = try await bench.one(.put, file, "/f", options: options, settings: settings)
                #expect(outcome.result.isOK, "\(outcome)")
                #expect((try await bench.service.read("f")).map { Data($0) } == content)
                #expect(try await bench.one(.copy, "/f", "/g", settings: settings).result.isOK)
                for key in ["f", "g"] { _ = try await bench.service.ask("DELETE", key) }
            }
        }
    }

    @Test func checksumsOfElements() async throws {
        try await Bench.with { bench in
            let wrong = "md5:" + String(repeating: "0", count: 32)
            for (name, size) in [("small", 10), ("large", Bench.least * 2 + 1)] {
                let file = try bench.write(name, Bench.content(size))
                for options in [[:], ["bandwidth": .int(100 << 20)]] as [[String: JSONValue]] {
                    let put = try await bench.one(
                        .put, file, "/\(name)", checksum: wrong, options: options, settings: Bench.inParts)
                    #expect(put.result.errorClass == .checksum, "\(put)")
                }
                // It never was there.
                #expect(try await bench.keys() == [])
                #expect(try await bench.service.uploads() == 0)
                let sums = try StreamHash(.sha256)
                sums.update(Bench.content(size))
                let right = try await bench.one(
                    .put, file, "/\(name)", checksum: sums.finish().uppercased(), settings: Bench.inParts)
                #expect(right.result.isOK, "\(right)")
                let get = try await bench.one(.get, "/\(name)", bench.local("got"), checksum: wrong)
                #expect(get.result.errorClass == .checksum, "\(get)")
                #expect(bench.read("got") == nil)
                _ = try await bench.service.ask("DELETE", name)
            }
        }
    }

    @Test func refusesWhatIsNoFile() async throws {
        try await Bench.with { bench in
            try await bench.service.put("dir/f", "x")
            #expect(try await bench.one(.get, "/dir", bench.local("x")).result.errorClass == .invalid)
            #expect(try await bench.one(.get, "/none", bench.local("x")).result.errorClass == .notFound)
            #expect(try await bench.one(.get, "/dir/f/g", bench.local("x")).result.errorClass == .notFound)
            #expect(try await bench.one(.get, "/dir/../dir/f", bench.local("x")).result.errorClass == .invalid)
            let file = try bench.write("f", "y")
            #expect(try await bench.one(.put, file, "/d/").result.errorClass == .invalid)
            #expect(try await bench.one(.put, file, "/").result.errorClass == .invalid)
            let flat: [String: JSONValue] = ["parents": false]
            #expect(try await bench.one(.put, file, "/no/such/x", options: flat).result.errorClass == .notFound)
            #expect(try await bench.one(.put, file, "/dir/x", options: flat).result.isOK)
            let long = "/" + String(repeating: "k", count: 1_024)
            let refused = try await bench.one(.put, file, long)
            #expect(refused.result.errorClass == .invalid && refused.result.reason?.contains("1024 bytes") == true)
        }
    }
}
