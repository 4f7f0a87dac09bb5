import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import Support
import Testing

/// Servers of one PostgreSQL database whose machines' clocks disagree.
@Suite(.serialized, .timeLimit(.minutes(6))) struct WrongClockTests {
    @Test(arguments: ["-3600s", "+3600s"]) func anHourOff(by offset: String) async throws {
        var settings = LiveServer.Settings()
        settings.store = try await TestDatabase.makePostgreSQL()
        settings.leaseSeconds = 10
        settings.heartbeatSeconds = 1
        let right = try await LiveServer.start(settings)
        settings.state = right.stateFolder
        settings.launcher = ["/bin/bash", "-c", Self.withClock, "bash", offset]
        let wrong = try await LiveServer.start(settings)
        // Its log goes by its own clock.
        let logged = try Self.date(try #require(wrong.log.split(separator: " ").first))
        #expect(abs(logged.timeIntervalSinceNow) > 3000, "\(wrong.log)")
        let person = try await right.person()
        let here = try await ActingWorker(person.worker)
        let id = try await person.mkdir("/d")
        let held = try await here.takeOne()
        // Its heartbeats go to the one, the other's duties look for leases that are over.
        for server in [wrong, right, wrong] {
            let beat = try await person.worker.at(server).post(
                "/worker/heartbeat",
                ["session": .int(try #require(here.session)), "holding": [.string(held.name)]])
            #expect(beat.status == 200 && beat["unknown"] == [], "\(beat)")
        }
        // What they hand to each other is taken, and what they say of a moment is near it.
        let piece = try await Caller(server: wrong, token: held.token).send(
            "POST", "\(held.path)/log?offset=0", Array("one\n".utf8), headers: ["Content-Type": "text/plain"])
        #expect(piece.status == 200, "\(piece)")
        try await ActingWorker(person.worker, held).finish(held, ["log": "end\n"])
        #expect(try await person.user.at(wrong).get("/jobs/\(id)/elements/0/output")["log"] == "one\nend\n")
        let other = try await person.at(wrong).mkdir("/e")
        var times: [Date] = []
        for id in [id, other] {
            let text = try #require(try await person.user.get("/jobs/\(id)")["timestamp"]?.string)
            times.append(try Self.date(text))
        }
        #expect(abs(times[1].timeIntervalSince(times[0])) < 60, "\(times)")
        await wrong.remove()
        await right.remove()
    }

    /// `faketime` stays beside the program that it starts: a signal to this shell has to reach the program itself.
    private static let withClock = """
        /usr/bin/faketime --exclude-monotonic -f "$@" & beside=$!
        trap 'kill -TERM $(cat /proc/$beside/task/$beside/children)' TERM
        while kill -0 $beside 2>/dev/null; do wait $beside; done
        """

    private static func date(_ text: some StringProtocol) throws -> Date {
        try Date(String(text), strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
