import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

/// The example for protocols of others, in Python, held to what ours are held to.
@Suite(.timeLimit(.minutes(15)))
struct PythonConformance {
    /// Dropped into a folder of protocols, as whoever installs one does it; no program knows of it.
    @Test func example() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for part in ["protocols", "root/base", "local"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(
            atPath: "\(Built.repository)/protocols/example-python", toPath: "\(folder)/protocols/example-python")
        let catalog = ProtocolCatalog.scan(["\(folder)/protocols"])
        let target = CheckTarget(
            discovered: try #require(catalog["example-python"], "\(catalog.unusable)"),
            site: SiteSpec(site: "example", options: ["root": .string("\(folder)/root")]), base: "/base",
            disk: "\(folder)/root/base", local: "\(folder)/local")
        let cases = try await ProtocolCheck(target).run()
        let limits = Limits.all(
            Limits.noResume, Limits.noResumeElsewhere, Limits.noStream, Limits.noCredentials,
            Limits.noCredentialKinds)
        for outcome in cases { #expect(outcome.verdict == limits[outcome.name] ?? .passed, "\(outcome)") }
    }

    /// As `protocols/README.md` says to type it, and with what the command line knows beyond that.
    @Test func asItIsTyped() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: "\(folder)/tree", withIntermediateDirectories: true)
        let run = try await ProgramRun(
            "haul",
            [
                "protocol", "check", "example-python", "--against", "example-python:///", "--option",
                "root=\(folder)/tree", "--protocols", "\(Built.repository)/protocols", "--disk", "\(folder)/tree",
                "--large", "16777216",
            ],
            environment: ["TMPDIR": folder, "PYTHONDONTWRITEBYTECODE": "1"],
            atMost: .seconds(600))
        #expect(run.code == 0, "\(run)")
        let lines = run.output.split(separator: "\n")
        #expect(lines.first == "pass  a batch of another version is refused" && lines.last == "pass  clean-up")
        // With the disk at hand links and names that JSON cannot carry are tried, too.
        let left = lines.filter { !$0.hasPrefix("pass  ") }
        #expect(left.count == 7 && left.allSatisfy { $0.hasPrefix("n/a   ") && !$0.contains("disk") }, "\(left)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/tree") == [])
    }

    /// By a clock that is put forward by hand: four times a second and more, and at most five times.
    @Test func progress() async throws {
        let script = """
            import sys
            sys.path.insert(0, sys.argv[1])
            import haul
            now, told, element = 0, [], haul.Element.__new__(haul.Element)
            haul.time.monotonic = lambda: now
            element.cancelled, element.told, element.say = False, 0, lambda *_, **more: told.append(now)
            for step in range(1000):
                now = 1 + step / 100
                element.progress(step, 1000)
            print(len(told))
            """
        let run = try await ProgramRun(
            executable: "/usr/bin/env", ["python3", "-c", script, "\(Built.repository)/protocols/example-python"],
            environment: ["PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"], atMost: .seconds(60))
        let count = try #require(Int(run.output.trimmingCharacters(in: .whitespacesAndNewlines)), "\(run)")
        #expect((41...50).contains(count))
    }

    /// What it cannot begin fails each element with a reason, not the batch.
    @Test func withoutItsRoot() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/haul-conformance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let discovered = try #require(Built.protocols()["example-python"])
        let results = Mutex<[ElementResult]>([])
        let batch = BatchSpec(
            operation: .list, options: discovered.manifest.merged([:]), source: SiteSpec(site: "example"),
            scratch: folder, spool: folder)
        let run = try await BackendRun.start(discovered, batch: batch) { event in
            if case .result(_, let result) = event { results.withLock { $0.append(result) } }
        }
        for id in ["1", "2"] { await run.add(ElementSpec(id: id, source: "/")) }
        await run.finish()
        await run.wait()
        #expect(results.withLock { $0.map(\.errorClass) } == [.invalid, .invalid])
        #expect(results.withLock { $0.allSatisfy { $0.reason?.contains("root") == true } })
    }
}
