import Foundation
import HaulModel
import HaulProtocol
import Testing

/// Elements at a server that sends the worker elsewhere.
@Suite(.serialized, .timeLimit(.minutes(15))) struct RedirectedElementTests {
    private static let paths = ["/f", "/large", "/dir", "/up"]

    private func with(
        _ body: (_ bench: Bench, _ first: RedirectingServer, _ other: RedirectingServer) async throws -> Void
    ) async throws {
        let bench = try Bench()
        defer { bench.remove() }
        try await RedirectingServer.withTwo { other in
            let address = "http://\(other.endpoint)"
            var table = Dictionary(uniqueKeysWithValues: Self.paths.map { ($0, address + $0) })
            table["changes"] = address
            return table
        } _: { first, other in
            try await body(bench, first, other)
        }
        #expect(bench.names(bench.folder + "/spool") == [])
    }

    /// What changes something is sent on to nobody, not to whom the worker may talk either.
    @Test(arguments: [true, false]) func changesStayWhereTheyWereAsked(_ isListed: Bool) async throws {
        try await with { bench, first, other in
            try bench.write(bench.folder + "/upload", "content")
            try bench.write(bench.folder + "/big", Data(count: 9 << 20))
            func end(_ operation: ProtocolOperation, _ source: String, _ target: String? = nil) async throws {
                var batch = bench.batch(operation, first.endpoint, to: operation == .copy ? first.endpoint : nil)
                if isListed { batch.hosts = HostList([first.endpoint, other.endpoint]) }
                batch.options["overwrite"] = "always"
                let result = try await bench.one(batch, source, target).result
                #expect(!result.isOK, "\(operation) \(source): \(result)")
            }
            for file in ["/upload", "/big"] { try await end(.put, bench.folder + file, "/new") }
            for path in ["/f", "/g"] {
                try await end(.remove, path)
                try await end(.mkdir, path)
                try await end(.rename, path, "/h")
                try await end(.copy, path, "/h")
            }
            let changing = ["PUT", "DELETE", "MKCOL", "MOVE", "COPY", "POST"]
            let (asked, sentOn) = (try await first.seen(), try await other.seen())
            #expect(asked.contains { line in changing.contains { line.hasPrefix($0) } }, "\(asked)")
            #expect(!sentOn.contains { line in changing.contains { line.hasPrefix($0) } }, "\(sentOn)")
        }
    }

    /// Whatever is asked for, the other server hears nothing of it.
    @Test func nothingGoesElsewhere() async throws {
        try await with { bench, first, other in
            let target = try await RedirectingServer.start()
            defer { Task { await target.stop() } }
            func batch(_ operation: ProtocolOperation, to destination: String? = nil) -> BatchSpec {
                var batch = bench.batch(operation, first.endpoint, to: destination)
                batch.hosts = HostList([first.endpoint, target.endpoint])
                return batch
            }
            try bench.write(bench.folder + "/upload", "content")
            try bench.write(bench.folder + "/big", Data(count: 9 << 20))
            var results: [String: ElementResult] = [:]
            for path in Self.paths {
                results["get \(path)"] = try await bench.one(batch(.get), path, bench.folder + "/got").result
                results["copy \(path)"] = try await bench.one(batch(.copy, to: target.endpoint), path, "/new").result
                results["list \(path)"] = try await bench.one(batch(.list), path).result
            }
            for (what, result) in results {
                #expect(result.errorClass == .permission, "\(what): \(result)")
                #expect(result.reason?.contains("\(other.endpoint) is none of the hosts") == true, "\(what): \(result)")
            }
            for file in ["/upload", "/big"] {
                for path in ["/up", "/new"] {
                    var put = batch(.put)
                    put.options["overwrite"] = "always"
                    #expect(try await bench.one(put, bench.folder + file, path).result.isOK == false)
                }
            }
            for path in ["/f", "/g"] {
                #expect(try await bench.one(batch(.remove), path).result.isOK == false)
                #expect(try await bench.one(batch(.mkdir), path).result.isOK == false)
                #expect(try await bench.one(batch(.rename), path, "/h").result.isOK == false)
                var copy = batch(.copy, to: first.endpoint)
                copy.options["overwrite"] = "always"
                #expect(try await bench.one(copy, path, "/h").result.isOK == false)
            }
            #expect(try await first.seen().contains { $0.hasPrefix("PUT /") && $0.hasSuffix(" - body") })
            #expect(!FileManager.default.fileExists(atPath: bench.folder + "/got"))
            #expect(try await other.seen() == [])
            // What was never in the list is not asked either.
            var strange = bench.batch(.list, other.endpoint)
            strange.hosts = HostList([first.endpoint])
            #expect(try await bench.one(strange, "/").result.errorClass == .permission)
            #expect(try await other.seen() == [])
        }
    }

    /// A redirect to where it may go is followed, without the login.
    @Test(arguments: [true, false]) func whatMayBeAsked(_ isListed: Bool) async throws {
        try await with { bench, first, other in
            let token = bench.folder + "/token"
            try bench.write(token, "word\n")
            var batch = bench.batch(.list, first.endpoint, credentials: ["bearer": token])
            if isListed { batch.hosts = HostList([first.endpoint, other.endpoint]) }
            let listing = try await bench.one(batch, "/dir")
            #expect(listing.result.isOK && listing.outcome.paths.keys.contains("/dir/x"), "\(listing)")
            for (path, size) in [("/f", "of \(other.port)\n".utf8.count), ("/large", RedirectingServer.large)] {
                batch.operation = .get
                let got = try await bench.one(batch, path, bench.folder + "/got" + path)
                #expect(got.result.transferred == size, "\(got)")
            }
            let seen = try await other.seen().filter { $0 != "connection" }
            #expect(
                seen.contains("GET /f -") && seen.contains("GET /large -") && seen.contains("PROPFIND /dir - body"))
            #expect(!seen.contains { $0.contains("word") })
            #expect(try await first.seen().contains("GET /f Bearer word"))
        }
    }

    /// A listing whose hrefs name another host is of the server that was asked, and so is what is fetched then.
    @Test func hrefsOfAnotherHost() async throws {
        let bench = try Bench()
        defer { bench.remove() }
        let other = try await RedirectingServer.start()
        let first = try await RedirectingServer.start(["hrefs": "http://\(other.endpoint)"])
        var batch = bench.batch(.list, first.endpoint)
        batch.hosts = HostList([first.endpoint])
        let listing = try await bench.one(batch, "/dir")
        #expect(listing.result.isOK && listing.outcome.paths.keys.contains("/dir/x"), "\(listing)")
        batch.operation = .remove
        _ = try await bench.one(batch, "/dir/x")
        let (asked, strange) = (try await first.seen(), try await other.seen())
        await first.stop()
        await other.stop()
        #expect(asked.contains("DELETE /dir/x -") && strange == [])
    }
}
