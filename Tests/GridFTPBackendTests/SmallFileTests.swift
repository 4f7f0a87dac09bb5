import Foundation
import HaulModel
import HaulProtocol
import Testing

@testable import haul_gridftp

/// A small file between two servers that say what a test wants: what is asked, and what happens in between.
@Suite(.timeLimit(.minutes(6)))
struct SmallFileTests {
    private static let directory = "Type=dir;Size=0;"
    private static let file = "Type=file;Size=3;Modify=20200101000000;UNIX.mode=0644;"
    private static let times = ["MLST Type*;", "MLSC", "MFMT"]
    private static let stamp = "MFMT 20200101000000"

    private let bench: Bench
    private let part: String

    init() throws {
        bench = try Bench()
        part = try "/d/" + PartFile.name(seed: "seed", size: 3, modified: 1_577_836_800)
    }

    /// A destination where the part is there once it was stored.
    /// - Parameter effects: What else changes at that moment.
    private func target(
        _ effects: [String: String] = [:], part facts: String? = nil, stored done: String = "226 done\r\n"
    ) async throws -> ScriptedServer {
        let stored = effects.merging([part: facts ?? Self.file]) { $1 }
        return try await ScriptedServer(
            features: Self.times, facts: ["/": Self.directory, "/d": Self.directory],
            replies: [
                "STOR \(part)": done, "\(Self.stamp) \(part)": "213 set\r\n", "RNFR \(part)": "350 go on\r\n",
                "RNTO /d/g": "250 renamed\r\n", "DELE \(part)": "250 gone\r\n",
                "MKD /d": "257 made\r\n",
            ], effects: ["STOR \(part)": stored])
    }

    private func source(_ after: String? = nil) async throws -> ScriptedServer {
        try await ScriptedServer(
            features: Self.times, facts: ["/f": Self.file], replies: ["RETR /f": "226 done\r\n"],
            effects: after.map { ["RETR /f": ["/f": $0]] } ?? [:])
    }

    private func copy(
        _ source: ScriptedServer, _ target: ScriptedServer
    ) async throws -> (result: ElementResult, source: [String], target: [String]) {
        defer { bench.remove() }
        let result = try await bench.one(bench.batch(.copy, source.site, to: target.site), "/f", "/d/g").result
        func heard(_ server: ScriptedServer) async throws -> [String] {
            let verbs = ["RETR", "STOR", "MFMT", "RNFR", "RNTO", "DELE", "SITE", "MKD"]
            let heard = try await server.heard().filter { line in verbs.contains { line.hasPrefix($0) } }
            await server.stop()
            return heard
        }
        return (result, try await heard(source), try await heard(target))
    }

    @Test func whatIsSent() async throws {
        let (result, source, target) = try await copy(try await source(), try await target())
        #expect(result.isOK, "\(result.reason ?? "")")
        #expect(source == ["RETR /f"])
        #expect(target == ["STOR \(part)", "\(Self.stamp) \(part)", "RNFR \(part)", "RNTO /d/g"])
    }

    @Test(arguments: [
        "Type=file;Size=4;Modify=20200101000000;", "Type=file;Size=3;Modify=20200101000001;", "",
    ]) func aSourceThatChangesMeanwhile(_ after: String) async throws {
        let (result, _, target) = try await copy(try await source(after), try await target())
        #expect(result.errorClass == .busy, "\(result.reason ?? "ok")")
        #expect(target.contains("DELE \(part)"))
        #expect(!target.contains { $0.hasPrefix("RN") })
    }

    /// `overwrite` is never: what is there by now stays.
    @Test func aDestinationThatAppearsMeanwhile() async throws {
        let (result, _, target) = try await copy(try await source(), try await target(["/d/g": "Type=file;Size=9;"]))
        #expect(result.errorClass == .exists, "\(result.reason ?? "ok")")
        #expect(target.contains("DELE \(part)"))
        #expect(!target.contains { $0.hasPrefix("RN") })
    }

    @Test func lessArrives() async throws {
        let short = "Type=file;Size=2;Modify=20200101000000;"
        let (result, _, target) = try await copy(try await source(), try await target(part: short))
        #expect(result.errorClass == .checksum, "\(result.reason ?? "ok")")
        #expect(!target.contains { $0.hasPrefix("RN") })
    }

    /// A server that does not do what it is told keeps its own times; one that has another mode is told.
    @Test func aTimeThatIsNotTaken() async throws {
        let other = "Type=file;Size=3;Modify=20210101000000;UNIX.mode=0600;"
        let (result, _, target) = try await copy(try await source(), try await target(part: other))
        #expect(result.isOK, "\(result.reason ?? "")")
        let times = ["\(Self.stamp) \(part)", "\(Self.stamp) \(part)"]
        #expect(target == ["STOR \(part)"] + times + ["SITE CHMOD 0644 \(part)", "RNFR \(part)", "RNTO /d/g"])
    }

    /// That it was there a moment ago counts for nothing.
    @Test func aDirectoryThatVanishes() async throws {
        let missing = try await target(["/d": ""], part: "", stored: "550 No such file or directory\r\n")
        let (result, _, target) = try await copy(try await source(), missing)
        #expect(result.errorClass == .notFound, "\(result.reason ?? "ok")")
        #expect(
            target.filter { $0.hasPrefix("STOR") || $0.hasPrefix("MKD") } == ["STOR \(part)", "MKD /d", "STOR \(part)"])
    }
}
