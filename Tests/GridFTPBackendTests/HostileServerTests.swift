import Foundation
import HaulModel
import HaulProtocol
import Testing

@testable import haul_gridftp

/// Servers that are others, or that lie.
@Suite(.timeLimit(.minutes(6)))
struct HostileServerTests {
    private static let directory = "Type=dir;Size=4096;"

    private func list(
        _ server: ScriptedServer, _ path: String = "/d"
    ) async throws -> (result: ElementResult, outcome: Bench.Outcome) {
        let bench = try Bench()
        defer { bench.remove() }
        let answer = try await bench.one(bench.batch(.list, server.site), path)
        await server.stop()
        return answer
    }

    /// Without MLSC the listing comes over a data connection.
    @Test func aServerWithMLSDAlone() async throws {
        let server = try await ScriptedServer(
            features: ["MLST Type*;"], facts: ["/d": Self.directory],
            listings: [
                "/d": ["Type=cdir;Size=1; .", "Type=file;Size=6;Modify=20240229235959; one two", "Type=file;Size=0; x"]
            ])
        let (result, outcome) = try await list(server)
        #expect(result.isOK, "\(result.reason ?? "")")
        #expect(outcome.paths == ["/d/one two": 6, "/d/x": 0])
        #expect(outcome.entries[0].entries[0].modified == 1_709_251_199)
    }

    @Test(arguments: ["..", "a/b", "", "."]) func namesOfElsewhere(_ name: String) async throws {
        let server = try await ScriptedServer(
            facts: ["/d": Self.directory], listings: ["/d": ["Type=file;Size=6; \(name)"]])
        let (result, outcome) = try await list(server)
        #expect(result.errorClass == .invalid, "\(result.reason ?? "ok")")
        #expect(outcome.entries.isEmpty)
    }

    @Test func aServerThatIsNone() async throws {
        let (result, _) = try await list(try await ScriptedServer(greeting: "HTTP/1.1 400 Bad Request\r\n\r\n"))
        #expect(result.errorClass == .connect)
        #expect(result.reason?.contains("does not speak FTP") == true)
    }

    @Test func aServerThatIsFull() async throws {
        let (result, _) = try await list(try await ScriptedServer(greeting: "421 Too many connections\r\n"))
        #expect(result.errorClass == .busy)
    }

    @Test func aServerWithoutMLST() async throws {
        let (result, _) = try await list(try await ScriptedServer(features: ["SIZE"]))
        #expect(result.errorClass == .invalid)
        #expect(result.reason?.contains("MLST") == true)
    }

    @Test func aServerAtIPv6() async throws {
        let server = try await ScriptedServer(
            features: ["MLST Type*;"], facts: ["/d": Self.directory], listings: ["/d": ["Type=file;Size=6; x"]],
            host: "::1")
        let bench = try Bench()
        defer { bench.remove() }
        let listed = try await bench.one(bench.batch(.list, server.site), "/d")
        #expect(listed.result.isOK, "\(listed.result.reason ?? "")")
        #expect(listed.outcome.paths == ["/d/x": 6])
        #expect(try await server.heard().contains("EPSV"))
        // One that knows no addresses of IPv6 says so; it has no bytes for the worker either.
        let other = try await ScriptedServer(facts: ["/f": "Type=file;Size=3;Modify=20200101000000;"])
        let copied = try await bench.one(bench.batch(.copy, other.site, to: server.site), "/f", "/d/g")
        #expect(copied.outcome.logs.contains { $0.contains("EPRT") }, "\(copied.outcome.logs)")
        #expect(copied.result.errorClass == .notFound, "\(copied.result.reason ?? "ok")")
        let heard = try await other.heard()
        #expect(heard.contains { $0.hasPrefix("EPRT |2|::1|") } && !heard.contains { $0.hasPrefix("PORT") })
        await other.stop()
        await server.stop()
    }

    /// Without a proxy a server's word for another place is none: its own address counts.
    @Test func aServerThatNamesAnotherPlace() async throws {
        let server = try await ScriptedServer(
            features: ["MLST Type*;"], facts: ["/d": Self.directory], listings: ["/d": ["Type=file;Size=6; x"]],
            passive: "127,0,0,2")
        let bench = try Bench()
        defer { bench.remove() }
        let listed = try await bench.one(bench.batch(.list, server.site), "/d")
        #expect(listed.result.isOK, "\(listed.result.reason ?? "")")
        #expect(listed.outcome.paths == ["/d/x": 6])
        // Where the site says that it is its own, it is gone to: nobody listens there.
        var site = server.site
        site.options["data_nodes"] = ["127.0.0.0/30"]
        let there = try await bench.one(bench.batch(.list, site), "/d").result
        #expect(there.errorClass == .connect, "\(there.reason ?? "ok")")
        #expect(there.reason?.contains("127.0.0.2") == true)
        site.options["data_nodes"] = ["localhost"]
        #expect(try await bench.one(bench.batch(.list, site), "/d").result.errorClass == .invalid)
        await server.stop()
    }

