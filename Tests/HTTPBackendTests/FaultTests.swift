import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// What goes wrong at real servers and on the worker's own disk.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct FaultTests {
    private static func noise(_ count: Int) -> Data {
        var data = Data(capacity: count)
        for index in 0..<(count / 8) {
            withUnsafeBytes(of: UInt64(index) &* 0x9e37_79b9_7f4a_7c15) { data.append(contentsOf: $0) }
        }
        return data
    }

    /// As root this process reads everything; apache's own user does not. A PUT or MOVE that it may not do is a 500 to it,
    /// which may mean anything.
    @Test func filesThatAreNotTheServersOwn() async throws {
        guard getuid() == 0 else { return print("NOT TESTED: files of another user. It takes root.") }
        try await Kind.apache.withServers { bench, a, b in
            try bench.write(bench.a + "/secret", "x")
            chmod(bench.a + "/secret", 0o600)
            try bench.write(bench.a + "/fine", "fine")
            try bench.write(bench.b + "/closed/f", "x")
            chmod(bench.b + "/closed", 0o755)
            try bench.write(bench.folder + "/local", "y")
            let local = bench.folder + "/local"
            for (batch, source, destination) in [
                (bench.batch(.copy, a, to: b), "/secret", "/to"),
                (bench.batch(.get, a), "/secret", bench.folder + "/g"),
                (bench.batch(.copy, a, to: b), "/fine", "/closed/to"), (bench.batch(.put, b), local, "/closed/to"),
                (bench.batch(.put, b), local, "/closed/d/to"), (bench.batch(.mkdir, b), "/closed/d", nil),
                (bench.batch(.remove, b), "/closed/f", nil), (bench.batch(.rename, b), "/closed/f", "/g"),
            ] as [(BatchSpec, String, String?)] {
                let what = "\(batch.operation) \(source) \(destination ?? "")"
                let (result, _) = try await bench.one(batch, source, destination)
                let isTold = destination?.hasPrefix("/closed/") != true && batch.operation != .rename
                #expect(
                    result.errorClass == .permission || !isTold && result.errorClass == .unknown,
                    "\(what): \(result.errorClass?.rawValue ?? "") \(result.reason ?? "ok")")
            }
            #expect(bench.names(bench.b + "/closed") == ["f"] && bench.names(bench.b) == ["closed"])
            #expect(bench.read(bench.folder + "/g") == nil)
        }
    }

    /// Of several endpoints that serve the same files one that is there is used, at each side.
    @Test func oneOfTheEndpointsIsDown() async throws {
        try await Kind.nginx.withServers { bench, a, b in
            try bench.write(bench.a + "/f", "content")
            var batch = bench.batch(.copy, a, to: b)
            batch.source.endpoints.insert("127.0.0.1:1", at: 0)
            batch.destination?.endpoints.insert("127.0.0.1:1", at: 0)
            let (result, _) = try await bench.one(batch, "/f", "/g")
            #expect(result.isOK && bench.read(bench.b + "/g") == "content", "\(result.reason ?? "")")
        }
    }

    /// apache says that its disk is full; nginx that it has failed, whatever it was.
    @Test(arguments: Kind.allCases) func aFullDisk(_ kind: Kind) async throws {
        guard let disk = TinyDisk.open(kibibytes: 2048) else { return }
        defer { disk.remove() }
        try await kind.withServers { bench, a, _ in
            let server = try await kind.start(disk.root)
            for (name, size) in [("small", 100 << 10), ("large", 4 << 20), ("larger", 12 << 20)] {
                if name == "small" { try disk.take() }
                try bench.write(bench.a + "/" + name, Self.noise(size))
                for batch in [bench.batch(.copy, a, to: server.endpoint), bench.batch(.put, server.endpoint)] {
                    let source = batch.operation == .put ? bench.a + "/" + name : "/" + name
                    let (result, _) = try await bench.one(batch, source, "/to", last: true)
                    let fair: [ErrorClass] = kind == .apache ? [.noSpace] : [.noSpace, .unknown]
                    #expect(
                        result.errorClass.map { fair.contains($0) } == true,
                        "\(batch.operation) \(name): \(result.errorClass?.rawValue ?? "ok") \(result.reason ?? "")")
                    // What nginx takes over from another disk has such names while it comes, and stays where it ends.
                    let left = bench.names(disk.root).filter { !$0.contains(/^(\.haul-part-\w{16}\.\d+|ballast)$/) }
                    #expect(left == [], "\(batch.operation) \(name)")
                }
                if name == "small" { try disk.giveBack() }
            }
            await server.stop()
        }
    }

    /// Small and large files come different ways.
    @Test(arguments: [100 << 10, 4 << 20, 12 << 20]) func theWorkersDiskIsFull(_ size: Int) async throws {
        guard let disk = TinyDisk.open(kibibytes: 64) else { return }
        defer { disk.remove() }
        try await Kind.nginx.withServers { bench, a, _ in
            try bench.write(bench.a + "/f", Self.noise(size))
            let (result, _) = try await bench.one(bench.batch(.get, a), "/f", disk.root + "/to")
            #expect(result.errorClass == .noSpace, "\(result)")
            #expect(bench.names(disk.root) == [])
        }
    }

    /// With all its children, in the middle of a file.
    @Test(arguments: Kind.allCases) func aServerThatIsKilledMeanwhile(_ kind: Kind) async throws {
        let bench = try Bench()
        defer { bench.remove() }
        let size = 24 << 20
        try bench.write(bench.a + "/big", Self.noise(size))
        let slow: [String: JSONValue] = ["bandwidth": .int(12 << 20)]
        let (local, to) = (bench.a + "/big", bench.folder + "/to/big")
        for operation in [ProtocolOperation.get, .put, .copy] {
            let (from, other) = (try await kind.start(bench.a), try await kind.start(bench.b))
            let batch = bench.batch(operation, from.endpoint, to: other.endpoint, options: slow)
            let one = operation == .put ? bench.batch(.put, other.endpoint, options: slow) : batch
            let victim = operation == .get ? from.pid : other.pid
            let source = operation == .put ? local : "/big"
            let (cut, _) = try await bench.one(one, source, operation == .get ? to : "/big") { event, _ in
                guard case .progress(_, let progress) = event, progress.transferred > 0 else { return }
                kill(-victim, SIGKILL)
            }
            await from.stop()
            await other.stop()
            #expect(cut.errorClass?.isPermanent == false, "\(operation): \(cut)")
            #expect(!FileManager.default.fileExists(atPath: to) && bench.read(bench.b + "/big") == nil, "\(operation)")
            let (again, next) = (try await kind.start(bench.a), try await kind.start(bench.b))
            let batches = [
                ProtocolOperation.get: bench.batch(.get, again.endpoint),
                .put: bench.batch(.put, next.endpoint),
                .copy: bench.batch(.copy, again.endpoint, to: next.endpoint),
            ]
            let (result, outcome) = try await bench.one(
                try #require(batches[operation]), source, operation == .get ? to : "/big", attempt: 2, last: true)
            await again.stop()
            await next.stop()
            #expect(result.isOK, "\(operation): \(result)")
            let there = operation == .get ? to : bench.b + "/big"
            #expect(FileManager.default.contentsEqual(atPath: there, andPath: local), "\(operation)")
            if operation == .get { #expect(outcome.logs.contains { $0.contains("going on from byte") }) }
            // What apache was writing to is its own, and stays.
            let left = bench.names((there as NSString).deletingLastPathComponent)
            #expect(left.filter { !$0.hasPrefix(".davfs.tmp") } == ["big"], "\(operation)")
            try FileManager.default.removeItem(atPath: there)
        }
    }
}
