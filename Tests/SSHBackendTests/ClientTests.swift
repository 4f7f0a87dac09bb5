import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

@testable import haul_ssh

/// The client against servers that misbehave.
@Suite(.timeLimit(.minutes(5)))
struct ClientTests {
    private static let ten = ReadOrder(facts: FileFacts(kind: .file, size: 10))

    private func started(_ transport: ScriptedTransport) async throws -> SFTPClient {
        let client = SFTPClient(transport)
        try await client.start()
        return client
    }

    private func loss(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "no loss"
        } catch let loss as SFTPLoss {
            return loss.reason
        } catch {
            return "\(error)"
        }
    }

    @Test func answersInAnyOrderFindTheirRequests() async throws {
        let transport = ScriptedTransport.greeting()
        let client = try await started(transport)
        var tickets: [SFTPTicket] = []
        for index in 0..<20 { tickets.append(try await client.send(.stat("/\(index)"))) }
        for ticket in tickets.reversed() {
            transport.give(ScriptedTransport.status(ticket.id, 2, "\(ticket.id)"))
        }
        for ticket in tickets {
            #expect(try await client.receive(ticket) == .status(SFTPStatus(code: 2, message: "\(ticket.id)")))
        }
        #expect(!client.isLost)
    }

    @Test func anAnswerToNothingEndsTheConnection() async throws {
        let transport = ScriptedTransport.greeting()
        let client = try await started(transport)
        let ticket = try await client.send(.stat("/a"))
        transport.give(ScriptedTransport.status(ticket.id &+ 40, 0))
        #expect(await loss { _ = try await client.receive(ticket) }.contains("never sent"))
        #expect(client.isLost)
        #expect(transport.isClosed)
        #expect(await loss { _ = try await client.send(.stat("/b")) }.contains("never sent"))
    }

    @Test func aSecondAnswerEndsTheConnection() async throws {
        let transport = ScriptedTransport.greeting()
        let client = try await started(transport)
        let first = try await client.send(.stat("/a"))
        let second = try await client.send(.stat("/b"))
        transport.give(ScriptedTransport.status(first.id, 0))
        transport.give(ScriptedTransport.status(first.id, 0))
        #expect(await loss { _ = try await client.receive(second) }.contains("a second answer"))
        // What came before the fault is still good.
        #expect(try await client.receive(first) == .status(SFTPStatus(code: 0, message: "")))
    }

    @Test(arguments: [
        Data([0x80, 0, 0, 0]), Data("Welcome to this host".utf8), Data([0, 0, 0, 1, 101]), Data([0, 0, 0, 0]),
    ])
    func brokenPacketsEndTheConnection(_ bytes: Data) async throws {
        let transport = ScriptedTransport.greeting()
        let client = try await started(transport)
        let ticket = try await client.send(.stat("/a"))
        transport.give(bytes)
        #expect(await loss { _ = try await client.receive(ticket) }.contains("broke the SFTP protocol"))
    }

    @Test func anEndInTheMiddleOfAPacketFailsAllThatWait() async throws {
        let transport = ScriptedTransport.greeting()
        let client = try await started(transport)
        let ticket = try await client.send(.stat("/a"))
        transport.give(ScriptedTransport.status(ticket.id, 0).dropLast(3))
        transport.close()
        #expect(await loss { _ = try await client.receive(ticket) } == "the connection closed")
    }

    @Test(arguments: [
        Data("ssh: this account is not available\n".utf8), ScriptedTransport.framed(Data([2, 0, 0, 0, 6])),
        ScriptedTransport.framed(Data([101, 0, 0, 0, 3])), ScriptedTransport.framed(Data([2, 0, 0])),
    ])
    func whatIsNoHelloIsNoServer(_ bytes: Data) async {
        let transport = ScriptedTransport { _ in [bytes] }
        let said = await loss { try await SFTPClient(transport).start() }
        #expect(said.contains("no SFTP server answered"))
        #expect(transport.isClosed)
    }

    @Test func theWindowBoundsWhatIsSent() async throws {
        let transport = ScriptedTransport.greeting()
        let client = try await started(transport)
        let sent = transport.requests.count
        var tickets: [SFTPTicket] = []
        for _ in 0..<SFTPClient.window { tickets.append(try await client.send(.stat("/a"))) }
        let extra = Task { try await client.call(.stat("/extra")) }
        let refused = Task { try await client.call(.stat("/refused")) }
        refused.cancel()
        await #expect(throws: CancellationError.self) { try await refused.value }
        #expect(transport.requests.count - sent == SFTPClient.window)
        transport.give(ScriptedTransport.status(tickets[0].id, 0))
        try await eventually("the next request is sent") {
            transport.requests.count - sent == SFTPClient.window + 1
        }
        transport.close()
        await #expect(throws: SFTPLoss.self) { try await extra.value }
    }

    @Test func aHandleThatNobodyWantsIsClosed() async throws {
        let transport = ScriptedTransport.greeting()
        let client = try await started(transport)
        let opening = Task { try await client.handle(.opendir("/a")) }
        try await eventually("the request is sent") { transport.requests.contains { $0.first == 11 } }
        opening.cancel()
        await #expect(throws: CancellationError.self) { try await opening.value }
        var reader = SFTPFieldReader(try #require(transport.requests.first { $0.first == 11 }))
        _ = try reader.byte()
        let id = try reader.uint32()
        transport.give(ScriptedTransport.packet(102, id) { $0.add(Data([5, 5])) })
        try await eventually("the handle is closed") {
            transport.requests.contains { $0.first == 4 && $0.suffix(2) == Data([5, 5]) }
        }
        #expect(!client.isLost)
    }

    @Test func answersOfAnotherKindAreNoAnswers() async throws {
        let transport = ScriptedTransport.greeting { type, id in
            switch type {
            case 17: [ScriptedTransport.packet(102, id) { $0.add(Data([1])) }]
            case 3: [ScriptedTransport.status(id, 0)]
            case 5: [ScriptedTransport.packet(104, id) { $0.add(UInt32(0)) }]
            case 16: [ScriptedTransport.packet(104, id) { $0.add(UInt32(0)) }]
            default: []
            }
        }
        let client = try await started(transport)
        await #expect(throws: BackendFailure.self) { try await client.facts("/a", follow: true) }
        await #expect(throws: BackendFailure.self) { try await client.handle(.open("/a", .read, SFTPAttributes())) }
        let read = try await client.send(.read(Data([1]), offset: 0, count: 9))
        await #expect(throws: BackendFailure.self) { try await client.data(read) }
        await #expect(throws: BackendFailure.self) { try await client.realpath(".") }
        #expect(!client.isLost)
    }

    /// A server that gives more than was asked, or nothing, must not make a wrong file.
    @Test func readsThatLieAreFailures() async throws {
        for given in [Data(count: 100_000), Data()] {
            let transport = ScriptedTransport.greeting { type, id in
                type == 5 ? [ScriptedTransport.packet(103, id) { $0.add(given) }] : []
            }
            let client = try await started(transport)
            let reader = RemoteReader(client, path: "/a", handle: Data([1]), Self.ten)
            await #expect(throws: BackendFailure.self) { try await reader.next() }
        }
    }

    @Test func shortReadsAreCompleted() async throws {
        let transport = ScriptedTransport.greeting { type, id in
            type == 5 ? [ScriptedTransport.packet(103, id) { $0.add(Data("x".utf8)) }] : []
        }
        let client = try await started(transport)
        let reader = RemoteReader(client, path: "/a", handle: Data([1]), Self.ten)
        #expect(try await reader.next() == Data("xxxxxxxxxx".utf8))
        #expect(try await reader.next() == nil)
    }
}
