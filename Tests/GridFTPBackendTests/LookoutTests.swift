import Foundation
import HaulProtocol
import Testing

@testable import haul_gridftp

@Suite(.timeLimit(.minutes(6)))
struct LookoutTests {
    private static let names = (0..<20).map { "f\($0)" }

    private func server(held: String = "-", entries: Int = 20) async throws -> ScriptedServer {
        let lines = (0..<entries).map { "Type=file;Size=\($0); f\($0)" }
        let facts = Self.names.map { ("/d/" + $0, "Type=file;Size=1000;") } + [("/d", "Type=dir;Size=4096;")]
        return try await ScriptedServer(
            facts: Dictionary(uniqueKeysWithValues: facts), listings: ["/d": lines], heldVerb: held)
    }

    private func path(_ name: String) throws -> RemotePath { try RemotePath("/d/" + name, home: "/") }

    /// Asks for all at once.
    private func sizes(_ lookout: Lookout, _ age: Lookout.Age) async throws -> [Int?] {
        try await withThrowingTaskGroup(of: (Int, Int?).self) { group in
            for (index, name) in Self.names.enumerated() {
                group.addTask { (index, try await lookout.look(try path(name), age)?.size) }
            }
            var sizes = [Int?](repeating: nil, count: Self.names.count)
            for try await (index, size) in group { sizes[index] = size }
            return sizes
        }
    }

    private func heard(_ server: ScriptedServer, _ verb: String) async throws -> Int {
        try await server.heard().filter { $0.hasPrefix(verb) && $0.contains("/d") }.count
    }

    @Test func manyQuestionsAreOneListing() async throws {
        let scripted = try await server()
        let lookout = Lookout(Server(try GridFTPSite(scripted.site, settings: [:])), lifetime: .seconds(600))
        #expect(try await sizes(lookout, .now) == Array(0..<20))
        #expect(try await heard(scripted, "MLSC") == 1)
        // It answers for a while, but for nobody who wants to know it anew.
        #expect(try await sizes(lookout, .lately) == Array(0..<20))
        #expect(try await sizes(lookout, .after(.now - .seconds(60))) == Array(0..<20))
        #expect(try await heard(scripted, "MLSC") == 1)
        #expect(try await sizes(lookout, .after(.now)) == Array(0..<20))
        #expect(try await heard(scripted, "MLSC") == 2)
        // What was changed is asked for, alone.
        lookout.changed(try path("f3"))
        #expect(try await sizes(lookout, .lately)[3] == 1000)
        #expect(try await lookout.look(try path("f4"), .lately)?.size == 4)
        await scripted.stop()
    }

    /// A listing that was begun before a change says nothing of what is there after it.
    @Test func aChangeUnderAListing() async throws {
        let scripted = try await server(held: "MLSC")
        let lookout = Lookout(Server(try GridFTPSite(scripted.site, settings: [:])), lifetime: .seconds(600))
        let opener = try await scripted.connect()
        async let asked = sizes(lookout, .now)
        while try await heard(scripted, "MLSC") == 0 { await Task.yield() }
        lookout.changed(try path("f3"))
        _ = try await opener.perform("OPEN")
        #expect(try await asked[3] == 3)
        #expect(try await lookout.look(try path("f4"), .lately)?.size == 4)
        #expect(try await lookout.look(try path("f3"), .lately)?.size == 1000)
        opener.close()
        await scripted.stop()
    }

    /// Of a directory with many names a few are asked for one by one.
    @Test func aLongListingIsNotWorthIt() async throws {
        let scripted = try await server(entries: 2000)
        let lookout = Lookout(Server(try GridFTPSite(scripted.site, settings: [:])), lifetime: .seconds(600))
        // How long it is, nobody knew.
        #expect(try await sizes(lookout, .now) == Array(0..<20))
        #expect(try await sizes(lookout, .now) == Array(repeating: 1000, count: 20))
        #expect(try await heard(scripted, "MLSC") == 1)
        await scripted.stop()
    }

    @Test func oneThatGoesDoesNotWait() async throws {
        let scripted = try await server(held: "MLST")
        let lookout = Lookout(Server(try GridFTPSite(scripted.site, settings: [:])), lifetime: .seconds(600))
        // The login asks with MLST, too.
        let opener = try await scripted.connect()
        let waiting = Task { try await lookout.look(try path("f1"), .now) }
        while try await !scripted.heard().contains(where: { $0.hasPrefix("MLST") }) { await Task.yield() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        _ = try await opener.perform("OPEN")
        opener.close()
        await scripted.stop()
    }
}

@Suite(.timeLimit(.minutes(6)))
struct ControlConnectionTests {
    /// However many ask at once, from whatever thread: each has the reply to its own command.
    @Test func everybodyGetsTheirOwnReply() async throws {
        let scripted = try await ScriptedServer()
        let connection = try await scripted.connect()
        await withTaskGroup(of: Void.self) { group in
            for asker in 0..<16 {
                group.addTask {
                    for turn in 0..<200 {
                        let reply = try? await connection.perform("HELP a\(asker)t\(turn).")
                        #expect(reply?.text.contains("'a\(asker)t\(turn).'") == true, "\(reply?.text ?? "nothing")")
                    }
                }
            }
        }
        connection.close()
        await scripted.stop()
    }
}

@Suite struct ControlStateTests {
    private func reply(_ state: inout ControlState, _ count: Int) {
        var parser = FTPReplyParser()
        parser.add(Data(String(repeating: "250 OK.\r\n", count: count).utf8))
        var told: [ControlState.Told] = []
        #expect(state.take(&parser, &told) == nil)
    }

    private func count(_ text: Data?) -> Int { text.map { $0.count { $0 == UInt8(ascii: "\n") } } ?? 0 }

    /// A server that is sent too much at a time refuses what comes last.
    @Test func noMoreIsSentThanAServerTakes() {
        var state = ControlState(name: "a", peer: nil)
        for _ in 0..<50 {
            state.add(.init(commands: ["RNFR /a", "RNTO /b"], patience: .seconds(1)) { _ in })
        }
        #expect(count(state.release()) == 64)
        #expect(state.release() == nil)
        reply(&state, 10)
        #expect(count(state.release()) == 10)
        reply(&state, 64)
        #expect(count(state.release()) == 26)
        #expect(state.release() == nil)
        reply(&state, 26)
        #expect(state.waiting == 0)
    }

    @Test func theOldestComesFirst() {
        var line = FIFO<Int>()
        for number in 0..<1000 {
            line.append(number)
            if number % 3 == 2 { #expect(line.popFirst() == number / 3) }
        }
        #expect(line.count == 667)
        line.first = 5
        #expect(line.popFirst() == 5)
        #expect(line.removeAll() == Array(334..<1000))
        #expect(line.isEmpty)
        #expect(line.popFirst() == nil)
    }
}
