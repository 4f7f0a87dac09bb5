import Foundation
import HaulModel
import HaulProtocol
import HaulWire
import Support
import Testing

@testable import HaulWorker

/// COPY between two protocols that both stream.
@Suite(.timeLimit(.minutes(6))) struct StreamBridgeTests {
    private typealias Place = StreamPlace

    @Test func movesFilesLargerThanTheSpool() async throws {
        let place = try Place()
        defer { place.remove() }
        let contents = (0..<30).map { number in
            Data((0..<(number * 70_000)).map { UInt8(truncatingIfNeeded: $0 &* number) })
        }
        for (number, data) in contents.enumerated() { try place.write("/from/\(number)", data) }
        try FileManager.default.createDirectory(atPath: place.root + "/from/folder", withIntermediateDirectories: true)
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(
                1,
                (0..<30).map { "\(place.root)/from/\($0)" } + ["missing", "folder"].map { "\(place.root)/from/\($0)" },
                from: "local", to: "other", destinations: (0...31).map { "\(place.root)/to/deep/\($0)" },
                options: #"{"verify": "checksum"}"#))
        try await eventually("all are reported") { bench.server.outcomes.count == 32 }
        for (number, data) in contents.enumerated() {
            #expect(place.read("/to/deep/\(number)") == data)
            #expect(bench.server.outcome(1, number)?.transferred == data.count)
            #expect(bench.server.outcome(1, number)?.checksum?.hasPrefix("md5:") == true)
        }
        for (number, errorClass) in [(30, "not_found"), (31, "invalid")] {
            #expect(bench.server.outcome(1, number)?.errorClass == errorClass)
            // The source's, not the destination's.
            #expect(bench.server.outcome(1, number)?.errorSite == 1)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/spool") == [])
        await bench.close()
    }

    /// Where the user's credentials are not to be had nothing begins, and nothing is left of it.
    @Test func leavesNoFoldersWithoutCredentials() async throws {
        let place = try Place()
        defer { place.remove() }
        let bench = try place.bench()
        let job = Claims.job(
            1, ["\(place.root)/from/a"], from: "local", to: "other", destinations: ["\(place.root)/to/a"])
        bench.server.hand(job.replacing(#""options":{}}"#, with: #""options":{},"credentials":{"x509-proxy":"1"}}"#))
        try await eventually("it is reported") { bench.server.outcomes.count == 1 }
        #expect(bench.server.outcome(1)?.reason?.contains("credentials were not given") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/scratch") == [])
        await bench.close()
    }

    /// What a backend takes all in all counts on either side.
    @Test func noBackendIsGivenMoreThanItTakes() async throws {
        let place = try Place(putBatch: 2)
        defer { place.remove() }
        try place.write("/from/a", Data("content".utf8))
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(
                1, Array(repeating: "\(place.root)/from/a", count: 5), from: "local", to: "other",
                destinations: (0..<5).map { "\(place.root)/to/\($0)" }))
        try await eventually("all are reported") { bench.server.outcomes.count == 5 }
        #expect(bench.logged("batch-start").count == 3, "\(bench.log)")
        await bench.close()
    }

    /// What is there already is not moved: a source that would never give its bytes is not asked for them.
    @Test func movesNothingThatIsThere() async throws {
        let place = try Place()
        defer { place.remove() }
        let path = "/hang/there"
        try place.write("/to/a", Data(String(repeating: path, count: 100_000).utf8))
        try place.write("/to/b", Data("another".utf8))
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(
                1, [path, path], from: "python", to: "local",
                destinations: ["\(place.root)/to/a", "\(place.root)/to/b"]))
        try await eventually("both are reported") { bench.server.outcomes.count == 2 }
        #expect(bench.server.outcome(1, 0)?.returncode == 0, "\(bench.server.log(1, 0))")
        #expect(bench.server.outcome(1, 1)?.errorClass == "exists" && bench.server.outcome(1, 1)?.errorSite == 2)
        await bench.close()
    }

    /// However a source fails, the element says so, names its site, and its neighbours arrive.
    @Test(arguments: [
        ("/refuse/a", "permission"), ("/hang/a", "timeout"), ("/short/a", "interrupted"), ("/die/a", "backend"),
    ])
    func saysHowASourceFailed(path: String, errorClass: String) async throws {
        let place = try Place()
        defer { place.remove() }
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(
                1, [path, "/fine/b"], from: "python", to: "local",
                destinations: ["\(place.root)/to/a", "\(place.root)/to/b"]))
        try await eventually("both are reported", within: .seconds(60)) { bench.server.outcomes.count == 2 }
        #expect(bench.server.outcome(1, 0)?.errorClass == errorClass, "\(bench.server.log(1, 0))")
        if errorClass != "interrupted" { #expect(bench.server.outcome(1, 0)?.errorSite == 1) }
        #expect(place.read("/to/a") == nil)
        if errorClass == "backend" {
            #expect(bench.server.outcome(1, 1)?.errorClass == nil || bench.server.outcome(1, 1)?.errorSite == 1)
        } else {
            #expect(place.read("/to/b") == Data(String(repeating: "/fine/b", count: 100_000).utf8))
        }
        #expect(await bench.close() == .drained)
        #expect(bench.backends.isEmpty)
    }

    /// Whoever fails may look at the source once more, to find out why. What that look says is not why, unless they say so.
    @Test(arguments: [("no_space", 2, "its own"), ("not_found", 1, "does not exist")])
    func aLaterLookIsNoReason(errorClass: String, site: Int, reason: String) async throws {
        let place = try Place()
        defer { place.remove() }
        try place.write("/from/a", Data("content".utf8))
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(1, ["\(place.root)/from/a"], from: "local", to: "python", destinations: ["/later/\(errorClass)"])
        )
        try await eventually("it is reported") { bench.server.outcomes.count == 1 }
        #expect(bench.server.outcome(1)?.errorClass == errorClass && bench.server.outcome(1)?.errorSite == site)
        #expect(bench.server.outcome(1)?.reason?.contains(reason) == true, "\(bench.server.outcomes)")
        await bench.close()
    }

    /// The part that an attempt left is gone on from, across the two protocols. Neither the part nor the rest fits into the
    /// pipe; for a checksum of the whole the source gives its beginning once more.
    @Test(arguments: [false, true]) func goesOnWhereAnEarlierAttemptEnded(_ isCompared: Bool) async throws {
        let path = "/short/" + String(repeating: "a", count: 43)
        let size = path.utf8.count * 100_000
        let place = try Place(sourceTimeout: 60)
        defer { place.remove() }
        let bench = try place.bench()
        func job(_ attempt: Int) -> String {
            Claims.job(
                1, [path], from: "python", to: "local", destinations: ["\(place.root)/to/a"],
                options: isCompared ? #"{"verify": "checksum"}"# : "{}", attempt: attempt)
        }
        bench.server.hand(job(1))
        try await eventually("the first is reported") { bench.server.outcomes.count == 1 }
        #expect(bench.server.outcome(1)?.errorClass == "interrupted")
        #expect(try place.parts().count == 1)
        bench.server.hand(job(2))
        try await eventually("the second is reported") { bench.server.outcomes.count == 2 }
        #expect(bench.server.outcomes.last?.outcome.returncode == 0, "\(bench.server.outcomes)")
        // All at first; then the end of what is there, to compare it, and the rest.
        let asked = String(decoding: place.read("/protocols/python/get.py.asked") ?? Data(), as: UTF8.self)
        let ranges = asked.split(separator: "\n").map { $0.split(separator: " ").compactMap { Int($0) } }
        #expect(ranges.first == [0, size] && ranges.count > 1, "\(asked)")
        // What was in the pipe when the source gave up is lost: 1 MiB at most, and what was on its way into it.
        let again = ranges.dropFirst().filter { $0[0] < size / 2 - (1 << 20) - (512 << 10) }
        #expect(again.count == (isCompared ? 1 : 0) && again.allSatisfy { $0[1] <= size / 2 }, "\(asked)")
        #expect(place.read("/to/a") == Data(String(repeating: path, count: 100_000).utf8))
        #expect(try place.parts().isEmpty)
        await bench.close()
    }

    /// A source that becomes shorter while it goes over is tried again, and nothing of it stays.
    @Test func aSourceThatChangesOnTheWay() async throws {
        let place = try Place()
        defer { place.remove() }
        try place.write("/from/a", Data(count: 4_000_000))
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(
                1, ["\(place.root)/from/a"], from: "local", to: "other", destinations: ["\(place.root)/to/a"],
                options: #"{"bandwidth": 2000000}"#))
        try await eventually("some of it is there") {
            let parts = (try? place.parts()) ?? []
            return parts.contains { (place.read("/to/\($0)")?.count ?? 0) > 0 }
        }
        truncate(place.root + "/from/a", 3_000_000)
        try await eventually("it is reported", within: .seconds(60)) { bench.server.outcomes.count == 1 }
        #expect(bench.server.outcome(1)?.errorClass == "busy", "\(bench.server.log(1))")
        #expect(place.read("/to/a") == nil)
        #expect(try place.parts().isEmpty)
        await bench.close()
    }

    @Test func cancelsOne() async throws {
        let place = try Place()
        defer { place.remove() }
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(
                1, ["/hang/a", "/fine/b"], from: "python", to: "local",
                destinations: ["\(place.root)/to/a", "\(place.root)/to/b"]))
        try await eventually("its neighbour is through") { bench.server.outcomes.count == 1 }
        bench.server.change { $0.stop = ["1.0.1"] }
        try await eventually("both are reported") { bench.server.outcomes.count == 2 }
        #expect(bench.server.outcome(1, 0)?.errorClass == "interrupted")
        #expect(bench.server.outcome(1, 1)?.returncode == 0)
        #expect(try place.parts().isEmpty)
        await bench.close()
    }

    /// Cancelled before there was a place for it: nobody is waited for.
    @Test(arguments: [["1.1.1"], ["1.1.1", "1.2.1"]]) func cancelsWhatWaits(stop: [String]) async throws {
        // One at a time, all in one batch: the source takes four.
        let place = try Place(puts: 1)
        defer { place.remove() }
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(
                1, ["/hang/a", "/fine/b", "/fine/c"], from: "python", to: "other",
                destinations: ["a", "b", "c"].map { "\(place.root)/to/\($0)" }))
        try await eventually("both backends run") { bench.backends.count >= 2 }
        bench.server.change { $0.stop = stop }
        try await eventually("they are reported") { bench.server.outcomes.count == stop.count }
        #expect(bench.server.outcome(1, 0) == nil)
        #expect(bench.server.outcome(1, 1)?.errorClass == "interrupted")
        // The first ends by its timeout, and then those that are left have their turn.
        try await eventually("all are reported", within: .seconds(60)) { bench.server.outcomes.count == 3 }
        #expect(bench.server.outcome(1, 0)?.errorClass == "timeout")
        #expect(bench.server.outcome(1, 2)?.errorClass == (stop.count == 1 ? nil : "interrupted"))
        #expect((place.read("/to/c") != nil) == (stop.count == 1))
        #expect(await bench.close() == .drained)
        #expect(bench.backends.isEmpty)
    }

    /// A destination that takes its time is no standstill of the source, which waits for it.
    @Test func aSlowDestinationIsNoTimeout() async throws {
        let place = try Place(timeout: 2)
        defer { place.remove() }
        let data = Data((0..<2_300_000).map { UInt8(truncatingIfNeeded: ($0 & 0xff) ^ ($0 >> 8)) })
        try place.write("/from/a", data)
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(
                1, ["\(place.root)/from/a"], from: "other", to: "local", destinations: ["\(place.root)/to/a"],
                options: #"{"bandwidth": 300000}"#))
        try await eventually("it is reported", within: .seconds(60)) { bench.server.outcomes.count == 1 }
        #expect(bench.server.outcome(1)?.returncode == 0, "\(bench.server.log(1))")
        #expect(place.read("/to/a") == data)
        await bench.close()
    }

    /// Who stands still while bytes are in the pipe is told from the pipe, although each has a timeout that would end the
    /// other's wait first.
    @Test(arguments: [("other", "python", 2), ("python", "other", 1)])
    func blamesWhoStandsStill(from: String, to: String, site: Int) async throws {
        let place = try Place(timeout: 2)
        defer { place.remove() }
        try place.write("/from/a", Data(count: 300_000))
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(
                1, [from == "python" ? "/stall" : "\(place.root)/from/a"], from: from, to: to,
                destinations: ["\(place.root)/to/a"]))
        try await eventually("it is reported", within: .seconds(60)) { bench.server.outcomes.count == 1 }
        #expect(bench.server.outcome(1)?.errorClass == "timeout", "\(bench.server.log(1))")
        #expect(bench.server.outcome(1)?.errorSite == site, "\(bench.server.log(1))")
        await bench.close()
        #expect(bench.backends.isEmpty)
    }

    /// A backend that is killed takes its elements with it, and nothing stays behind.
    @Test(arguments: ["python", "local"]) func survivesAKill(of side: String) async throws {
        // It is the kill that ends them, however long that takes to come.
        let place = try Place(sourceTimeout: 60)
        defer { place.remove() }
        let bench = try place.bench()
        bench.server.hand(
            Claims.job(
                1, ["/hang/a", "/hang/b"], from: "python", to: "local",
                destinations: ["\(place.root)/to/a", "\(place.root)/to/b"]))
        @Sendable func victims() -> [Int32] {
            bench.backends.filter { pid in
                let words = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
                return words.contains(side == "python" ? "get.py" : "haul-local")
            }
        }
        try await eventually("both backends run") { bench.backends.count >= 2 && !victims().isEmpty }
        for pid in victims() { kill(pid, SIGKILL) }
        try await eventually("both are reported") { bench.server.outcomes.count == 2 }
        #expect(bench.server.outcomes.allSatisfy { $0.outcome.errorClass == "backend" }, "\(bench.server.log(1))")
        await bench.close()
        #expect(bench.backends.isEmpty)
    }
}
