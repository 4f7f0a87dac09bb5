import HaulHTTP
import HaulModel
import HaulWire
import Support
import Synchronization
import Testing

/// Many connections, many jobs: the server serves on, and does not grow with them.
@Suite(.server(), .serialized) struct LoadTests {
    /// 2,000 connections that say nothing.
    @Test func idleConnections() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        var idle: [RawConnection] = []
        for number in 0..<2000 {
            let connection = try RawConnection(port: server.port)
            if number % 2 == 0 { connection.sendNow("GET \(WirePath.root)/jobs HTTP/1.1\r\nHost: h\r\nX-Slow: ") }
            idle.append(connection)
        }
        let begun = ContinuousClock.now
        for n in 0..<20 { _ = try await person.list("/\(n)") }
        #expect(try await person.user.get("/jobs").json.array?.count == 20)
        #expect(ContinuousClock.now - begun < .seconds(50), "before the idle ones are cut off")
        #expect(idle.count == 2000)
    }

    /// 20,000 jobs stream out, also to a client that reads slowly, without the server's memory following.
    @Test func twentyThousandJobs() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let blob = JSONValue.string(String(repeating: "x", count: 1000))
        for part in 0..<4 {
            let jobs = (0..<5000).map { number -> JSONValue in
                [
                    "type": 0, "src_siteid": 1, "src_filepath": .string("/\(part)/\(number)"),
                    "extra_opts": ["blob": blob],
                ]
            }
            #expect(try await person.user.post("/jobs", .array(jobs)).status == 200)
        }
        _ = try await person.user.get("/jobs?limit=1000")
        let before = server.memory
        let url = server.url + WirePath.root + "/jobs"
        let seen = Figures()
        let token = try #require(person.user.token)
        let answer = try await server.client.stream(
            HTTPClientRequest(
                url: url, headers: ["Authorization": "Bearer \(token)", "Accept": "application/x-ndjson"])
        ) { bytes in
            seen.add(lines: bytes.count { $0 == 0x0A }, memory: server.memory)
        }
        #expect(answer.status == 200)
        let (lines, peak) = seen.both
        #expect(lines == 20_000)
        #expect(peak - before < 48 << 20, "\(before >> 20) MiB before, \(peak >> 20) MiB while 26 MB went out")
    }

    /// A client that takes an answer and never reads it holds up no one.
    @Test func deafClients() async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let jobs = (0..<3000).map { number -> JSONValue in
            [
                "type": 0, "src_siteid": 1,
                "src_filepath": .string("/" + String(repeating: "p", count: 3000) + "\(number)"),
            ]
        }
        #expect(try await person.user.post("/jobs", .array(jobs)).status == 200)
        let token = try #require(person.user.token)
        var deaf: [RawConnection] = []
        for _ in 0..<20 {
            let connection = try RawConnection(port: server.port, receiveBuffer: 4096)
            await connection.send(
                "GET \(WirePath.root)/jobs HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(token)\r\n\r\n")
            deaf.append(connection)
        }
        let begun = ContinuousClock.now
        #expect(try await person.user.get("/jobs").json.array?.count == 3000)
        #expect(try await newPerson().list("/x") > 0)
        #expect(ContinuousClock.now - begun < .seconds(15))
        #expect(deaf.count == 20)
    }
}

/// What a stream's reader saw.
private final class Figures: Sendable {
    private let state = Mutex((lines: 0, most: 0))

    var both: (lines: Int, most: Int) { state.withLock { $0 } }

    func add(lines: Int, memory: Int) {
        state.withLock { state in
            state.lines += lines
            state.most = max(state.most, memory)
        }
    }
}
