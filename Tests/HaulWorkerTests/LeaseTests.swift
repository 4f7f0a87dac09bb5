import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import HaulWire
import HaulWorker
import Support
import Testing

/// Heartbeats, and what becomes of a worker's work when its leases end.
@Suite(.timeLimit(.minutes(6))) struct LeaseTests {
    @Test func stopsWhatItsUserCancelled() async throws {
        let bench = try Bench()
        bench.server.hand(Claims.job(1, ["/sleep/600", "/sleep/0.8"]))
        try await eventually("both are held") { bench.server.record.beats.last?.holding == ["1.0.1", "1.1.1"] }
        bench.server.change { $0.stop = ["1.0.1", "9.9.9", "nonsense"] }
        try await eventually("both are reported") { bench.server.outcomes.count == 2 }
        #expect(bench.server.outcome(1, 0)?.errorClass == "interrupted")
        #expect(bench.server.outcome(1, 0)?.reason == "cancelled by its user")
        #expect(bench.server.outcome(1, 1)?.returncode == 0)
        await bench.close()
    }

    @Test func stopsWhatStillWaitsForASlot() async throws {
        let bench = try Bench { $0.slots = 1 }
        bench.server.hand(Claims.job(1, ["/sleep/600"]), Claims.job(2, ["/ok"]))
        try await eventually("both are held") { bench.server.record.beats.last?.holding == ["1.0.1", "2.0.1"] }
        bench.server.change { $0.stop = ["2.0.1"] }
        try await eventually("it is reported") { bench.server.outcome(2) != nil }
        #expect(bench.server.outcome(2)?.errorClass == "interrupted")
        bench.server.change { $0.stop = ["1.0.1"] }
        await bench.close()
    }

    @Test func dropsWhatTheServerDoesNotKnow() async throws {
        let bench = try Bench()
        bench.server.hand(Claims.job(1, ["/sleep/600", "/sleep/0.8"]))
        try await eventually("both are held") { bench.server.record.beats.last?.holding == ["1.0.1", "1.1.1"] }
        bench.server.change { $0.unknown = ["1.0.1"] }
        try await eventually("the other is reported") { bench.server.outcome(1, 1) != nil }
        try await eventually("no backend is left") { bench.backends.isEmpty }
        await bench.close()
        #expect(bench.server.outcomes.map(\.elementID) == [1])
        #expect(bench.logged("lease-ended").count == 1)
    }

    @Test func asksForNothingWhileTheServerDrainsIt() async throws {
        let bench = try Bench { $0.slots = 1 }
        bench.server.change { $0.drain = true }
        bench.server.hand(Claims.job(1, ["/sleep/0.5"]))
        try await eventually("its last work is done") { bench.server.outcome(1) != nil }
        bench.server.hand(Claims.job(2, ["/ok"]))
        let beats = bench.server.record.beats.count
        try await eventually("ten heartbeats") { bench.server.record.beats.count >= beats + 10 }
        #expect(bench.server.record.claims.count == 1 && bench.server.outcome(2) == nil)
        bench.server.change { $0.drain = false }
        try await eventually("it works again") { bench.server.outcome(2) != nil }
        await bench.close()
    }

    /// Heartbeats fail: backends are gone before the leases are, and nothing is said of them afterwards.
    @Test(arguments: ["/sleep/600", "/stubborn"])
    func stopsAllBeforeItsLeasesEnd(path: String) async throws {
        let server = try TestServer()
        server.change { $0.leaseSeconds = 9 }
        let bench = try Bench(server: server)
        server.hand(Claims.job(1, [path]))
        try await eventually("it runs") { !bench.backends.isEmpty && !server.record.progress.isEmpty }
        let sent = server.record.beats.count
        try await eventually("a heartbeat") { server.record.beats.count > sent }
        server.change { script in
            script.answer = { path, _ in
                path == "/heartbeat" || path == "/register" ? TestServer.problem(503, "down") : nil
            }
        }
        let start = ContinuousClock.now
        try await eventually("no backend is left") { bench.backends.isEmpty }
        #expect(ContinuousClock.now - start < .seconds(9))
        #expect(ContinuousClock.now - start > .seconds(3))
        server.change { $0.answer = nil }
        try await eventually("a new session") { server.record.registrations.count == 2 }
        await bench.close()
        #expect(server.outcomes.isEmpty)
    }

    /// A lease counts from when the registration was sent: where its answer took most of that time, a heartbeat is due.
    @Test func heartbeatsAtOnceAfterASlowRegistration() async throws {
        let server = try TestServer()
        server.change {
            $0.registrationSeconds = 4
            $0.leaseSeconds = 9
            $0.heartbeatSeconds = 3
        }
        let bench = try Bench(server: server)
        try await eventually("it is registered") { bench.logged("registered").count == 1 }
        let registered = ContinuousClock.now
        try await eventually("a heartbeat") { !server.record.beats.isEmpty }
        #expect(ContinuousClock.now - registered < .seconds(2))
        try await eventually("another") { server.record.beats.count > 1 || bench.logged("session-lost").count > 0 }
        #expect(bench.logged("session-lost").isEmpty)
        await bench.close()
    }

    @Test func registersAnewWhenItsSessionHasEnded() async throws {
        let bench = try Bench()
        bench.server.hand(Claims.job(1, ["/sleep/600"]))
        try await eventually("it runs") { !bench.backends.isEmpty }
        bench.server.change { script in
            script.answer = { path, request in
                guard path == "/heartbeat" else { return nil }
                let beat = try? JSONDecoder().decode(Heartbeat.self, from: Data(request.body))
                return beat?.session == 1 ? TestServer.problem(409, "the session has ended") : nil
            }
        }
        try await eventually("a new session") { bench.server.record.registrations.count == 2 }
        #expect(bench.backends.isEmpty)
        bench.server.hand(Claims.job(2, ["/ok"]))
        try await eventually("it works") { bench.server.outcome(2) != nil }
        await bench.close()
        #expect(bench.server.outcomes.map(\.jobID) == [2])
        #expect(bench.logged("session-lost").count == 1)
    }

    /// Two workers of one name take each other's session: they must not do so as fast as they can.
    @Test func doesNotHammerAServerThatEndsEverySession() async throws {
        let server = try TestServer()
        server.change { $0.answer = { path, _ in path == "/jobs" ? TestServer.problem(409, "ended") : nil } }
        let bench = try Bench(server: server)
        try await eventually("a few sessions") { server.record.registrations.count >= 3 }
        let (start, before) = (ContinuousClock.now, server.record.registrations.count)
        try await eventually("a second") { ContinuousClock.now - start > .seconds(1) }
        #expect(server.record.registrations.count - before < 13)
        await bench.close()
    }

    /// As long as another one lives under its name: after a change of its token that is itself, before it was restarted.
    @Test func waitsForItsName() async throws {
        let server = try TestServer()
        server.change {
            $0.answer = { path, _ in path == "/register" ? TestServer.problem(409, "another one has it") : nil }
        }
        let bench = try Bench(server: server)
        try await eventually("a few tries") { server.record.paths.count >= 3 }
        server.hand(Claims.job(1, ["/ok"]))
        server.change { $0.answer = nil }
        try await eventually("it works") { server.outcome(1) != nil }
        #expect(bench.logged("name-taken").count == 1)
        #expect(await bench.close() == .drained)
    }

    @Test func waitsForAServerThatIsNotThereYet() async throws {
        let first = try TestServer()
        let port = first.port
        await first.stop()
        let bench = try Bench(server: first, url: "http://127.0.0.1:\(port)")
        try await eventually("it said so") { bench.logged("server-unreachable").count == 1 }
        let server = try TestServer(port: port)
        server.hand(Claims.job(1, ["/ok"]))
        try await eventually("it works") { server.outcome(1) != nil }
        #expect(bench.logged("server-back").count == 1 && bench.logged("server-unreachable").count == 1)
        #expect(await bench.close() == .drained)
        await server.stop()
    }

    /// A worker that is to end when it has nothing to do does not look for its server for ever; any other one does.
    @Test func givesUpAServerThatIsGone() async throws {
        let server = try TestServer()
        let bench = try Bench(server: server) { $0.exitIdleSeconds = 0.1 }
        let other = try Bench(server: server)
        try await eventually("it has ended, as it had nothing to do") { !bench.logged("idle").isEmpty }
        #expect(await bench.end == .drained)
        let port = server.port
        await server.stop()
        // Another test's server would be as good to the workers.
        let held = try HeldPort(port)
        let late = try Bench(url: server.url) { $0.exitIdleSeconds = 0.1 }
        let lateEnd = await late.end
        let isDeserted = if case .deserted = lateEnd { true } else { false }
        #expect(isDeserted, "\(lateEnd)")
        #expect(late.logged("server-unreachable").count == 1)
        try await eventually("the other one looks for it") { !other.logged("server-unreachable").isEmpty }
        withExtendedLifetime(held) {}
        for one in [bench, other] { #expect(await one.close() == .drained) }
        await late.close()
    }

    @Test func endsWhereItIsNotAccepted() async throws {
        let server = try TestServer()
        server.change { $0.token = "another" }
        let bench = try Bench(server: server)
        #expect(await bench.end == .refused("401 no such token; h"))
        await bench.close()
    }
}
