import Foundation
import HaulModel
import HaulProtocol
import HaulWire
import Support
import Testing

@testable import HaulWorker

/// COPY between two protocols, through the spool.
@Suite(.timeLimit(.minutes(2))) struct BridgeTests {
    /// A second name for the local protocol, and the folder that both may touch.
    private struct Place {
        let root: String
        let catalog: ProtocolCatalog

        init() throws {
            root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/hwb-\(UUID().uuidString)"
            for name in ["/from", "/to", "/protocols/other"] {
                try FileManager.default.createDirectory(atPath: root + name, withIntermediateDirectories: true)
            }
            let manifest = try String(
                contentsOfFile: Built.repository + "/protocols/local/protocol.json", encoding: .utf8)
            try manifest.replacing("\"name\": \"local\"", with: "\"name\": \"other\"")
                .replacing("\"haul-local\"", with: "\"\(Built.executable("haul-local"))\"")
                .replacing("\"schemes\": [\"local\"", with: "\"schemes\": [\"other\"")
                .write(toFile: root + "/protocols/other/protocol.json", atomically: true, encoding: .utf8)
            catalog = ProtocolCatalog.scan(["\(Built.repository)/protocols", root + "/protocols"])
        }

        func bench(spool: Int = 10 << 20) throws -> Bench {
            try Bench(catalog: catalog) {
                $0.settings = ["local": ["roots": [.string(root)]], "other": ["roots": [.string(root)]]]
                $0.spoolBytes = spool
                $0.concurrency = 4
            }
        }

        func write(_ name: String, _ data: Data) throws { try data.write(to: URL(filePath: root + name)) }
        func read(_ name: String) -> Data? { FileManager.default.contents(atPath: root + name) }
        func remove() { try? FileManager.default.removeItem(atPath: root) }
    }

    @Test func movesFilesBetweenTwoProtocols() async throws {
        let place = try Place()
        defer { place.remove() }
        #expect(place.catalog["other"] != nil, "\(place.catalog.unusable)")
        let contents = (0..<30).map { number in
            Data((0..<(number * 7000)).map { UInt8(truncatingIfNeeded: $0 * number) })
        }
        for (number, data) in contents.enumerated() { try place.write("/from/\(number)", data) }
        // Room for two files or so: most wait for their turn.
        let bench = try place.bench(spool: 420_000)
        bench.server.hand(
            Claims.job(
                1, (0..<30).map { "\(place.root)/from/\($0)" } + ["\(place.root)/from/missing"], from: "local",
                to: "other", destinations: (0...30).map { "\(place.root)/to/deep/\($0)" }, size: 203_000))
        try await eventually("all are reported") { bench.server.outcomes.count == 31 }
        for (number, data) in contents.enumerated() {
            #expect(place.read("/to/deep/\(number)") == data)
            #expect(bench.server.outcome(1, number)?.transferred == data.count)
        }
        #expect(bench.server.outcome(1, 30)?.errorClass == "not_found")
        #expect(bench.server.log(1, 1).contains("through the spool"))
        try await eventually("the spool is empty") {
            (try? FileManager.default.contentsOfDirectory(atPath: bench.folder + "/spool")) == []
        }
        await bench.close()
    }

    @Test func saysThatAFileDoesNotFit() async throws {
        let place = try Place()
        defer { place.remove() }
        try place.write("/from/a", Data("a".utf8))
        let bench = try place.bench(spool: 8192)
        let paths = ["\(place.root)/from/a"]
        bench.server.hand(
            Claims.job(1, paths, from: "local", to: "other", destinations: ["\(place.root)/to/a"], size: 9000),
            Claims.job(2, paths, from: "local", to: "other", destinations: ["\(place.root)/to/b"], size: 1))
        try await eventually("both are reported") { bench.server.outcomes.count == 2 }
        #expect(bench.server.outcome(1)?.errorClass == "no_space")
        #expect(bench.server.outcome(1)?.reason?.contains("spool_bytes") == true)
        #expect(bench.server.outcome(2)?.returncode == 0 && place.read("/to/b") == Data("a".utf8))
        await bench.close()
    }

    /// Cancelled on either way, a file of many: its neighbours arrive.
    @Test(arguments: [("fake", "local"), ("local", "fake")])
    func cancelsOne(from: String, to: String) async throws {
        let place = try Place()
        defer { place.remove() }
        try place.write("/from/a", Data("a".utf8))
        let bench = try place.bench()
        let (here, slow) = ("\(place.root)/from/a", "/sleep/600")
        bench.server.hand(
            Claims.job(
                1, from == "fake" ? [slow, "/sleep/600/b"] : [here, here], from: from, to: to,
                destinations: to == "fake" ? [slow, "/ok"] : ["\(place.root)/to/a", "\(place.root)/to/b"]))
        try await eventually("the slow one runs") { bench.server.log(1).contains("fake: /sleep/600") }
        bench.server.change { $0.stop = from == "fake" ? ["1.0.1", "1.1.1"] : ["1.0.1"] }
        try await eventually("both are reported") { bench.server.outcomes.count == 2 }
        #expect(bench.server.outcome(1, 0)?.errorClass == "interrupted")
        #expect(bench.server.outcome(1, 1)?.errorClass == (from == "fake" ? "interrupted" : nil))
        await bench.close()
    }

    @Test(arguments: ["/exit/3", "/signal/9", "/garbage"])
    func failsWhatAPuttingBackendTookWithIt(path: String) async throws {
        let place = try Place()
        defer { place.remove() }
        try place.write("/from/a", Data("a".utf8))
        let bench = try place.bench()
        let here = "\(place.root)/from/a"
        bench.server.hand(
            Claims.job(
                1, Array(repeating: here, count: 5), from: "local", to: "fake",
                destinations: [path] + (1..<5).map { "/sleep/5/\($0)" }))
        try await eventually("all are reported") { bench.server.outcomes.count == 5 }
        #expect(bench.server.outcomes.allSatisfy { $0.outcome.errorClass == "backend" })
        #expect(await bench.close() == .drained)
    }

    @Test func leavesNothingBehindWhenItsLeasesEnd() async throws {
        let place = try Place()
        defer { place.remove() }
        try place.write("/from/a", Data("a".utf8))
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(1, ["\(place.root)/from/a"], from: "local", to: "fake", destinations: ["/sleep/600"]))
        try await eventually("it is put") { bench.server.log(1).contains("fake: /sleep/600") }
        bench.server.change { script in
            script.answer = { path, _ in path == "/heartbeat" ? TestServer.problem(409, "ended") : nil }
        }
        try await eventually("a new session") { bench.server.record.registrations.count >= 2 }
        #expect(bench.backends.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/spool") == [])
        await bench.close()
        #expect(bench.server.outcomes.isEmpty)
    }
}
