import Foundation
import HaulModel
import HaulPlayground
import HaulProtocol
import Support
import Testing

/// Logging in, staying in, and being thrown out.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ConnectionTests {
    @Test func anotherHostKeyIsRefused() async throws {
        try await Bench.with { bench in
            try bench.write("a", "x")
            let other = try await Sshd.start()
            let site = bench.site(["host_keys": [.string(other.hostKey)]])
            await other.stop()
            let (result, _) = try await bench.one(bench.batch(.list, site: site), "a")
            #expect(result.errorClass == .auth)
            let host = bench.server.endpoint
            #expect(result.reason?.hasPrefix("the host key of \(host) does not match the site's host_keys") == true)
            #expect(result.reason?.contains("(it showed SHA256:") == true, "\(result)")
            #expect(result.reason?.contains("@@@") == false && result.reason?.contains("WARNING") == false)
            // A key of a type that the server does not have.
            let tool = try #require(ToolPath.find("ssh-keygen"))
            let made = try await Child.start(
                Command(
                    executable: tool,
                    arguments: ["-q", "-t", "ecdsa", "-N", "", "-C", "", "-f", bench.folder + "/foreign"]))
            #expect(await made.wait().isSuccess)
            let line = try String(contentsOfFile: bench.folder + "/foreign.pub", encoding: .utf8)
            let foreign = bench.site([
                "host_keys": [
                    .string(
                        line.split(separator: " ").prefix(2).joined(separator: " ").trimmingCharacters(in: .newlines))
                ]
            ])
            let (unknown, _) = try await bench.one(bench.batch(.list, site: foreign), "a")
            #expect(unknown.errorClass == .auth)
            #expect(unknown.reason?.hasPrefix("the host key of \(host) does not match") == true, "\(unknown)")
            #expect(bench.logins == 0)
        }
    }

    @Test func anotherLoginKeyIsRefused() async throws {
        try await Bench.with { bench in
            let other = try await Sshd.start()
            let key = bench.folder + "/other-key"
            try FileManager.default.copyItem(atPath: other.loginKey, toPath: key)
            await other.stop()
            let elements = (0..<30).map { ElementSpec(id: "\($0)", source: "a") }
            let outcome = try await bench.run(bench.batch(.list, site: bench.site(key: key)), elements)
            #expect(outcome.results.count == 30)
            for result in outcome.results.values {
                #expect(result.errorClass == .auth)
                #expect(result.reason?.contains("does not accept this user with this key") == true, "\(result)")
            }
        }
    }

    @Test func aKeyThatIsNone() async throws {
        try await Bench.with { bench in
            let file = bench.folder + "/garbage"
            _ = FileManager.default.createFile(
                atPath: file, contents: Data("garbage\n".utf8), attributes: [.posixPermissions: 0o600])
            for key in [file, bench.folder + "/missing"] {
                let (result, _) = try await bench.one(bench.batch(.list, site: bench.site(key: key)), "a")
                #expect(result.errorClass == .auth, "\(result)")
            }
        }
    }

    @Test func aClosedPortIsNoConnection() async throws {
        try await Bench.with { bench in
            try bench.write("a", "x")
            let closed = "127.0.0.1:1"
            let (result, _) = try await bench.one(bench.batch(.list, site: bench.site(endpoints: [closed])), "a")
            #expect(result.errorClass == .connect)
            #expect(result.reason?.contains(closed) == true)
            let both = bench.site(endpoints: [closed, bench.server.endpoint])
            let (second, _) = try await bench.one(bench.batch(.list, site: both), "a")
            #expect(second.isOK, "the next endpoint is tried: \(second)")
        }
    }

    @Test func aBatchSharesOneConnection() async throws {
        try await Bench.with { bench in
            let elements = (0..<120).map { ElementSpec(id: "\($0)", source: "from/\($0)", destination: "to/\($0)") }
            for index in 0..<120 { try bench.write("from/\(index)", "content \(index)") }
            let outcome = try await bench.run(bench.batch(.copy, concurrency: 16), elements)
            #expect(outcome.results.values.count { $0.isOK } == 120)
            #expect(bench.text("to/77") == "content 77")
            #expect(bench.logins == 1)
        }
    }

    @Test func aLostSessionFailsWhatRunsAndIsReplaced() async throws {
        try await Bench.with { bench in
            try bench.writeLarge("large", mebibytes: 256)
            try bench.write("small", "x")
            let batch = bench.batch(.copy, concurrency: 1)
            let running = try await bench.start(batch) { event, _ in
                guard case .progress("large", _) = event else { return }
                try await bench.partHasGrown()
                bench.signalSessions(SIGKILL)
            }
            await running.run?.add(ElementSpec(id: "large", source: "large", destination: "copy", partSeed: "seed"))
            for index in 0..<3 {
                await running.run?.add(ElementSpec(id: "\(index)", source: "small", destination: "small-\(index)"))
            }
            let outcome = await running.end()
            let failed = try #require(outcome.results["large"])
            #expect([.connect, .interrupted].contains(failed.errorClass), "\(failed)")
            #expect(failed.reason?.isEmpty == false)
            for index in 0..<3 { #expect(outcome.results["\(index)"]?.isOK == true, "\(outcome.results)") }
            #expect(bench.logins == 2)
            #expect(!bench.exists("copy"))
            let (again, log) = try await bench.one(bench.batch(.copy), "large", "copy", attempt: 2)
            #expect(again.isOK, "\(again)")
            #expect(log.log.contains("going on from byte"))
            #expect(bench.data("copy") == bench.data("large"))
        }
    }

    /// The part goes although the connection that it was written over is gone.
    @Test func theLastAttemptLeavesNoPartBehind() async throws {
        try await Bench.with { bench in
            try bench.writeLarge("large", mebibytes: 256)
            let (result, _) = try await bench.one(bench.batch(.copy), "large", "copy", last: true) { event, _ in
                guard case .progress = event else { return }
                try await bench.partHasGrown()
                bench.signalSessions(SIGKILL)
            }
            #expect(result.errorClass == .connect || result.errorClass == .interrupted, "\(result)")
            #expect(bench.parts() == [])
        }
    }

    /// A server that hangs keeps neither a cancelled element nor, once its connection is gone, the rest of the batch.
    @Test func aServerThatHangsKeepsNoCancelledElement() async throws {
        try await Bench.with { bench in
            try bench.writeLarge("large", mebibytes: 256)
            try bench.write("small", "x")
            // So slow that it is not through before it is noticed.
            let slow: [String: JSONValue] = ["bandwidth": .int(32 << 20)]
            let running = try await bench.start(bench.batch(.copy, slow)) { event, run in
                guard case .progress("large", _) = event else { return }
                bench.signalSessions(SIGSTOP)
                await run?.cancel("large")
            }
            await running.run?.add(ElementSpec(id: "large", source: "large", destination: "copy", partSeed: "seed"))
            try await eventually("the cancelled element ends") { running.outcome.results["large"] != nil }
            #expect(running.outcome.results["large"]?.errorClass == .interrupted)
            bench.signalSessions(SIGKILL)
            try await eventually("the session is gone") { bench.sessions().isEmpty }
            await running.run?.add(ElementSpec(id: "small", source: "small", destination: "small-copy"))
            let outcome = await running.end()
            #expect(outcome.results["small"]?.errorClass.map { $0 == .connect } ?? true, "\(outcome.results)")
            // What a server that did not answer was left with is the only part that a cancel may leave.
            for part in bench.parts() { try FileManager.default.removeItem(atPath: bench.root + "/" + part) }
        }
    }
}
