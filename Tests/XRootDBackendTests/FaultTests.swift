import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// What goes wrong, provoked on the real server.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct FaultTests {
    /// A server that takes proxies alone.
    @Test func proxies() async throws {
        let grid = try await Grid.make(users: ["alice"])
        let stranger = try await Grid.make(users: ["eve"])
        try await Bench.with { bench in
            let (own, root) = (bench.folder + "/own", bench.folder + "/guarded")
            for folder in [own, root] {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            try FileManager.default.copyItem(atPath: grid.authorities, toPath: own + "/ca")
            for name in ["host.pem", "host.key"] {
                try FileManager.default.copyItem(atPath: "\(grid.folder)/\(name)", toPath: "\(own)/\(name)")
            }
            chmod(own + "/host.key", 0o400)
            if getuid() == 0 { chown(own + "/host.key", try #require(getpwnam("nobody")).pointee.pw_uid, 0) }
            try Data("x".utf8).write(to: URL(fileURLWithPath: root + "/file"))
            let server = try await XRootD.start(
                root: root,
                more: """
                    xrootd.seclib libXrdSec.so
                    sec.protocol gsi -certdir:\(own)/ca -cert:\(own)/host.pem -key:\(own)/host.key -crl:0 -gmapopt:10 -gridmap:/dev/null
                    sec.protbind * only gsi
                    """)
            // The name of its certificate.
            let endpoint = server.endpoint.replacing("127.0.0.1", with: "localhost")
            let broken = try bench.local("broken", Data("no proxy".utf8))
            chmod(broken, 0o600)
            for (name, proxy, authorities, expected) in [
                ("good", try await grid.proxy("alice"), grid.authorities, nil),
                ("over", try await grid.expiredProxy("alice"), grid.authorities, .credentialExpired),
                ("eve's", try await stranger.proxy("eve"), grid.authorities, .auth),
                ("none", nil, grid.authorities, .auth), ("broken", broken, grid.authorities, .auth),
                ("for another server", try await grid.proxy("alice"), stranger.authorities, .auth),
            ] as [(String, String?, String, ErrorClass?)] {
                var bench = bench
                bench.environment = ["X509_CERT_DIR": authorities]
                bench.credentials = proxy.map { ["x509-proxy": $0] } ?? [:]
                let listed = try await bench.one(.list, "/file", endpoints: [endpoint])
                #expect(listed.result.errorClass == expected, "\(name): \(listed.result)")
                let back = "\(bench.folder)/back \(name)"
                let got = try await bench.one(.get, "/file", back, endpoints: [endpoint])
                #expect(got.result.errorClass == expected, "\(name): \(got.result)")
                #expect(FileManager.default.fileExists(atPath: back) == (expected == nil), "\(name)")
                let secret = proxy.flatMap { FileManager.default.contents(atPath: $0) } ?? Data()
                for line in String(decoding: secret, as: UTF8.self).split(separator: "\n") where line.count > 20 {
                    #expect(!"\(listed)\(got)".contains(line), "\(name)")
                }
            }
            await server.stop()
        }
    }

    /// As root this process reads everything; the server's own user does not.
    @Test func filesThatAreNotTheServersOwn() async throws {
        guard getuid() == 0 else { return print("NOT TESTED: files of another user. It takes root.") }
        try await Bench.with { bench in
            try bench.write("secret", Data("x".utf8))
            chmod(bench.root + "/secret", 0o600)
            try bench.write("fine", Data("fine".utf8))
            try bench.write("closed/file", Data("x".utf8))
            chmod(bench.root + "/closed", 0o755)
            let file = try bench.local("file", Data("y".utf8))
            for (operation, source, destination) in [
                (.get, "/secret", bench.folder + "/got"), (.copy, "/secret", "/to"), (.copy, "/fine", "/closed/to"),
                (.put, file, "/closed/to"), (.put, file, "/closed/d/to"), (.mkdir, "/closed/d", nil),
                (.remove, "/closed/file", nil), (.rename, "/closed/file", "/to"),
            ] as [(ProtocolOperation, String, String?)] {
                let outcome = try await bench.one(operation, source, destination)
                #expect(outcome.result.errorClass == .permission, "\(operation) \(source): \(outcome.result)")
            }
            #expect(try bench.names() == ["closed", "fine", "secret"])
            #expect(try bench.names("closed") == ["file"])
            #expect(!FileManager.default.fileExists(atPath: bench.folder + "/got"))
        }
    }

    /// Also where the bytes pass through haul.
    @Test(arguments: [nil, 64 << 20]) func theWorkersDiskIsFull(_ bandwidth: Int?) async throws {
        guard let disk = TinyDisk.open(kibibytes: 1024) else { return }
        defer { disk.remove() }
        try await Bench.with { bench in
            try bench.write("from", Bench.noise(12 << 20))
            let outcome = try await bench.one(
                .get, "/from", disk.root + "/to", options: bandwidth.map { ["bandwidth": .int($0)] } ?? [:])
            #expect(outcome.result.errorClass == .noSpace, "\(outcome.result)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk.root) == [])
        }
    }

    /// A server that fetches for itself says nothing of its disk: what is there is too short.
    @Test func aCopyOntoAFullDisk() async throws {
        guard let disk = TinyDisk.open(kibibytes: 1024) else { return }
        defer { disk.remove() }
        try await Bench.with { bench in
            try await Bench.with(root: disk.root) { full in
                try bench.write("from", Bench.noise(4 << 20))
                for (third, expected) in [("only", .checksum), ("first", .noSpace), ("never", .noSpace)]
                    as [(String, ErrorClass)]
                {
                    let outcome = try await bench.one(
                        .copy, "/from", "/to", options: ["third_party": .string(third)], to: [full.server.endpoint])
                    #expect(outcome.result.errorClass == expected, "\(third): \(outcome.result)")
                    #expect(try full.names() == [], "\(third)")
                }
            }
        }
    }

    /// The server that a file goes to, and in a copy the one that it comes from: a later attempt makes it whole.
    @Test(arguments: [(ProtocolOperation.put, true), (.copy, true), (.copy, false)])
    func aServerThatIsKilledOnTheWay(operation: ProtocolOperation, isTarget: Bool) async throws {
        try await Bench.with { bench in
            try await Bench.with { other in
                let size = 24 << 20
                try bench.write("from", Bench.noise(size))
                let (source, options): (String, [String: JSONValue]) =
                    operation == .put
                    ? (bench.root + "/from", [:]) : ("/from", ["third_party": "never"])
                let (first, second) = (operation == .put ? other : bench, other)
                let pid = isTarget ? second.server.pid : first.server.pid
                let slow = options.merging(["bandwidth": .int(8 << 20)]) { $1 }
                let cut = try await first.one(
                    operation, source, "/to", options: slow, to: [second.server.endpoint]
                ) { event, _ in
                    guard case .progress(_, let progress) = event, progress.transferred > size / 2 else { return }
                    kill(-pid, SIGKILL)
                }
                #expect(cut.result.errorClass?.isPermanent == false, "\(cut.result)")
                #expect(try !other.names().contains("to"))
                let next = try await XRootD.start(root: (isTarget ? second : first).root)
                let again = try await first.one(
                    operation, source, "/to", attempt: 2, options: options,
                    endpoints: isTarget && operation == .copy ? nil : [next.endpoint],
                    to: isTarget ? [next.endpoint] : [second.server.endpoint])
                await next.stop()
                #expect(again.result.isOK, "\(again)")
                #expect(FileManager.default.contentsEqual(atPath: other.root + "/to", andPath: bench.root + "/from"))
                #expect(try other.names() == ["to"])
            }
        }
    }

    /// What had arrived is not fetched again.
    @Test func aServerThatIsKilledWhileItGives() async throws {
        try await Bench.with { bench in
            let size = 24 << 20
            try bench.write("from", Bench.noise(size))
            let (pid, to) = (bench.server.pid, bench.folder + "/to/file")
            let cut = try await bench.one(.get, "/from", to, options: ["bandwidth": .int(8 << 20)]) { event, _ in
                guard case .progress(_, let progress) = event, progress.transferred > size / 2 else { return }
                kill(-pid, SIGKILL)
            }
            #expect(cut.result.errorClass?.isPermanent == false, "\(cut.result)")
            #expect(!FileManager.default.fileExists(atPath: to))
            let next = try await XRootD.start(root: bench.root)
            let again = try await bench.one(.get, "/from", to, attempt: 2, endpoints: [next.endpoint])
            await next.stop()
            #expect(again.result.isOK && again.log.contains("going on from byte"), "\(again)")
            #expect(FileManager.default.contentsEqual(atPath: to, andPath: bench.root + "/from"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/to") == ["file"])
        }
    }
}
