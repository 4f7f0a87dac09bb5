import Foundation
import HaulModel
import HaulProtocol
import Testing

/// A get goes on from what an earlier attempt left on this machine's disk.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ResumeTests {
    private static let size = 24 << 20

    /// Nowhere like itself.
    private static let content: Data = {
        var data = Data(capacity: size)
        for index in 0..<(size / 8) {
            withUnsafeBytes(of: UInt64(index) &* 0x9e37_79b9_7f4a_7c15) { data.append(contentsOf: $0) }
        }
        return data
    }()

    private func part(_ bench: Bench) throws -> String {
        let modified = try #require(bench.modified(bench.a + "/big"))
        return try bench.folder + "/to/" + PartFile.name(seed: "seed", size: Self.size, modified: modified)
    }

    @Test(arguments: Kind.allCases) func goesOn(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, _ in
            let content = Self.content
            try bench.write(bench.a + "/big", content)
            var damaged = content.prefix(10_000_000)
            damaged[9_999_999] ^= 1
            let cases: [(left: Data, goesOn: Bool)] = [
                (content.prefix(10_000_000), true), (content, true), (damaged, false), (content.prefix(1000), true),
                (content + Data(count: 9), false),
            ]
            for (index, (left, goesOn)) in cases.enumerated() {
                for verify in ["size", "checksum"] {
                    try bench.write(try part(bench), left)
                    let to = bench.folder + "/to/\(index)-\(verify)"
                    let batch = bench.batch(.get, a, options: ["verify": .string(verify)])
                    let (result, outcome) = try await bench.one(batch, "/big", to, attempt: 2)
                    #expect(result.reason == nil, "\(index)")
                    #expect(outcome.logs.contains { $0.contains("going on from byte") } == goesOn, "\(outcome.logs)")
                    #expect(FileManager.default.contents(atPath: to) == content)
                    #expect(result.transferred == Self.size)
                    #expect(result.checksum?.hasPrefix("md5:") == (verify == "checksum" ? true : nil))
                }
            }
            #expect(!bench.names(bench.folder + "/to").contains { $0.hasPrefix(PartFile.prefix) })
        }
    }

    @Test func whatAKilledBackendLeftIsUsed() async throws {
        try await Kind.nginx.withServers { bench, a, _ in
            try bench.write(bench.a + "/big", "")
            truncate(bench.a + "/big", 1 << 29)
            let batch = bench.batch(.get, a)
            let (first, _) = try await bench.one(batch, "/big", bench.folder + "/to/big") { event, run in
                guard case .progress(_, let progress) = event, progress.transferred > 1 << 20, let run else { return }
                kill(run.pid, SIGKILL)
            }
            #expect(first.errorClass == .backend, "\(first)")
            // The worker removes it with all that is in it.
            for name in bench.names(bench.folder + "/scratch") { unlink(bench.folder + "/scratch/" + name) }
            #expect(bench.names(bench.folder + "/to").filter { $0.hasPrefix(PartFile.prefix) }.count == 1)
            let (second, outcome) = try await bench.one(batch, "/big", bench.folder + "/to/big", attempt: 2)
            #expect(second.isOK, "\(second)")
            #expect(outcome.logs.contains { $0.contains("going on from byte") })
            #expect(bench.names(bench.folder + "/to") == ["big"])
        }
    }

    /// A server without ranges gives the whole, and a part that failed for good, or for the last time, goes.
    @Test func whereItCannotGoOn() async throws {
        let bench = try Bench()
        defer { bench.remove() }
        try bench.write(bench.a + "/big", Self.content)
        let plain = try await HostileServer.plain(bench.a)
        try bench.write(try part(bench), Self.content.prefix(10_000_000))
        let (result, outcome) = try await bench.one(
            bench.batch(.get, plain.endpoint), "/big", bench.folder + "/to/big", attempt: 2)
        #expect(result.reason == nil)
        #expect(outcome.logs.contains { $0.contains("starting over") })
        #expect(FileManager.default.contents(atPath: bench.folder + "/to/big") == Self.content)
        await plain.stop()
        let hostile = try await HostileServer.start()
        for (last, left) in [(false, 1), (true, 0)] {
            let to = bench.folder + "/cut-\(last)"
            let (cut, _) = try await bench.one(
                bench.batch(.get, hostile.endpoint), "/stops", to + "/big", last: last)
            #expect(cut.errorClass == .interrupted, "\(cut)")
            #expect(bench.names(to).count == left)
        }
        await hostile.stop()
    }
}
