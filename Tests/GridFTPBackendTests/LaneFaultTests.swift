import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Testing

@testable import haul_gridftp

/// Two servers that fail different jobs, in an order that only a test can make.
@Suite(.timeLimit(.minutes(6)))
struct LaneFaultTests {
    private enum End: Equatable { case done, again, failed(ErrorClass) }

    private func end(of id: Int, on lane: Lane) async throws -> End {
        do {
            try await lane.wait(for: id)
            return .done
        } catch is Lane.Again {
            return .again
        } catch let failure as CopyWriteFailure {
            return .failed(failure.failure.errorClass)
        } catch let failure as BackendFailure { return .failed(failure.errorClass) }
    }

    /// The destination fails job 9 before the source has failed job 5: by then job 6 has another file's bytes.
    @Test func theEarlierFailureIsSeenLater() async throws {
        var stored = ["STOR 9": "500 Command failed.\r\n"]
        var retrieved = ["RETR 5": "550 No such file or directory\r\n"]
        for index in 0..<10 {
            stored["STOR \(index)"] = stored["STOR \(index)"] ?? "226 done\r\n"
            retrieved["RETR \(index)"] = retrieved["RETR \(index)"] ?? "226 done\r\n"
        }
        let source = try await ScriptedServer(replies: retrieved, heldVerb: "RETR")
        let target = try await ScriptedServer(replies: stored)
        let other = try await source.connect()
        let lane = Lane(source: try await source.connect(), target: try await target.connect())
        let jobs = try (0..<10).map { index in
            try lane.begin(
                LaneJob(retrieve: "RETR \(index)", store: "STOR \(index)", bytes: 1, source: "s", target: "t"))
        }
        // Until the destination's failure has been seen.
        while lane.load != nil { await Task.yield() }
        _ = try await other.perform("OPEN")
        for (index, id) in jobs.enumerated() {
            let end = try await end(of: id, on: lane)
            #expect(end == (index < 5 ? .done : index == 5 ? .failed(.notFound) : .again), "\(index)")
        }
        other.close()
        await source.stop()
        await target.stop()
    }

    /// Servers that stay for good where their client goes while they work off small files.
    @Test(arguments: [true, false]) func theEndWaitsForWhatMoves(_ failsToStore: Bool) async throws {
        var stored: [String: String] = [:]
        var retrieved: [String: String] = [:]
        for index in 0..<8 {
            stored["STOR \(index)"] = "226 done\r\n"
            retrieved["RETR \(index)"] = "226 done\r\n"
        }
        if failsToStore {
            stored["STOR 0"] = "553 Permission denied\r\n"
        } else {
            retrieved["RETR 0"] = "550 Permission denied\r\n"
        }
        let source = try await ScriptedServer(
            replies: retrieved, heldVerb: failsToStore ? "-" : "RETR", staysAt: failsToStore ? "RETR" : "-")
        let target = try await ScriptedServer(
            replies: stored, heldVerb: failsToStore ? "STOR" : "-", staysAt: failsToStore ? "-" : "STOR")
        let other = try await (failsToStore ? target : source).connect()
        let lane = Lane(source: try await source.connect(), target: try await target.connect())
        let jobs = try (0..<8).map { index in
            try lane.begin(
                LaneJob(retrieve: "RETR \(index)", store: "STOR \(index)", bytes: 1, source: "s", target: "t"))
        }
        _ = try await other.perform("OPEN")
        for (index, id) in jobs.enumerated() {
            let end = try await end(of: id, on: lane)
            #expect(end == (index == 0 ? .failed(.permission) : .again), "\(index)")
        }
        other.close()
        await source.stop()
        await target.stop()
    }

    /// Real ones, as often as it takes to meet the moment in which they do.
    @Test func realServersLetGo() async throws {
        try await Kind.anonymous.withServers { servers in
            let bench = servers.bench
            for index in 0..<32 { try bench.write("\(bench.a)/f\(index)", "number \(index)") }
            // Cannot be written.
            try FileManager.default.createDirectory(atPath: bench.b + "/f5", withIntermediateDirectories: false)
            let opener = LaneOpener(
                RemoteSite(try GridFTPSite(servers.a, settings: [:])),
                RemoteSite(try GridFTPSite(servers.b, settings: [:])))
            for round in 0..<40 {
                let lane = try await opener.open(streams: 1)
                // The last ones may come too late.
                let jobs = (0..<32).compactMap { index in
                    try? lane.begin(
                        LaneJob(
                            retrieve: "RETR \(bench.a)/f\(index)", store: "STOR \(bench.b)/f\(index)",
                            after: ["MFMT 20200101000000 \(bench.b)/f\(index)"], bytes: 9, source: "s", target: "t"))
                }
                for (index, id) in jobs.enumerated() {
                    let end = try await end(of: id, on: lane)
                    #expect(end == (index < 5 ? .done : index == 5 ? .failed(.invalid) : .again), "\(round): \(index)")
                }
            }
        }
    }
}

@Suite struct StandstillTests {
    private let start = ContinuousClock.now

    private func after(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    private func given(_ jobs: Int) -> Standstill {
        var standstill = Standstill(start)
        standstill.sent(jobs, start)
        return standstill
    }

    @Test func nothingIsWaitedForWhereAllIsAnswered() {
        var standstill = given(2)
        for isStore in [true, false, true, false] {
            #expect(standstill.rest(knows: true, start) != nil)
            standstill.answered(isStore: isStore, start)
        }
        #expect(standstill.rest(knows: false, start) == nil)
    }

    @Test func eachWordIsASignOfLife() {
        var standstill = given(32)
        #expect(standstill.rest(knows: true, after(900)) == .milliseconds(100))
        standstill.answered(isStore: true, after(900))
        #expect(standstill.rest(knows: true, after(1800)) == .milliseconds(100))
        #expect(standstill.rest(knows: true, after(1900)) == nil)
    }

    /// A file is missing, and its place waits for bytes.
    @Test func oneIsAtItsLastWords() {
        var standstill = given(2)
        standstill.answered(isStore: false, start)
        standstill.answered(isStore: false, start)
        #expect(standstill.rest(knows: true, after(600)) == .milliseconds(100))
        #expect(standstill.rest(knows: true, after(700)) == nil)
    }

    @Test func nobodyIsBesideIt() {
        var standstill = given(1)
        #expect(standstill.rest(knows: true, start) != nil)
        standstill.answered(isStore: false, start)
        #expect(standstill.rest(knows: true, start) == nil)
        // The other may know better.
        #expect(standstill.rest(knows: false, start) != nil)
        standstill.sent(1, start)
        #expect(standstill.rest(knows: true, start) != nil)
    }
}
