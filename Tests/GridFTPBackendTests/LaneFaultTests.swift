import HaulModel
import HaulProtocol
import Testing

@testable import haul_gridftp

/// Two servers that fail different jobs, in an order that only a test can make.
@Suite(.timeLimit(.minutes(2)))
struct LaneFaultTests {
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
            do {
                try await lane.wait(for: id)
                #expect(index < 5, "job \(index) has the bytes of another")
            } catch let failure as BackendFailure {
                #expect(index == 5, "\(index): \(failure.reason)")
                #expect(failure.errorClass == .notFound)
            } catch is Lane.Again {}
        }
        other.close()
        await source.stop()
        await target.stop()
    }
}
