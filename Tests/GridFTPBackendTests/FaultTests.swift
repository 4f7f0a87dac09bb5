import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Synchronization
import Testing

/// What goes wrong, provoked on the real server.
@Suite(.timeLimit(.minutes(15)))
struct FaultTests {
    /// Of several endpoints that serve the same files one that is there is used, at each side.
    @Test func oneOfTheEndpointsIsDown() async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            try bench.write(bench.a + "/f", "content")
            func site(_ name: String, _ server: GridFTPServer) -> SiteSpec {
                SiteSpec(site: name, endpoints: ["127.0.0.1:1", "no.such.host.invalid:2811", server.endpoint])
            }
            let batch = bench.batch(.copy, site("a", servers.first), to: site("b", servers.second))
            let (result, _) = try await bench.one(batch, bench.a + "/f", bench.b + "/f")
            #expect(result.isOK && bench.read(bench.b + "/f") == "content", "\(result.reason ?? "")")
            let none = SiteSpec(site: "a", endpoints: ["127.0.0.1:1", "127.0.0.1:2"])
            let (failed, _) = try await bench.one(bench.batch(.list, none), bench.a)
            #expect(failed.errorClass == .connect && failed.reason?.contains("127.0.0.1:1") == true, "\(failed)")
        }
    }

    @Test func nobodyListens() async throws {
        let server = try await GridFTPServer.anonymous()
        let bench = try Bench()
        defer { bench.remove() }
        let site = SiteSpec(site: "a", endpoints: [server.endpoint])
        await server.stop()
        let elements = (0..<50).map { ElementSpec(id: "\($0)", source: "/f\($0)", destination: "/g\($0)") }
        let outcome = try await bench.run(bench.batch(.copy, site, to: site), elements)
        for (id, result) in outcome.results { #expect(result.errorClass == .connect, "\(id): \(result.reason ?? "")") }
        #expect(outcome.results.count == 50)
    }

    @Test(arguments: Kind.allCases) func missingAndForbidden(_ kind: Kind) async throws {
        try await kind.withServers { servers in
            let bench = servers.bench
            let copy = bench.batch(.copy, servers.a, to: servers.b)
            let none = try await bench.one(copy, bench.a + "/none", bench.b + "/none")
            #expect(none.result.errorClass == .notFound)
            // Nobody writes there, whoever it is.
            let forbidden = try await bench.one(bench.batch(.mkdir, servers.a), "/proc/haul")
            #expect([.permission, .notFound].contains(forbidden.result.errorClass))
            try bench.write(bench.a + "/f", "x")
            let written = try await bench.one(copy, bench.a + "/f", "/proc/haul")
            #expect(!written.result.isOK)
            #expect(bench.names(bench.b) == [])
        }
    }

    @Test func anAccountWithoutRights() async throws {
        guard getuid() == 0 else { return print("NOT TESTED: another account. It takes root.") }
        let bench = try Bench()
        defer { bench.remove() }
        try bench.write(bench.a + "/secret", "x")
        chmod(bench.a + "/secret", 0o600)
        chmod(bench.folder, 0o755)
        let server = try await GridFTPServer.anonymous(["-anonymous-user", "nobody"])
        let site = SiteSpec(site: "a", endpoints: [server.endpoint])
        let got = try await bench.one(bench.batch(.get, site), bench.a + "/secret", bench.folder + "/got")
        #expect(got.result.errorClass == .permission, "\(got.result.reason ?? "")")
        let copied = try await bench.one(bench.batch(.copy, site, to: site), bench.a + "/secret", bench.b + "/f")
        #expect(copied.result.errorClass == .permission, "\(copied.result.reason ?? "")")
        let made = try await bench.one(bench.batch(.mkdir, site), bench.b + "/d")
        #expect(made.result.errorClass == .permission, "\(made.result.reason ?? "")")
        let removed = try await bench.one(bench.batch(.remove, site), bench.a + "/secret")
        #expect(removed.result.errorClass == .permission, "\(removed.result.reason ?? "")")
        await server.stop()
        #expect(!FileManager.default.fileExists(atPath: bench.folder + "/got"))
    }

    @Test func proxies() async throws {
        let bench = try Bench()
        defer { bench.remove() }
        let grid = try await Grid.make(users: ["alice"])
        let other = try await Grid.make(users: ["eve"])
        let server = try await GridFTPServer.gsi(grid)
        func list(_ proxy: String?, _ authorities: String) async throws -> ElementResult {
            let site = SiteSpec(
                site: "a", endpoints: [server.endpoint], options: ["ca_dir": .string(authorities)],
                credentials: proxy.map { ["x509-proxy": $0] } ?? [:])
            return try await bench.one(bench.batch(.list, site), bench.a).result
        }
        let alice = try await grid.proxy("alice")
        #expect(try await list(alice, grid.authorities).isOK)
        let old = try await list(try await grid.expiredProxy("alice"), grid.authorities)
        #expect(old.errorClass == .credentialExpired, "\(old.reason ?? "")")
        // Signed by an authority that the server does not know, and a server that this side's authorities do not know.
        let eve = try await list(try await other.proxy("eve"), grid.authorities)
        #expect(eve.errorClass == .auth, "\(eve.reason ?? "")")
        let unknown = try await list(alice, other.authorities)
        #expect(unknown.errorClass == .auth, "\(unknown.reason ?? "")")
        let none = try await list(nil, grid.authorities)
        #expect(none.errorClass == .auth, "\(none.reason ?? "")")
        #expect(none.reason?.contains("x509-proxy") == true)
        try Data("no proxy".utf8).write(to: URL(fileURLWithPath: bench.folder + "/broken"))
        let broken = try await list(bench.folder + "/broken", grid.authorities)
        #expect(broken.errorClass == .auth, "\(broken.reason ?? "")")
        await server.stop()
    }

    /// What is said without the server's key is not the server's word, but that the connection ends.
    @Test(arguments: ["230 welcome", "550-GridFTP-Errno: 2", "nonsense", "421 No such file or directory"])
    func somebodyOnTheWay(_ words: String) async throws {
        let bench = try Bench()
        defer { bench.remove() }
        let grid = try await Grid.make(users: ["alice"])
        let server = try await GridFTPServer.gsi(grid)
        let meddler = try await Meddler(port: server.port, words: words + "\r\n")
        let site = SiteSpec(
            site: "a", endpoints: [meddler.endpoint], options: ["ca_dir": .string(grid.authorities)],
            credentials: ["x509-proxy": try await grid.proxy("alice")])
        let listed = try await bench.one(bench.batch(.list, site), bench.a).result
        #expect(listed.errorClass == .connect, "\(listed.reason ?? "ok")")
        if !words.hasPrefix("421") {
            #expect(listed.reason?.contains("unprotected reply") == true, "\(listed.reason ?? "ok")")
        }
        await meddler.stop()
        await server.stop()
    }

    @Test func aHostCertificateOfAnother() async throws {
        let bench = try Bench()
        defer { bench.remove() }
        let grid = try await Grid.make(host: "elsewhere.example", users: ["alice"])
        let server = try await GridFTPServer.gsi(grid)
        var site = SiteSpec(
            site: "a", endpoints: [server.endpoint], options: ["ca_dir": .string(grid.authorities)],
            credentials: ["x509-proxy": try await grid.proxy("alice")])
        let refused = try await bench.one(bench.batch(.list, site), bench.a).result
        #expect(refused.errorClass == .auth, "\(refused.reason ?? "")")
        site.options["subject"] = "/O=haul/CN=elsewhere.example"
        let pinned = try await bench.one(bench.batch(.list, site), bench.a).result
        #expect(pinned.isOK, "\(pinned.reason ?? "")")
        await server.stop()
    }

    @Test(arguments: [200, 30 << 10]) func aFullDisk(_ kibibytes: Int) async throws {
        guard let disk = TinyDisk.open(kibibytes: kibibytes) else { return }
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            try bench.write(bench.a + "/f", Data(repeating: 1, count: (kibibytes + 100) << 10))
            let copied = try await bench.one(
                bench.batch(.copy, servers.a, to: servers.b), bench.a + "/f", disk.root + "/f")
            #expect(copied.result.errorClass == .noSpace, "\(copied.result.reason ?? "")")
            #expect(bench.names(disk.root) == [])
            let put = try await bench.one(bench.batch(.put, servers.b), bench.a + "/f", disk.root + "/f")
            #expect(put.result.errorClass == .noSpace, "\(put.result.reason ?? "")")
            #expect(bench.names(disk.root) == [])
            // The worker's own.
            let got = try await bench.one(bench.batch(.get, servers.a), bench.a + "/f", disk.root + "/f")
            #expect(got.result.errorClass == .noSpace, "\(got.result.reason ?? "")")
            #expect(bench.names(disk.root) == [])
        }
    }

    /// 300 MiB through a pipe that somebody cuts, again and again: what arrived counts.
    @Test func aServerThatDiesInTheMiddle() async throws {
        let bench = try Bench()
        defer { bench.remove() }
        let size = 640 << 20
        try bench.write(bench.a + "/big", "")
        let file = try #require(FileHandle(forUpdatingAtPath: bench.a + "/big"))
        for index in 0..<640 {
            try file.write(contentsOf: Data(repeating: UInt8(truncatingIfNeeded: index), count: 1 << 20))
        }
        try file.close()
        let first = try await GridFTPServer.anonymous()
        let second = try await GridFTPServer.anonymous()
        let a = SiteSpec(site: "a", endpoints: [first.endpoint])
        let b = SiteSpec(site: "b", endpoints: [second.endpoint])
        let watch = ArrivalWatch(bench, bytes: 260 << 20)
        // From the beginning: on a busy machine the first event comes when all is there.
        watch.once { second.killNow() }
        let cut = try await bench.one(bench.batch(.copy, a, to: b), bench.a + "/big", bench.b + "/big")
        await second.stop()
        #expect(
            cut.result.errorClass == .connect || cut.result.errorClass == .interrupted, "\(cut.result.reason ?? "")")
        #expect(!FileManager.default.fileExists(atPath: bench.b + "/big"))
        let third = try await GridFTPServer.anonymous()
        let again = try await bench.one(
            bench.batch(.copy, a, to: SiteSpec(site: "b", endpoints: [third.endpoint])), bench.a + "/big",
            bench.b + "/big", attempt: 2)
        #expect(again.result.isOK, "\(again.result.reason ?? "")")
        #expect(again.result.transferred == size)
        // It went on: no figure is of the first piece.
        #expect(again.outcome.progress.allSatisfy { $0 >= 128 << 20 }, "\(again.outcome.progress)")
        #expect(FileManager.default.contentsEqual(atPath: bench.a + "/big", andPath: bench.b + "/big"))
        #expect(bench.names(bench.b) == ["big"])
        await first.stop()
        await third.stop()
    }

    /// What had arrived before the server died is not sent again.
    @Test(arguments: [ProtocolOperation.get, .put]) func goesOnWhereItBrokeOff(_ operation: ProtocolOperation)
        async throws
    {
        let bench = try Bench()
        defer { bench.remove() }
        let size = 48 << 20
        try bench.write(bench.a + "/f", Data((0..<size).map { UInt8(truncatingIfNeeded: $0 >> 8 &* 37 &+ $0) }))
        let first = try await GridFTPServer.anonymous()
        func batch(_ server: GridFTPServer, _ options: [String: JSONValue]) -> BatchSpec {
            let options = options.merging(["verify": "checksum"]) { $1 }
            return bench.batch(operation, SiteSpec(site: "a", endpoints: [server.endpoint]), options: options)
        }
        // Slow enough to be caught in its middle.
        let slowly = batch(first, ["bandwidth": .int(8 << 20)])
        let cut = try await bench.one(slowly, bench.a + "/f", bench.b + "/f") { event, _ in
            if case .progress(_, let progress) = event, progress.transferred >= size / 4 { await first.kill() }
        }
        await first.stop()
        #expect(cut.result.errorClass?.isPermanent == false, "\(cut.result.reason ?? "ok")")
        #expect(!FileManager.default.fileExists(atPath: bench.b + "/f"))
        let second = try await GridFTPServer.anonymous()
        let again = try await bench.one(batch(second, [:]), bench.a + "/f", bench.b + "/f", attempt: 2)
        #expect(again.result.isOK, "\(again.result.reason ?? "")")
        #expect(again.outcome.logs.contains { $0.contains("going on from byte") }, "\(again.outcome.logs)")
        #expect(FileManager.default.contentsEqual(atPath: bench.a + "/f", andPath: bench.b + "/f"))
        #expect(bench.names(bench.b) == ["f"])
        await second.stop()
    }

    @Test func aServerThatFallsSilent() async throws {
        let bench = try Bench()
        defer { bench.remove() }
        let server = try await GridFTPServer.anonymous()
        let site = SiteSpec(site: "a", endpoints: [server.endpoint])
        try bench.write(bench.a + "/f", "")
        truncate(bench.a + "/f", 1 << 36)
        let began = Mutex<ContinuousClock.Instant?>(nil)
        let outcome = try await bench.run(
            bench.batch(.get, site, timeout: 3),
            [ElementSpec(id: "1", source: bench.a + "/f", destination: bench.folder + "/g", last: true)]
        ) { event, _ in
            guard case .progress(_, let progress) = event, progress.transferred > 0 else { return }
            began.withLock { $0 = $0 ?? .now }
            server.freeze()
        }
        #expect(outcome.results["1"]?.errorClass == .timeout, "\(outcome.results)")
        let start = try #require(began.withLock { $0 })
        #expect(ContinuousClock.now - start < .seconds(30))
        await server.stop()
        #expect(bench.names(bench.folder).filter { $0.hasPrefix(".haul") || $0 == "g" } == [])
    }

    @Test func theSourceChangesOnTheWay() async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            try bench.write(bench.a + "/big", "")
            truncate(bench.a + "/big", off_t(300 << 20))
            let meddler = try await Meddler(port: servers.second.port, touches: bench.a + "/big")
            let target = SiteSpec(site: "b", endpoints: [meddler.endpoint])
            let (result, _) = try await bench.one(
                bench.batch(.copy, servers.a, to: target), bench.a + "/big", bench.b + "/big", last: true)
            await meddler.stop()
            #expect(result.errorClass == .busy, "\(result.reason ?? "ok")")
            #expect(bench.names(bench.b) == [])
        }
    }

    /// Servers that do not copy from one to the other, or do not reach each other: the bytes pass through the worker, whole and
    /// checked, also those of a large file and over what an earlier attempt left.
    @Test(arguments: [("MODE E", "XNONE"), ("PORT ", "XNONE"), ("PORT ", "PORT 127,0,0,1,0,9")])
    func serversThatDoNotReachEachOther(line: String, instead: String) async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            let large = Data((0..<20_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 11) })
            try bench.write(bench.a + "/large", large)
            var elements = [ElementSpec(id: "large", source: bench.a + "/large", destination: bench.b + "/large")]
            for index in 0..<20 {
                try bench.write("\(bench.a)/f\(index)", "content of \(index)")
                elements.append(
                    ElementSpec(id: "\(index)", source: "\(bench.a)/f\(index)", destination: "\(bench.b)/f\(index)"))
            }
            let meddler = try await Meddler(port: servers.first.port, instead: (line, instead))
            let source = SiteSpec(site: "a", endpoints: [meddler.endpoint])
            let outcome = try await bench.run(
                bench.batch(.copy, source, to: servers.b, options: ["verify": "checksum"]), elements)
            await meddler.stop()
            #expect(outcome.results.count == elements.count)
            for (id, result) in outcome.results { #expect(result.isOK, "\(id): \(result.reason ?? "")") }
            #expect(outcome.logs.contains { $0.contains("through the worker") }, "\(outcome.logs)")
            for index in 0..<20 { #expect(bench.read("\(bench.b)/f\(index)") == "content of \(index)") }
            #expect(FileManager.default.contents(atPath: bench.b + "/large") == large)
            #expect(!bench.names(bench.b).contains { $0.hasPrefix(".haul") })
        }
    }

    /// Neither the proxy nor its words are told to anybody.
    @Test func nothingSecretIsTold() async throws {
        let grid = try await Grid.make(users: ["alice"])
        let server = try await GridFTPServer.gsi(grid)
        let bench = try Bench()
        defer { bench.remove() }
        let proxy = try await grid.proxy("alice")
        let site = SiteSpec(
            site: "a", endpoints: [server.endpoint], options: ["ca_dir": .string(grid.authorities)],
            credentials: ["x509-proxy": proxy])
        try bench.write(bench.a + "/f", "")
        truncate(bench.a + "/f", 1 << 34)
        let arguments = Mutex<[String]>([])
        let outcome = try await bench.run(
            bench.batch(.get, site),
            [ElementSpec(id: "1", source: bench.a + "/f", destination: bench.folder + "/g", last: true)]
        ) { event, run in
            guard case .progress(_, let progress) = event, progress.transferred > 0 else { return }
            let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            let lines = processes.compactMap { FileManager.default.contents(atPath: "/proc/\($0)/cmdline") }
                .map { String(decoding: $0, as: UTF8.self) }.filter { $0.contains("haul-gsi") }
            arguments.withLock { $0 += lines }
            await run?.cancel("1")
        }
        await server.stop()
        #expect(arguments.withLock { $0 }.contains { $0.contains("receive") })
        let secret = try #require(bench.read(proxy)).split(separator: "\n")
        for text in arguments.withLock({ $0 }) + outcome.logs + [outcome.results["1"]?.reason ?? ""] {
            #expect(!text.contains(proxy))
            for line in secret where line.count > 20 { #expect(!text.contains(line)) }
        }
    }
}
