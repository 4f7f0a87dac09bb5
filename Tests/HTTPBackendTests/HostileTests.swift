import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

@Suite(.serialized) struct HostileTests {
    private func with(_ body: (Bench, _ hostile: String, _ good: String) async throws -> Void) async throws {
        try await Kind.apache.withServers { bench, _, b in
            let hostile = try await HostileServer.start()
            do { try await body(bench, hostile.endpoint, b) } catch {
                await hostile.stop()
                throw error
            }
            await hostile.stop()
            #expect(!bench.names(bench.b).contains { $0.hasPrefix(".haul-part-") })
        }
    }

    @Test func eachFaultFailsItsOwnElementOnly() async throws {
        try await with { bench, hostile, b in
            let expected: [String: ErrorClass?] = [
                "/loop": .invalid, "/short": .interrupted, "/liar": .invalid, "/less": .interrupted,
                "/unsized": .invalid, "/flood": .invalid, "/fold": nil, "/none": .notFound, "/deny": .permission,
                "/secret": .auth, "/flaky": .busy,
            ]
            let elements = expected.keys.map { ElementSpec(id: $0, source: $0, destination: "/out" + $0) }
            let batch = bench.batch(.copy, hostile, to: b)
            let outcome = try await bench.run(batch, elements)
            for (path, errorClass) in expected {
                let result = outcome.results[path]
                #expect(result?.errorClass == errorClass, "\(path): \(result?.reason ?? "ok")")
                #expect(bench.read(bench.b + "/out" + path) == (errorClass == nil ? "ok" : nil))
            }
            // What failed once goes the second time.
            #expect(try await bench.one(batch, "/flaky", "/out/flaky", attempt: 2).result.isOK)
        }
    }

    @Test func endlessBodiesEnd() async throws {
        try await with { bench, hostile, b in
            let listing = try await bench.one(bench.batch(.list, hostile, spoolBytes: 64 << 20), "/endless")
            #expect(listing.result.isOK == false)
            for path in ["/garbage", "/html"] {
                #expect(try await bench.one(bench.batch(.list, hostile), path).result.isOK == false)
            }
        }
    }

    /// Neither followed nor left out: a directory of which a part is not understood is not listed, and not removed.
    @Test(arguments: ["etc", "dots", "slash", "above", "latin", "line"])
    func hrefsCannotLeaveTheDirectory(_ which: String) async throws {
        try await with { bench, hostile, _ in
            let (result, outcome) = try await bench.one(bench.batch(.list, hostile), "/escape-\(which)")
            #expect(result.errorClass == .invalid, "\(result)")
            #expect(result.reason?.contains("/escape-\(which)") == true)
            #expect(outcome.paths.keys.allSatisfy { $0 == "/escape-\(which)/ok" })
            #expect(try await bench.one(bench.batch(.remove, hostile), "/escape-\(which)/").result.isOK == false)
        }
    }

    @Test func aBrokenDownloadGoesOn() async throws {
        try await with { bench, hostile, b in
            let batch = bench.batch(.copy, hostile, to: b)
            let (result, outcome) = try await bench.one(batch, "/broken", "/whole")
            #expect(result.reason == nil)
            #expect(FileManager.default.contents(atPath: bench.b + "/whole") == Data(repeating: 98, count: 20 << 20))
            #expect(outcome.logs.contains { $0.contains("going on from there") })
            // Not where the content is another by now.
            #expect(try await bench.one(batch, "/broken-changed", "/changed").result.isOK == false)
            // Apache removes what it was writing to when it sees that the connection is gone.
            try await eventually("nothing is left of it") { bench.names(bench.b) == ["whole"] }
        }
    }

    @Test func refusedUploadsAreClassified() async throws {
        try await with { bench, hostile, _ in
            for (name, size) in [("s", 100), ("l", 30 << 20)] {
                try bench.write(bench.folder + "/" + name, Data(count: size))
                let full = try await bench.one(bench.batch(.put, hostile), bench.folder + "/" + name, "/full/x")
                #expect(full.result.errorClass == .noSpace, "\(full.result.reason ?? "")")
            }
        }
    }

    @Test func aSilentServerIsATimeout() async throws {
        try await with { bench, hostile, b in
            let result = try await bench.one(bench.batch(.copy, hostile, to: b, timeout: 2), "/slow", "/slow").result
            #expect(result.errorClass == .timeout)
            let nobody = try await bench.one(bench.batch(.list, "127.0.0.1:1"), "/").result
            #expect(nobody.errorClass == .connect)
        }
    }

    @Test func secretsGoInHeadersOnly() async throws {
        try await with { bench, hostile, b in
            let token = bench.folder + "/token"
            try bench.write(token, "tok\"en\n")
            let batch = bench.batch(.copy, hostile, to: b, credentials: ["bearer": token])
            #expect(try await bench.one(batch, "/secret", "/s").result.isOK)
            #expect(bench.read(bench.b + "/s") == "s")
        }
    }

    @Test func passwordsAreAskedFor() async throws {
        let bench = try Bench()
        defer { bench.remove() }
        // The SHA-1 of "password".
        let file = bench.folder + "/users"
        try bench.write(file, "u:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n")
        let server = try await Apache.start(root: bench.a, passwordFile: file)
        try bench.write(bench.a + "/f", "x")
        let secret = bench.folder + "/secret"
        try bench.write(secret, "u:password")
        let with = try await bench.one(bench.batch(.list, server.endpoint, credentials: ["http-password": secret]), "/")
        let without = try await bench.one(bench.batch(.list, server.endpoint), "/")
        await server.stop()
        #expect(with.result.isOK && with.outcome.paths.keys.contains("//f"))
        #expect(without.result.errorClass == .auth)
    }

    @Test func plainServersAreSources() async throws {
        try await Kind.nginx.withServers { bench, _, b in
            try bench.write(bench.a + "/d/f x", "plain")
            let plain = try await HostileServer.plain(bench.a)
            let apache = try await Apache.start(root: bench.a, dav: false)
            for (index, endpoint) in [plain.endpoint, apache.endpoint].enumerated() {
                let copy = try await bench.one(bench.batch(.copy, endpoint, to: b), "/d/f x", "/copy\(index)")
                #expect(copy.result.reason == nil)
                #expect(bench.read(bench.b + "/copy\(index)") == "plain")
                let listed = try await bench.one(bench.batch(.list, endpoint), "/d/f x")
                #expect(listed.outcome.paths == ["/d/f x": 5])
                #expect(try await bench.one(bench.batch(.list, endpoint), "/d").result.errorClass == .invalid)
                #expect(
                    try await bench.one(bench.batch(.copy, endpoint, to: b), "/d", "/d").result.errorClass == .invalid)
                #expect(
                    try await bench.one(bench.batch(.copy, endpoint, to: b), "/no", "/d").result.errorClass == .notFound
                )
                let put = try await bench.one(bench.batch(.put, endpoint), bench.a + "/d/f x", "/new").result
                #expect(put.errorClass == .invalid || put.errorClass == .permission)
            }
            await plain.stop()
            await apache.stop()
        }
    }
}
