import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// Files so large that what is sent again would be noticed.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct ResumeTests {
    /// 2 GiB between two servers, killed when four fifths are there: less than three tenths go again.
    @Test func twoGibibytes() async throws {
        try await Kind.anonymous.withServers { servers in
            let (bench, size) = (servers.bench, 2 << 30)
            try bench.write(bench.a + "/f", "")
            let file = try #require(FileHandle(forUpdatingAtPath: bench.a + "/f"))
            var block = Data((0..<(16 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 5) })
            for index in 0..<(size / block.count) {
                block.withUnsafeMutableBytes { $0.storeBytes(of: UInt64(index), toByteOffset: 4096, as: UInt64.self) }
                try file.write(contentsOf: block)
            }
            try file.close()
            let batch = bench.batch(.copy, servers.a, to: servers.b)
            let watch = ArrivalWatch(bench, bytes: size / 5 * 4)
            // From the beginning: on a busy machine the first event comes when all is there.
            let cut = try await bench.one(
                batch, bench.a + "/f", bench.b + "/f", onStart: { pid in watch.once { kill(-pid, SIGKILL) } })
            #expect(cut.result.errorClass == .backend, "\(cut.result)")
            #expect(!FileManager.default.fileExists(atPath: bench.b + "/f"))
            let again = try await bench.one(batch, bench.a + "/f", bench.b + "/f", attempt: 2)
            #expect(again.result.isOK, "\(again.result)")
            let log = again.outcome.logs.joined(separator: "\n")
            let start = try #require(log.firstMatch(of: /going on from byte (\d+)/), "\(log)").output.1
            #expect(size - (Int(start) ?? 0) < size / 10 * 3)
            #expect(FileManager.default.contentsEqual(atPath: bench.a + "/f", andPath: bench.b + "/f"))
            #expect(bench.names(bench.b) == ["f"])
        }
    }
}
