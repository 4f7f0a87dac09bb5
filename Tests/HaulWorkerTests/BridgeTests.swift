import Foundation
import HaulModel
import HaulProtocol
import HaulWire
import Support
import Testing

@testable import HaulWorker

/// COPY between two protocols, through the spool.
@Suite(.timeLimit(.minutes(6))) struct BridgeTests {
    /// A second name for the local protocol, and the folder that both may touch.
    private struct Place {
        let root: String
        let catalog: ProtocolCatalog

        /// - Parameter flaky: With a protocol whose first `get` breaks off.
        init(flaky: Bool = false) throws {
            root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/hwb-\(UUID().uuidString)"
            for name in ["/from", "/to", "/protocols/other"] {
                try FileManager.default.createDirectory(atPath: root + name, withIntermediateDirectories: true)
            }
            let manifest = try String(
                contentsOfFile: Built.repository + "/protocols/local/protocol.json", encoding: .utf8)
            // It does not stream, so that the spool is used.
            try manifest.replacing("\"name\": \"local\"", with: "\"name\": \"other\"")
                .replacing(", \"stream\": true", with: "")
                .replacing("\"haul-local\"", with: "\"\(Built.executable("haul-local"))\"")
                .replacing("\"schemes\": [\"local\"", with: "\"schemes\": [\"other\"")
                .write(toFile: root + "/protocols/other/protocol.json", atomically: true, encoding: .utf8)
            if flaky { try Self.makeFlaky(root + "/protocols/flaky") }
            catalog = ProtocolCatalog.scan(["\(Built.repository)/protocols", root + "/protocols"])
        }

        private static func makeFlaky(_ folder: String) throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try
                #"{"schema": 1, "name": "flaky", "summary": "s", "schemes": [], "backend": ["get.sh"], "operations": {"get": {"concurrency": 1}}}"#
                .write(toFile: folder + "/protocol.json", atomically: true, encoding: .utf8)
            let script = #"""
                #!/bin/sh
                read -r batch
                while read -r line; do
                    line=$(printf '%s' "$line" | sed 's#\\/#/#g')
                    id=$(printf '%s' "$line" | sed 's#.*"id":"\([^"]*\)".*#\1#')
                    file=$(printf '%s' "$line" | sed 's#.*"destination":"\([^"]*\)".*#\1#')
                    part=${file%/*}/.haul-part-0123456789abcdef
                    if [ -e "$part" ]; then
                        printf rest >> "$part"
                        mv "$part" "$file"
                        printf '{"type":"result","id":"%s","outcome":"ok","returncode":0,"transferred":9}\n' "$id"
                    else
                        printf first > "$part"
                        printf '{"type":"result","id":"%s","outcome":"failed","class":"connect","returncode":1}\n' "$id"
                    fi
                done
                """#
            _ = FileManager.default.createFile(
                atPath: folder + "/get.sh", contents: Data(script.utf8), attributes: [.posixPermissions: 0o755])
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
        #expect(bench.server.outcome(1, 30)?.errorSite != nil && bench.server.outcome(1, 0)?.errorSite == nil)
        #expect(bench.server.log(1, 1).contains("are in the spool"))
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

    /// A file that has grown since it was listed takes no more of the spool than there is.
    @Test func saysThatAFileHasOutgrownTheSpool() async throws {
        let place = try Place()
        defer { place.remove() }
        try place.write("/from/a", Data(count: 300_000))
        let bench = try place.bench(spool: 100_000)
        bench.server.hand(
            Claims.job(
                1, ["\(place.root)/from/a"], from: "local", to: "other", destinations: ["\(place.root)/to/a"], size: 10)
        )
        try await eventually("it is reported") { bench.server.outcomes.count == 1 }
        #expect(bench.server.outcome(1)?.errorClass == "no_space")
        #expect(bench.server.outcome(1)?.reason?.contains("raise spool_bytes") == true)
        #expect(place.read("/to/a") == nil)
        await bench.close()
    }

    @Test func namesTheSpoolWhoseDiskIsFull() async throws {
        let place = try Place()
        defer { place.remove() }
        try place.write("/from/a", Data(count: 3 << 20))
        let bench = try place.bench()
        let spool = bench.folder + "/spool"
        guard mount("tmpfs", spool, "tmpfs", 0, "size=1m") == 0 else {
            print(
                "NOT TESTED: a spool whose disk is full. It takes root and mount(2): \(String(cString: strerror(errno)))"
            )
            await bench.close()
            return
        }
        bench.server.hand(
            Claims.job(
                1, ["\(place.root)/from/a"], from: "local", to: "other", destinations: ["\(place.root)/to/a"],
                size: 3 << 20))
        try await eventually("it is reported") { bench.server.outcomes.count == 1 }
        #expect(bench.server.outcome(1)?.errorClass == "no_space")
        #expect(bench.server.outcome(1)?.reason?.hasPrefix("the disk of this worker's spool: ") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: spool) == [])
        umount2(spool, Int32(MNT_DETACH))
        await bench.close()
    }

    /// What the first attempt fetched is there for the second.
    @Test func goesOnWhereAnEarlierAttemptEnded() async throws {
        let place = try Place(flaky: true)
        defer { place.remove() }
        #expect(place.catalog["flaky"] != nil, "\(place.catalog.unusable)")
        let bench = try place.bench()
        func job(_ attempt: Int) -> String {
            Claims.job(
                1, ["/far"], from: "flaky", to: "local", destinations: ["\(place.root)/to/a"], attempt: attempt, size: 9
            )
        }
        bench.server.hand(job(1))
        try await eventually("the first is reported") { bench.server.outcomes.count == 1 }
        #expect(bench.server.outcome(1)?.errorClass == "connect")
        let folders = try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/spool")
        #expect(folders == ["element-uid1.0"])
        bench.server.hand(job(2))
        try await eventually("the second is reported") { bench.server.outcomes.count == 2 }
        #expect(bench.server.outcomes.last?.outcome.returncode == 0, "\(bench.server.outcomes)")
        #expect(place.read("/to/a") == Data("firstrest".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/spool") == [])
        await bench.close()
    }

    /// What a worker that died had in transit is gone once the next one starts in its folder.
    @Test func clearsTheSpoolOfADeadWorker() throws {
        let path = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/hwf-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for folder in ["spool/element-uid1.0", "scratch/7"] {
            try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
            try Data(count: 1000).write(to: URL(filePath: "\(path)/\(folder)/.haul-part-0123456789abcdef"))
        }
        let folder = try WorkFolder(path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.spool) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/scratch") == [])
        #expect(throws: WorkFolder.Problem.self) { try WorkFolder(path) }
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

    /// Cancelled while the spool has no room for it, first in the queue or behind: nobody is waited for.
    @Test func cancelsWhatWaitsForTheSpool() async throws {
        let place = try Place()
        defer { place.remove() }
        try place.write("/from/a", Data("a".utf8))
        let bench = try place.bench(spool: 420_000)
        bench.server.hand(
            Claims.job(
                1, Array(repeating: "\(place.root)/from/a", count: 4), from: "local", to: "fake",
                destinations: ["/sleep/600", "/ok/1", "/ok/2", "/ok/3"], size: 400_000))
        try await eventually("the slow one runs") { bench.server.log(1).contains("fake: /sleep/600") }
        bench.server.change { $0.stop = ["1.1.1", "1.2.1"] }
        try await eventually("both are reported") { bench.server.outcomes.count == 2 }
        #expect([1, 2].allSatisfy { bench.server.outcome(1, $0)?.errorClass == "interrupted" })
        bench.server.change { $0.stop = ["1.0.1"] }
        try await eventually("all are reported") { bench.server.outcomes.count == 4 }
        #expect(bench.server.outcome(1, 0)?.errorClass == "interrupted")
        #expect(bench.server.outcome(1, 3)?.returncode == 0)
        #expect(await bench.close() == .drained)
    }

    @Test(arguments: ["/exit/3", "/signal/9", "/garbage"])
    func failsWhatAPuttingBackendTookWithIt(path: String) async throws {
        let place = try Place()
        defer { place.remove() }
        try place.write("/from/a", Data("a".utf8))
        let bench = try place.bench()
        let here = "\(place.root)/from/a"
        // As many as the bench has at a time: in whatever order they are fetched, the one that kills does not wait.
        bench.server.hand(
            Claims.job(
                1, Array(repeating: here, count: 4), from: "local", to: "fake",
                destinations: [path] + (1..<4).map { "/sleep/60/\($0)" }))
        try await eventually("all are reported") { bench.server.outcomes.count == 4 }
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