    /// The source must not be sent to speak with somebody else.
    @Test func aDestinationThatNamesAnotherPlace() async throws {
        let source = try await ScriptedServer(facts: ["/f": "Type=file;Size=3;Modify=20200101000000;"])
        let target = try await ScriptedServer(
            facts: ["/": Self.directory], replies: ["PASV": "227 Entering (10,9,8,7,4,5)\r\n"])
        let bench = try Bench()
        defer { bench.remove() }
        let copied = try await bench.one(bench.batch(.copy, source.site, to: target.site), "/f", "/g")
        #expect(!copied.result.isOK)
        let ports = try await source.heard().filter { $0.hasPrefix("PORT") }
        #expect(Set(ports) == ["PORT 127,0,0,1,4,5"])
        await source.stop()
        await target.stop()
    }

    /// What the user called a file is no word of the server's.
    @Test(arguments: ["GridFTP-Errno: 2", "No such file or directory", "gridmap", "disk quota exceeded"])
    func aNameThatSoundsLikeAReason(_ name: String) async throws {
        let path = "/d/" + name
        let server = try await ScriptedServer(
            facts: ["/d": Self.directory],
            replies: ["MLST \(path)": "451-\(path) cannot be read\r\n451 \(name): Input/output error\r\n"])
        let (result, _) = try await list(server, path)
        #expect(result.errorClass == .unknown, "\(result.reason ?? "ok")")
    }

    @Test(arguments: ["PASS", "MLST"]) func aLineWithoutEnd(_ verb: String) async throws {
        let began = ContinuousClock.now
        let (result, _) = try await list(
            try await ScriptedServer(facts: ["/d": Self.directory], floodsAt: verb))
        #expect(result.errorClass == .connect)
        #expect(result.reason?.contains("a line without end") == true, "\(result.reason ?? "ok")")
        #expect(ContinuousClock.now - began < .seconds(20))
    }

    /// The question before had an hour, and was answered: that is nothing to the next one.
    @Test func eachQuestionHasItsOwnPatience() async throws {
        let server = try await ScriptedServer(replies: ["HELP": "214 none\r\n"], heldVerb: "HOLD")
        let connection = try await server.connect()
        _ = try await connection.perform("HELP", patience: .seconds(3600))
        do {
            let reply = try await connection.perform("HOLD", patience: .seconds(1))
            Issue.record("it was answered: \(reply)")
        } catch let lost as ControlConnection.Lost { #expect(lost.failure.errorClass == .timeout) }
        await server.stop()
    }

    /// The reply after a listing must be the one that was asked for; else the data connection has the listing.
    @Test(arguments: ["250 fine", "250-fine", "999 fine", "150 fine"]) func aListingThatAnswersForTheServer(
        _ more: String
    ) async throws {
        let server = try await ScriptedServer(
            facts: ["/d": Self.directory], listings: ["/d": ["Type=file;Size=6; x", "Type=file;Size=7; y"]],
            replies: ["MLSC /d": "250-it\r\n Type=file;Size=6; x\r\n250 End\r\n\(more)\r\n250 End\r\n"])
        let (result, outcome) = try await list(server)
        #expect(result.isOK, "\(result.reason ?? "")")
        #expect(outcome.paths == ["/d/x": 6, "/d/y": 7])
    }

    /// A long listing comes in pieces, each a reply of its own; a name could end one, too.
    @Test(arguments: [
        "150-it\r\n Type=cdir;Size=1; .\r\n Type=file;Size=6; x\r\n150 End\r\n250-it\r\n Type=file;Size=7; y\r\n250 End\r\n",
        "150-it\r\n Type=file;Size=6; x\r\n150 End\r\n250-it\r\n Type=cdir;Size=1;X.count=3; .\r\n250 End\r\n",
        "150 well\r\n250-it\r\n Type=file;Size=7; y\r\n250 End\r\n",
    ]) func aListingInPieces(_ reply: String) async throws {
        let server = try await ScriptedServer(
            facts: ["/d": Self.directory], listings: ["/d": ["Type=file;Size=6; x", "Type=file;Size=7; y"]],
            replies: ["MLSC /d": reply])
        let (result, outcome) = try await list(server)
        #expect(result.isOK, "\(result.reason ?? "")")
        #expect(outcome.paths == ["/d/x": 6, "/d/y": 7])
    }

    @Test func aNameThatIsListedTwice() async throws {
        let server = try await ScriptedServer(
            facts: ["/d": Self.directory], listings: ["/d": ["Type=file;Size=6; x", "Type=file;Size=7; x"]])
        let (result, outcome) = try await list(server)
        #expect(result.errorClass == .busy, "\(result.reason ?? "ok")")
        #expect(outcome.entries.isEmpty)
    }

    @Test(arguments: ["FEAT", "PASS", "MLSC"]) func aReplyThatBreaksOff(_ command: String) async throws {
        let server = try await ScriptedServer(facts: ["/d": Self.directory], breaksAt: command)
        let (result, _) = try await list(server)
        #expect(result.errorClass == .connect, "\(result.reason ?? "ok")")
    }
}
