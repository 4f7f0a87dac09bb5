import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

/// How a copy is made, as its options say.
@Suite(.timeLimit(.minutes(6)))
struct CopyOptionTests {
    private func touch(_ path: String, _ seconds: Int) {
        let time = timespec(tv_sec: seconds, tv_nsec: 0)
        utimensat(AT_FDCWD, path, [time, time], 0)
    }

    @Test func syncCopiesWhatDiffers() async throws {
        let site = try LocalSite()
        let sync: [String: JSONValue] = ["sync": true]
        #expect(try await site.one(.copy, "file", "copy", sync).transferred == 6)
        #expect(try await site.one(.copy, "file", "copy", sync).transferred == 0)
        try site.write("INSIDE", "\(site.root)/file")
        touch("\(site.root)/file", 1_000_000_000)
        #expect(try await site.one(.copy, "file", "copy", sync).transferred == 6)
        #expect(site.read("\(site.root)/copy") == "INSIDE")
        try site.write("Inside", "\(site.root)/file")
        touch("\(site.root)/file", 1_000_000_000)
        #expect(try await site.one(.copy, "file", "copy", sync).transferred == 0)
        let checked: [String: JSONValue] = ["sync": true, "verify": "checksum", "checksum_algorithm": "sha1"]
        let mended = try await site.one(.copy, "file", "copy", checked)
        #expect(
            mended.checksum == "sha1:8deed4efac89dc1076983f50d9dda54976214d59"
                && site.read("\(site.root)/copy") == "Inside")
    }

    @Test func aLinkAtTheDestinationGivesWayItself() async throws {
        let site = try LocalSite()
        try site.write("precious", "\(site.root)/precious")
        try site.link("\(site.root)/way", to: "precious")
        try site.link("\(site.root)/out", to: "\(site.outside)/secret")
        #expect(try await site.one(.copy, "file", "way").errorClass == .exists)
        #expect(try await site.one(.copy, "file", "way", ["overwrite": "always"]).isOK)
        #expect(site.read("\(site.root)/precious") == "precious" && site.read("\(site.root)/way") == "inside")
        #expect(try await site.one(.copy, "file", "out", ["overwrite": "always"]).errorClass == .permission)
        #expect(site.read("\(site.outside)/secret") == "secret")
    }

    /// Killed after four fifths, slowly enough that two tellings of progress, half a second apart, fall into the last one;
    /// the rest alone is copied then.
    @Test func aKilledCopyGoesOn() async throws {
        let site = try LocalSite()
        let size = 24 << 20
        try Data((0..<size).map { UInt8(truncatingIfNeeded: $0 >> 9) })
            .write(to: URL(fileURLWithPath: "\(site.root)/large"))
        let protocols = Built.protocols()
        func run(
            _ attempt: Int, _ options: [String: JSONValue],
            _ onEvent: @escaping @Sendable (BackendEvent, BackendRun?) -> Void
        ) async throws -> Events {
            let (events, spec) = (Events(), SiteSpec(site: "local-a"))
            let batch = BatchSpec(
                operation: .copy, options: options, source: spec, destination: spec,
                settings: ["roots": [.string(site.root)]], scratch: site.folder.path, spool: site.folder.path)
            let running = Mutex<BackendRun?>(nil)
            let run = try await BackendRun.start(try #require(protocols["local"]), batch: batch) { event in
                events.add(event)
                onEvent(event, running.withLock { $0 })
            }
            running.withLock { $0 = run }
            await run.add(
                ElementSpec(id: "e", source: "large", destination: "copy", attempt: attempt, partSeed: "seed"))
            await run.finish()
            await run.wait()
            return events
        }
        let killed = try await run(1, ["bandwidth": .int(4 << 20)]) { event, run in
            if case .progress(_, let progress) = event, progress.transferred > size * 8 / 10, let run {
                kill(run.pid, SIGKILL)
            }
        }
        #expect(killed.results("e").first?.errorClass == .backend)
        #expect(site.read("\(site.root)/copy") == nil)
        let events = try await run(2, [:]) { _, _ in }
        #expect(events.results("e").first == ElementResult(transferred: size))
        let start = try #require(events.log("e").firstMatch(of: /going on from byte (\d+)/)).output.1
        #expect(Int(start) ?? 0 > size * 7 / 10)
        #expect(FileManager.default.contentsEqual(atPath: "\(site.root)/large", andPath: "\(site.root)/copy"))
    }
}
