import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

@Suite(.timeLimit(.minutes(15)))
struct ChangeTests {
    @Test func links() async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            try bench.write(bench.a + "/dir/f", "content")
            symlink("f", bench.a + "/dir/link")
            symlink("dir", bench.a + "/way")
            symlink("nowhere", bench.a + "/dir/lost")
            let seen = try await bench.one(bench.batch(.list, servers.a), bench.a)
            #expect(seen.result.isOK)
            let kinds = Dictionary(
                uniqueKeysWithValues: seen.outcome.entries.flatMap { chunk in
                    chunk.entries.map { (chunk.directory + "/" + $0.name, $0.kind) }
                })
            #expect(
                kinds == [
                    bench.a + "/dir": .directory, bench.a + "/dir/f": .file, bench.a + "/dir/link": .link,
                    bench.a + "/way": .link,
                ])
            #expect(seen.outcome.logs.contains { $0.contains("1 names that the server does not tell") })
            let follow = bench.batch(.list, servers.a, options: ["symlinks": "follow"])
            let followed = try await bench.one(follow, bench.a).outcome.paths
            #expect(followed[bench.a + "/way/link"] == 7)
            let copied = try await bench.one(
                bench.batch(.copy, servers.a, to: servers.b), bench.a + "/dir/link", bench.b + "/x")
            #expect(copied.result.errorClass == .invalid)
            let content = try await bench.one(
                bench.batch(.copy, servers.a, to: servers.b, options: ["symlinks": "follow"]), bench.a + "/dir/link",
                bench.b + "/x")
            #expect(content.result.isOK)
            #expect(bench.read(bench.b + "/x") == "content")
            // A circle ends the listing.
            symlink("..", bench.a + "/dir/up")
            #expect(try await bench.one(follow, bench.a).result.errorClass == .invalid)
            // A link goes, and what it led to stays; one that leads nowhere goes, too.
            for name in ["link", "lost", "up"] {
                let removed = try await bench.one(bench.batch(.remove, servers.a), bench.a + "/dir/" + name)
                #expect(removed.result.isOK, "\(name): \(removed.result.reason ?? "")")
            }
            #expect(bench.names(bench.a + "/dir") == ["f"])
        }
    }

    @Test func renamesOfOneFile() async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            let rename = bench.batch(.rename, servers.a, options: ["overwrite": "always"])
            try bench.write(bench.a + "/f", "content")
            for other in [bench.a + "/f", bench.a + "/./f"] {
                let same = try await bench.one(rename, bench.a + "/f", other)
                #expect(same.result.errorClass == .invalid, "\(same.result.reason ?? "ok")")
            }
            symlink(".", bench.a + "/here")
            #expect(try await bench.one(rename, bench.a + "/f", bench.a + "/here/f").result.errorClass == .invalid)
            #expect(bench.read(bench.a + "/f") == "content")
            link(bench.a + "/f", bench.a + "/g")
            let linked = try await bench.one(rename, bench.a + "/f", bench.a + "/g")
            #expect(linked.result.isOK)
            #expect(bench.names(bench.a) == ["g", "here"])
        }
    }

    /// The server tells a thousand names in a reply.
    @Test(arguments: [997, 998, 999, 2500]) func aLargeDirectory(_ count: Int) async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            for index in 0..<count { try bench.write("\(bench.a)/d/f\(index)", "") }
            let listed = try await bench.one(bench.batch(.list, servers.a), bench.a + "/d")
            #expect(listed.result.isOK, "\(listed.result.reason ?? "")")
            #expect(listed.outcome.paths.count == count)
            // What is looked up by one listing of the directory is found, too.
            let elements = (0..<count).filter { $0 % 10 == 0 }.map {
                ElementSpec(id: "\($0)", source: "\(bench.a)/d/f\($0)", destination: "\(bench.b)/f\($0)")
            }
            let copied = try await bench.run(bench.batch(.copy, servers.a, to: servers.b), elements)
            #expect(copied.results.values.compactMap(\.reason) == [])
            #expect(bench.names(bench.b).count == elements.count)
        }
    }

    @Test func aNameWithALineBreak() async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            try bench.write(bench.a + "/d/one\n Type=file;Size=1; two", "x")
            let listed = try await bench.one(bench.batch(.list, servers.a), bench.a + "/d")
            #expect(listed.result.errorClass == .invalid)
            #expect(listed.outcome.entries.isEmpty)
            try FileManager.default.removeItem(atPath: bench.a + "/d")
            try bench.write(bench.a + "/d/new\nline", "x")
            let broken = try await bench.one(bench.batch(.list, servers.a), bench.a + "/d")
            #expect(broken.result.errorClass == .invalid)
            #expect(broken.result.reason?.contains(#"/d holds the name "new\x0aline""#) == true)
            for operation in [ProtocolOperation.remove, .mkdir, .list] {
                let refused = try await bench.one(bench.batch(operation, servers.a), bench.a + "/x\nDELE \(bench.a)/d")
                #expect(refused.result.errorClass == .invalid)
            }
        }
    }

    /// A name can end the reply that lists it; the listing fails, and what else is asked gets its own answers.
    @Test(
        arguments: Kind.allCases,
        [
            "x\n250 End\n250-y", "x\n150 End\n250-y", "x\r\n250 End.\r\n200-y", "x\n250 End\n777 y", "x\n250 End",
            "x\n", "x\n\n", "x\r",
        ])
    func aNameThatEndsAListing(_ kind: Kind, _ name: String) async throws {
        try await kind.withServers { servers in
            let bench = servers.bench
            try bench.write(bench.a + "/d/" + name, "x")
            for index in 0..<20 {
                try bench.write(bench.a + "/d/f\(index)", "x")
                try bench.write(bench.a + "/sound\(index)/f\(index)", "x")
            }
            let began = ContinuousClock.now
            let sources = [bench.a + "/d"] + (0..<20).map { "\(bench.a)/sound\($0)" }
            let outcome = try await bench.run(
                bench.batch(.list, servers.a), sources.map { ElementSpec(id: $0, source: $0) })
            let hostile = try #require(outcome.results[bench.a + "/d"])
            #expect(hostile.errorClass == .invalid, "\(hostile.reason ?? "ok")")
            #expect(hostile.reason?.contains(#"/d holds the name "x\x0"#) == true, "\(hostile.reason ?? "")")
            for source in sources.dropFirst() {
                let result = try #require(outcome.results[source])
                #expect(result.isOK, "\(source): \(result.reason ?? "")")
            }
            #expect(outcome.paths.count == 20)
            // Nothing waited for its time to be over, which is 60 s.
            #expect(ContinuousClock.now - began < .seconds(55))
        }
    }

    /// Without GSI the server hears `ab` where `a\u{e9}b` is said: no operation may touch that.
    @Test func namesThatTheServerWouldMistake() async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            try bench.write(bench.a + "/ab", "precious")
            for operation in [ProtocolOperation.remove, .mkdir, .list] {
                let refused = try await bench.one(bench.batch(operation, servers.a), bench.a + "/a\u{e9}b")
                #expect(refused.result.errorClass == .invalid)
                #expect(refused.result.reason?.contains("x509-proxy") == true)
            }
            let copied = try await bench.one(
                bench.batch(.copy, servers.a, to: servers.b, options: ["overwrite": "always"]), bench.a + "/ab",
                bench.a + "/a\u{e9}b")
            #expect(copied.result.errorClass == .invalid)
            #expect(bench.read(bench.a + "/ab") == "precious")
            #expect(bench.names(bench.a) == ["ab"])
        }
    }

    @Test func removesManyAndDeep() async throws {
        try await Kind.gsi.withServers { servers in
            let bench = servers.bench
            let made = (0..<100).map { ElementSpec(id: "\($0)", source: "\(bench.a)/x\($0 % 10)/y\($0)/z") }
            let outcome = try await bench.run(bench.batch(.mkdir, servers.a), made)
            #expect(outcome.results.values.filter { !$0.isOK } == [])
            for index in 0..<100 { try bench.write("\(bench.a)/f\(index)", "x") }
            let files = (0..<100).map { ElementSpec(id: "\($0)", source: "\(bench.a)/f\($0)") }
            let removed = try await bench.run(bench.batch(.remove, servers.a), files)
            #expect(removed.results.count == 100)
            #expect(removed.results.values.filter { !$0.isOK } == [])
            let full = try await bench.one(bench.batch(.remove, servers.a), bench.a + "/x0/")
            #expect(full.result.errorClass == .notEmpty)
        }
    }
}
