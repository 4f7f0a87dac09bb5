import Foundation
import HaulModel
import HaulProtocol
import Testing

/// Servers that are others, or that lie.
@Suite(.timeLimit(.minutes(2)))
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

    @Test(arguments: ["FEAT", "PASS", "MLSC"]) func aReplyThatBreaksOff(_ command: String) async throws {
        let server = try await ScriptedServer(facts: ["/d": Self.directory], breaksAt: command)
        let (result, _) = try await list(server)
        #expect(result.errorClass == .connect, "\(result.reason ?? "ok")")
    }
}
