import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Testing

/// A server that sends its clients on to another, as the manager of a cluster does.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RedirectTests {
    private func with(_ body: @Sendable (_ bench: Bench, _ manager: String) async throws -> Void) async throws {
        try await Bench.with { bench in
            try bench.write("d/f", Data("content".utf8))
            let empty = bench.folder + "/empty"
            try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
            let manager = try await XRootD.start(
                root: empty,
                more: "xrootd.redirect \(bench.server.endpoint) all\nxrootd.redirect \(bench.server.endpoint) / /")
            do { try await body(bench, manager.endpoint) } catch {
                await manager.stop()
                throw error
            }
            await manager.stop()
        }
    }

    /// Where the worker has a list of hosts, the tools go nowhere else; the reason says so.
    @Test func notWithAListOfHosts() async throws {
        try await with { bench, manager in
            var bench = bench
            bench.hosts = HostList([manager])
            let (got, local) = (bench.folder + "/got", bench.folder + "/local")
            try Data("new".utf8).write(to: URL(fileURLWithPath: local))
            for (operation, source, target) in [
                (.list, "/d", nil), (.get, "/d/f", got), (.put, local, "/d/new"), (.copy, "/d/f", "/d/g"),
                (.remove, "/d/f", nil),
                (.rename, "/d/f", "/d/h"), (.mkdir, "/e", nil),
            ] as [(ProtocolOperation, String, String?)] {
                let result = try await bench.one(operation, source, target, endpoints: [manager]).result
                #expect(result.errorClass == .permission, "\(operation): \(result)")
                #expect(result.reason?.contains("setting `redirects` is `follow`") == true, "\(operation): \(result)")
            }
            #expect(!FileManager.default.fileExists(atPath: got))
            #expect(try FileManager.default.contentsOfDirectory(atPath: bench.root) == ["d"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: bench.root + "/d") == ["f"])
        }
    }

    /// Without a list, or where the worker's configuration says that servers may: as the server wants it.
    @Test(arguments: [true, false]) func elsewhereItDoes(_ isListed: Bool) async throws {
        try await with { bench, manager in
            var bench = bench
            bench.hosts = isListed ? HostList([manager]) : nil
            bench.settings = isListed ? ["redirects": "follow"] : [:]
            let got = bench.folder + "/got"
            let result = try await bench.one(.get, "/d/f", got, endpoints: [manager]).result
            #expect(result.isOK && FileManager.default.contents(atPath: got) == Data("content".utf8), "\(result)")
        }
    }

    /// What is in the list and serves by itself does not notice it.
    @Test func aServerOfItsOwn() async throws {
        try await with { bench, _ in
            var bench = bench
            bench.hosts = HostList([bench.server.endpoint])
            let copied = try await bench.one(.copy, "/d/f", "/d/g").result
            let listed = try await bench.one(.list, "/d")
            #expect(copied.isOK && listed.entries.sorted() == ["/d/f", "/d/g"], "\(copied) \(listed)")
        }
    }
}
