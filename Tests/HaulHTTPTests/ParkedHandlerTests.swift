import Foundation
import HaulHTTP
import Support
import Testing

/// Handlers that wait: what they cost, and how they learn that nobody waits for them.
@Suite(.serialized) struct ParkedHandlerTests {
    enum Leaving: CaseIterable { case closing, resetting, closingBehindUnreadBytes }

    @Test(arguments: Leaving.allCases)
    func aClientThatLeavesCancelsItsHandler(leaving: Leaving) async throws {
        let running = Counter()
        let cancelled = Counter()
        let gate = Gate()
        try await withServer(
            { _ in },
            { _ in
                running.add()
                await gate.wait()
                if Task.isCancelled { cancelled.add() }
                return HTTPResponse(text: Task.isCancelled ? "nobody reads this" : "woken")
            }
        ) { server in
            let leaver = try RawConnection(port: server.port)
            let stayer = try RawConnection(port: server.port)
            for client in [leaver, stayer] { client.sendNow("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }
            #expect(await eventually { running.count == 2 })
            switch leaving {
            case .closing: leaver.hangUp()
            case .resetting: leaver.reset()
            case .closingBehindUnreadBytes:
                leaver.sendNow("GET /next HTTP/1.1\r\nHost: x\r\n\r\nrubbish")
                leaver.hangUp()
            }
            #expect(await eventually { cancelled.count >= 1 })
            // The other one is not disturbed.
            gate.open()
            #expect(await stayer.read { $0.hasSuffix("woken") }.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func aThousandLongPollsCostLittle() async {
        await #expect(processExitsWith: .success) {
            let gate = Gate()
            let parked = Counter()
            let server = try ServerStopTests.server { request in
                guard request.path == "/poll" else { return HTTPResponse(text: "quick") }
                parked.add()
                await gate.wait()
                return HTTPResponse(text: "woken")
            }
            let client = HTTPClient()
            let quick = HTTPClientRequest(url: server.url("/quick"), timeout: 60)
            for _ in 0..<20 { #expect(try await client.send(quick).status == 200) }
            let (threads, memory) = (ProcessFigures.threads, ProcessFigures.memory)
            let polls = try (0..<1000).map { _ in
                let poll = try RawConnection(port: server.port)
                poll.sendNow("GET /poll HTTP/1.1\r\nHost: x\r\n\r\n")
                return poll
            }
            #expect(await eventually { parked.count == 1000 })
            var times: [Duration] = []
            for _ in 0..<200 {
                let began = ContinuousClock.now
                #expect(try await client.send(quick).status == 200)
                times.append(ContinuousClock.now - began)
            }
            // The one in the middle: a machine with something else to do lets some wait.
            #expect(times.sorted()[100] < .milliseconds(100))
            #expect(ProcessFigures.threads <= threads + 4, "\(ProcessFigures.threads) threads, \(threads) before")
            let more = ProcessFigures.memory - memory
            #expect(more < 50_000_000, "\(more) bytes more")
            gate.open()
            for poll in polls { #expect(await poll.read { $0.hasSuffix("woken") }.hasPrefix("HTTP/1.1 200")) }
            #expect(await ServerStopTests.stop(server, grace: 20) < 10)
            await client.close()
        }
    }

    @Test func twoThousandIdleConnectionsAreNotInTheWay() async {
        await #expect(processExitsWith: .success) {
            let server = try ServerStopTests.server { _ in HTTPResponse(text: "quick") }
            let idle = try (0..<2000).map { index in
                let connection = try RawConnection(port: server.port)
                // A third is silent, a third has begun a request, a third has had one.
                if index % 3 == 1 { connection.sendNow("GET / HTT") }
                if index % 3 == 2 { connection.sendNow("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }
                return connection
            }
            let client = HTTPClient()
            var times: [Duration] = []
            for _ in 0..<200 {
                let began = ContinuousClock.now
                #expect(try await client.send(HTTPClientRequest(url: server.url("/"), timeout: 60)).status == 200)
                times.append(ContinuousClock.now - began)
            }
            // The one in the middle: a machine with something else to do lets some wait.
            #expect(times.sorted()[100] < .milliseconds(100))
            #expect(await ServerStopTests.stop(server, grace: 20) < 10)
            for connection in idle { #expect(await connection.closes(seconds: 5)) }
            await client.close()
        }
    }

    /// The limit is kept for each of the server's threads, so one thread is used here.
    @Test func connectionsPastTheLimitWaitForTheirTurn() async throws {
        try await withServer(
            {
                $0.connectionLimit = 10
                $0.threads = 1
            }, { _ in HTTPResponse(text: "served") }
        ) { server in
            let first = try (0..<10).map { _ in try RawConnection(port: server.port) }
            for connection in first {
                connection.sendNow("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(await connection.read { $0.hasSuffix("served") }.hasSuffix("served"))
            }
            let late = try RawConnection(port: server.port)
            late.sendNow("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await late.read(seconds: 0.3) { !$0.isEmpty }.isEmpty)
            first[3].hangUp()
            #expect(await late.read { $0.hasSuffix("served") }.hasSuffix("served"))
        }
    }
}
