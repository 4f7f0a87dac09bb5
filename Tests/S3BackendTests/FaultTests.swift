import Foundation
import HaulCrypto
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// Servers and connections that fail, and what is left then.
@Suite(.serialized, .timeLimit(.minutes(15))) struct FaultTests {
    private static let parts = Bench.inParts.merging(["part_streams": 1]) { $1 }

    /// What an attempt that fails in its middle leaves the next one goes on from: no part goes up twice.
    @Test(arguments: ["size", "checksum"]) func anUploadIsGoneOnWith(_ verify: String) async throws {
        try await Bench.with { bench in
            let content = Bench.content(Bench.least * 3 + 5)
            let file = try bench.write("f", content)
            try await bench.service.set(.init("partNumber=3&", status: 503, code: "SlowDown"))
            let options: [String: JSONValue] = ["verify": .string(verify)]
            let first = try await bench.one(.put, file, "/f", options: options, settings: Self.parts)
            #expect(first.result.errorClass == .busy, "\(first)")
            #expect(try await bench.keys() == [])
            #expect(try await bench.service.uploads() == 1)
            try await bench.service.set()
            let second = try await bench.one(.put, file, "/f", attempt: 2, options: options, settings: Self.parts)
            #expect(second.result.isOK && second.log.contains("2 of 4 parts are there"), "\(second)")
            let sent = try await bench.service.requests().filter { $0.hasPrefix("PUT ") }
            #expect(sent.count == 2 && sent.allSatisfy { $0.contains("partNumber=3&") || $0.contains("partNumber=4&") })
            #expect((try await bench.service.read("f")).map { Data($0) } == content)
            #expect(try await bench.service.uploads() == 0)
        }
    }

    /// Parts of another file, or of nobody known, are no beginning of this one, and are left alone.
    @Test func noForeignUploadIsTouched() async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", Bench.content(Bench.least * 2 + 5))
            func begin() async throws -> String {
                let body = try await bench.service.ask("POST", "f", query: [("uploads", "")]).body
                let text = String(decoding: body, as: UTF8.self)
                return String(try #require(text.firstMatch(of: /<UploadId>(.*)<\/UploadId>/)).1)
            }
            _ = try await begin()
            let foreign = try await begin()
            for (number, size) in [(1, Bench.least), (2, Bench.least)] {
                try await bench.service.ask(
                    "PUT", "f", query: [("partNumber", "\(number)"), ("uploadId", foreign)],
                    body: Array(Bench.content(size, seed: 7)))
            }
            let outcome = try await bench.one(.put, file, "/f", attempt: 2, settings: Self.parts)
            #expect(outcome.result.isOK && !outcome.log.contains("going on"), "\(outcome)")
            #expect(try await bench.service.uploads() == 2)
        }
    }

    @Test(arguments: [
        (503, "SlowDown", ErrorClass.busy), (500, "InternalError", .unknown), (403, "QuotaExceeded", .noSpace),
    ])
    func nothingIsLeftWhereNobodyGoesOn(_ status: Int, _ code: String, _ expected: ErrorClass) async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", Bench.content(Bench.least * 2 + 5))
            try await bench.service.set(.init("partNumber=2&", status: status, code: code))
            for options in [[:], ["bandwidth": .int(200 << 20)]] as [[String: JSONValue]] {
                let outcome = try await bench.one(
                    .put, file, "/f", last: !expected.isPermanent, options: options, settings: Self.parts)
                #expect(outcome.result.errorClass == expected, "\(outcome)")
                #expect(outcome.result.reason?.contains(code) == true)
                #expect(try await bench.service.uploads() == 0)
            }
            // A copy within the server begins anew each time.
            #expect(try await bench.one(.put, file, "/src").result.isOK)
            let copy = try await bench.one(.copy, "/src", "/dst", settings: Self.parts)
            #expect(copy.result.errorClass == expected, "\(copy)")
            #expect(try await bench.service.uploads() == 0)
            #expect(try await bench.keys() == ["src"])
        }
    }

    @Test func aCancelledUploadLeavesNothing() async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", Bench.content(Bench.least * 2 + 5))
            for options in [[:], ["bandwidth": .int(20 << 20)]] as [[String: JSONValue]] {
                try await bench.service.set(.init("partNumber=2&", delay: 3))
                let began = ContinuousClock.now
                let outcome = try await bench.one(.put, file, "/f", options: options, settings: Self.parts) {
                    event, run in
                    if case .progress = event { await run?.cancel("1") }
                }
                #expect(outcome.result.errorClass == .interrupted, "\(outcome)")
                #expect(ContinuousClock.now - began < .seconds(8))
                #expect(try await bench.service.uploads() == 0)
                #expect(try await bench.keys() == [])
            }
        }
    }

    /// A part that breaks off, or that the server is too busy for, goes up again within the attempt.
    @Test func aPartIsSentAgain() async throws {
        try await Bench.with { bench in
            let content = Bench.content(Bench.least * 2 + 5)
            let file = try bench.write("f", content)
            try await bench.service.set(
                .init("partNumber=1&", times: 1, cutUpload: 1 << 20),
                .init("partNumber=2&", times: 2, status: 503, code: "SlowDown"))
            let outcome = try await bench.one(.put, file, "/f", settings: Bench.inParts)
            #expect(outcome.result.isOK && outcome.log.contains("part 1 is sent again"), "\(outcome)")
            #expect((try await bench.service.read("f")).map { Data($0) } == content)
        }
    }

    @Test func smallOnesAreSentAgain() async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", "small")
            try await bench.service.set(
                .init("PUT ", times: 1, status: 503, code: "SlowDown"),
                .init("GET /haul-test/f", times: 1, status: 500),
                .init("HEAD ", times: 1, status: 503))
            #expect(try await bench.one(.put, file, "/f").result.isOK)
            #expect(try await bench.one(.get, "/f", bench.local("g")).result.isOK)
            #expect(bench.read("g") == Data("small".utf8))
            // The deed was done and its answer lost: the second one finds its own.
            try await bench.service.set(.init("PUT ", times: 1, status: 500, code: "InternalError", late: true))
            #expect(try await bench.one(.put, file, "/late").result.isOK)
            let large = try bench.write("large", Bench.content(Bench.least * 2))
            try await bench.service.set(.init("POST /haul-test/l?uploadId", times: 1, status: 500, late: true))
            let late = try await bench.one(.put, large, "/l", settings: Bench.inParts)
            #expect(late.result.isOK, "\(late)")
        }
    }

    /// A download that breaks goes on where it broke; a later attempt goes on from the part.
    @Test func aDownloadGoesOn() async throws {
        try await Bench.with { bench in
            let content = Bench.content(20 << 20)
            let file = try bench.write("f", content)
            #expect(try await bench.one(.put, file, "/f").result.isOK)
            try await bench.service.set(.init("GET /haul-test/f", times: 2, cutAnswer: 7 << 20))
            let once = try await bench.one(.get, "/f", bench.local("once"))
            #expect(once.result.isOK, "\(once)")
            #expect(bench.read("once") == content)
            try await bench.service.set(.init("GET /haul-test/f", times: 4, cutAnswer: 3 << 20))
            let first = try await bench.one(.get, "/f", bench.local("g"))
            #expect(first.result.errorClass == .interrupted, "\(first)")
            let left = try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/local")
            #expect(left.contains { $0.hasPrefix(PartFile.prefix) } && !left.contains("g"))
            try await bench.service.set()
            let second = try await bench.one(.get, "/f", bench.local("g"), attempt: 2, options: ["verify": "checksum"])
            #expect(second.result.isOK && second.log.contains("going on from byte"), "\(second)")
            #expect(bench.read("g") == content)
        }
    }

    /// Killed in the middle of a file, either way.
    @Test func aServerThatIsKilledMeanwhile() async throws {
        for operation in [ProtocolOperation.put, .get, .copy] {
            try await Bench.with { bench in
                let file = try bench.write("f", Bench.content(20 << 20))
                #expect(try await bench.one(.put, file, "/from").result.isOK)
                let (from, to) = (
                    operation == .put ? file : "/from", operation == .get ? bench.local("to") : "/to"
                )
                let cut = try await bench.one(
                    operation, from, to, options: ["bandwidth": .int(10 << 20)], settings: Bench.inParts
                ) { event, _ in
                    if case .progress(_, let progress) = event, progress.transferred > 0 { await bench.service.stop() }
                }
                #expect(cut.result.errorClass?.isPermanent == false, "\(operation): \(cut)")
                #expect(bench.read("to") == nil)
            }
        }
    }

    @Test(arguments: [100 << 10, 20 << 20]) func theWorkersDiskIsFull(_ size: Int) async throws {
        guard let disk = TinyDisk.open(kibibytes: 64) else { return }
        defer { disk.remove() }
        try await Bench.with { bench in
            let file = try bench.write("f", Bench.content(size))
            #expect(try await bench.one(.put, file, "/f").result.isOK)
            let got = try await bench.one(.get, "/f", disk.root + "/to")
            #expect(got.result.errorClass == .noSpace, "\(got)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk.root) == [])
        }
    }

    @Test func aLyingServerIsFoundOut() async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", "content")
            let large = try bench.write("large", Bench.content(Bench.least * 2 + 1))
            // Of other bytes, so it says.
            let etag = "\"" + String(repeating: "a", count: 32) + "\""
            try await bench.service.set(.init("PUT ", etag: etag))
            let small = try await bench.one(.put, file, "/f")
            #expect(
                small.result.errorClass == .checksum && small.result.reason?.contains("arrived") == true, "\(small)")
            for options in [[:], ["bandwidth": .int(200 << 20)]] as [[String: JSONValue]] {
                let put = try await bench.one(.put, large, "/l", options: options, settings: Bench.inParts)
                #expect(put.result.errorClass == .checksum, "\(put)")
            }
            #expect(try await bench.keys() == [])
            #expect(try await bench.service.uploads() == 0)
            // Longer, or shorter, than it said.
            try await bench.service.set()
            #expect(try await bench.one(.put, file, "/f").result.isOK)
            try await bench.service.set(.init("GET /haul-test/f", shorten: 3))
            let short = try await bench.one(.get, "/f", bench.local("g"))
            #expect(short.result.errorClass == .interrupted && bench.read("g") == nil, "\(short)")
            try await bench.service.set(.init("GET /haul-test/f", replace: ["content", "content and more"]))
            let long = try await bench.one(.get, "/f", bench.local("g"))
            #expect(long.result.errorClass == .invalid && bench.read("g") == nil, "\(long)")
            // Another content of that size.
            try await bench.service.set(.init("GET /haul-test/f", replace: ["content", "CONTENT"]))
            let other = try await bench.one(.get, "/f", bench.local("g"), options: ["verify": "checksum"])
            #expect(other.result.errorClass == .checksum && bench.read("g") == nil, "\(other)")
        }
    }

    /// A copy fails after its 200 was sent, with an error in its place.
    @Test func anErrorInAGoodAnswer() async throws {
        try await Bench.with { bench in
            let large = try bench.write("large", Bench.content(Bench.least * 2 + 1))
            #expect(try await bench.one(.put, large, "/l").result.isOK)
            try await bench.service.set(
                .init("PUT /haul-test/c", status: 200, code: "InternalError"),
                .init("POST /haul-test/p?uploadId", status: 200, code: "InternalError"))
            let copy = try await bench.one(.copy, "/l", "/c", last: true)
            #expect(
                copy.result.errorClass == .unknown && copy.result.reason?.contains("InternalError") == true, "\(copy)")
            let put = try await bench.one(.put, large, "/p", last: true, settings: Bench.inParts)
            #expect(put.result.errorClass == .unknown && put.result.reason?.contains("InternalError") == true, "\(put)")
            #expect(try await bench.keys() == ["l"])
            #expect(try await bench.service.uploads() == 0)
        }
    }

    @Test(arguments: [
        S3Service.Fault("list-type=2", shorten: 200), .init("list-type=2", replace: ["ListBucketResult", "html"]),
        .init("list-type=2", replace: ["<IsTruncated>false", "<IsTruncated>true"]),
        .init("delimiter", replace: ["<Key>d", "<Key>e"]), .init("list-type=2", cutAnswer: 100),
    ]) func brokenListings(_ fault: S3Service.Fault) async throws {
        try await Bench.with { bench in
            for name in ["a", "b"] { try await bench.service.put("d/\(name)", "x") }
            try await bench.service.set(fault)
            let listed = try await bench.one(.list, "/d/")
            #expect([.unknown, .invalid, .interrupted].contains(listed.result.errorClass), "\(listed)")
            #expect(listed.result.reason?.hasPrefix("list /d") == true, "\(listed.result)")
            #expect(listed.paths.isEmpty || !listed.result.isOK)
            // Nothing that is not seen is removed.
            #expect(try await bench.one(.remove, "/d/").result.isOK == false)
            #expect(try await bench.keys() == ["d/a", "d/b"])
        }
    }

    @Test(arguments: [
        (301, "PermanentRedirect", "<Endpoint>haul-test.s3.eu-west-1.example</Endpoint>", "eu-west-1.example"),
        (307, "TemporaryRedirect", "", "another endpoint"),
        (400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>", "region eu-west-1"),
        (403, "SignatureDoesNotMatch", "", "secret key"), (403, "RequestTimeTooSkewed", "", "clock"),
        (404, "NoSuchBucket", "", "site option bucket"), (400, "ExpiredToken", "", "ExpiredToken"),
    ]) func refusalsSayWhatToDo(_ status: Int, _ code: String, _ detail: String, _ hint: String) async throws {
        try await Bench.with { bench in
            let file = try bench.write("f", "x")
            try await bench.service.set(
                .init(
                    " ", status: status, code: code, detail: detail,
                    header: ["Location", "http://127.0.0.1:1/elsewhere"]))
            for outcome in [
                try await bench.one(.list, "/"), try await bench.one(.put, file, "/f"),
                try await bench.one(.get, "/f", bench.local("g")), try await bench.one(.remove, "/f"),
                try await bench.one(.mkdir, "/d"), try await bench.one(.rename, "/f", "/g"),
            ] {
                #expect(outcome.result.reason?.contains(hint) == true, "\(outcome.result)")
                #expect(outcome.result.errorClass?.isPermanent == true, "\(outcome.result)")
            }
        }
    }
}
