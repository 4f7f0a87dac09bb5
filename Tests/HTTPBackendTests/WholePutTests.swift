import Foundation
import HaulModel
import HaulProtocol
import Synchronization
import Testing

/// Small files that are written under their final names, where a server shows none that was cut off.
@Suite(.serialized) struct WholePutTests {
    private static let files = 40
    private static let content = String(repeating: "content ", count: 50)

    /// Puts files to a server of some ways.
    private func put(
        _ ways: String, late: [String] = [], options: [String: JSONValue] = [:], site: [String: JSONValue] = [:],
        before: [String: String] = [:], files: Int = Self.files,
        check: (_ outcome: Bench.Outcome, _ asked: [String: Int], _ content: (String) async throws -> String?)
            async throws -> Void
    ) async throws {
        let bench = try Bench()
        defer { bench.remove() }
        let server = try await HostileServer.start(["-c", PuttingServer.script, ways] + late)
        for (name, content) in before {
            _ = try await ask("PUT", server.endpoint, name, content)
        }
        try bench.write(bench.a + "/f", Self.content)
        let elements = (0..<files).map {
            ElementSpec(
                id: "\($0)", source: bench.a + "/f", destination: "/f\($0)", size: Self.content.utf8.count,
                partSeed: "seed.\($0)")
        }
        let outcome = try await bench.run(
            bench.batch(.put, server.endpoint, options: options, site: site, concurrency: 12), elements)
        let counts = try await ask("GET", server.endpoint, "/.asked") ?? ""
        let asked = try JSONDecoder().decode([String: Int].self, from: Data(counts.utf8))
        try await check(outcome, asked) { try await ask("GET", server.endpoint, $0) }
        // Neither a part nor what the server was tested with.
        let listed = try await bench.one(bench.batch(.list, server.endpoint), "/").outcome.paths
        #expect(!listed.keys.contains { $0.contains(PartFile.prefix) }, "\(listed)")
        await server.stop()
    }

    /// Asks with a curl process: no connection, nor anything else, of what is tested.
    private func ask(_ method: String, _ endpoint: String, _ path: String, _ body: String? = nil) async throws
        -> String?
    {
        let curl = try #require(ToolPath.find("curl"))
        var arguments = ["-s", "-f", "-X", method, "http://\(endpoint)\(path)"]
        if let body { arguments += ["--data-binary", body] }
        let child = try await Child.start(Command(executable: curl, arguments: arguments, output: .pipe, errors: .null))
        var text = Data()
        while let data = await child.output?.read() { text.append(data) }
        return await child.wait().isSuccess ? String(decoding: text, as: UTF8.self) : nil
    }

    @Test(arguments: [
        ("claims", "detect", true), ("", "try", true), ("claims", "never", false), ("", "detect", false),
        ("claims,open", "detect", false), ("open", "try", false), ("claims,any", "detect", false),
    ])
    func whoIsBelieved(_ ways: String, _ belief: String, _ isBelieved: Bool) async throws {
        let files = isBelieved ? 5 * Self.files : Self.files
        try await put(ways, site: ["whole_puts": .string(belief)], files: files) { outcome, asked, content in
            #expect(outcome.results.count == files)
            #expect(outcome.results.values.allSatisfy { $0.isOK })
            for index in 0..<files {
                let there = try await content("/f\(index)")
                #expect(there == Self.content)
            }
            let moved = asked["MOVE"] ?? 0
            // The first few are not worth a test; those that come while it runs do not wait for it.
            if isBelieved { #expect((8..<files / 2).contains(moved), "\(asked)") } else { #expect(moved == files) }
        }
    }

    @Test func whatIsComparedByItsContentIsSoBefore() async throws {
        try await put("claims", options: ["verify": "checksum"]) { outcome, asked, _ in
            #expect(outcome.results.values.allSatisfy { $0.isOK })
            #expect(asked["MOVE"] == Self.files, "\(asked)")
        }
    }

    /// What did not arrive as it was sent is removed, and the server not believed any more.
    @Test func aServerThatKeepsLess() async throws {
        try await put("claims,short") { outcome, asked, content in
            for index in 0..<Self.files {
                #expect(outcome.results["\(index)"]?.errorClass == .checksum)
                let there = try await content("/f\(index)")
                #expect(there == nil)
            }
            #expect(asked["MOVE"] == nil)
        }
    }

    @Test func whatAppearsMeanwhileStays() async throws {
        let late = (0..<Self.files).map { "/f\($0)" }
        try await put("claims", late: late) { outcome, _, content in
            for index in 0..<Self.files {
                // A part is moved before anybody looks: those of the first few are.
                guard try await content("/f\(index)") == "of another client" else { continue }
                #expect(outcome.results["\(index)"]?.errorClass == .exists)
            }
            #expect(outcome.results.values.contains { $0.errorClass == .exists })
        }
    }

    /// A server may have what it does not list: what is there and equal is so all the same, and what differs gives way
    /// where it may.
    @Test(arguments: [("never", 0), ("different", 0), ("always", 1)])
    func whatIsNotListed(_ overwrite: String, _ copied: Int) async throws {
        let before = Dictionary(uniqueKeysWithValues: (0..<Self.files).map { ("/f\($0)", Self.content.uppercased()) })
        try await put("claims,hides", options: ["overwrite": .string(overwrite)], before: before) {
            outcome, _, content in
            for index in 0..<Self.files {
                #expect(outcome.results["\(index)"]?.isOK == true, "\(outcome.results["\(index)"]?.reason ?? "")")
                let expected = copied == 1 ? Self.content : Self.content.uppercased()
                let there = try await content("/f\(index)")
                #expect(there == expected)
            }
        }
    }

    @Test func manyQuestionsAreOne() async throws {
        let before = Dictionary(uniqueKeysWithValues: (0..<Self.files).map { ("/f\($0)", Self.content.uppercased()) })
        try await put("claims", before: before) { outcome, asked, _ in
            #expect(outcome.results.values.allSatisfy { $0.isOK })
            let looks = (asked["HEAD"] ?? 0) + (asked["PROPFIND"] ?? 0)
            #expect(looks < Self.files, "\(asked)")
            #expect(asked["PUT"] == before.count, "\(asked)")
        }
    }

    /// apache's children, or the backend, killed in the middle of it all: whatever has a final name is whole, and the next
    /// attempt finds or makes the rest.
    @Test(arguments: [true, false]) func killedInTheMiddle(_ isServer: Bool) async throws {
        try await Kind.apache.withServers { bench, a, b in
            let content = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
            try bench.write(bench.a + "/f", content)
            let elements = (0..<300).map {
                ElementSpec(
                    id: "\($0)", source: "/f", destination: "/to/f\($0)", size: content.count,
                    partSeed: "seed.\($0)")
            }
            let batch = bench.batch(.copy, a, to: b)
            let ended = Mutex(0)
            let first = try await bench.run(batch, elements) { event, run in
                guard case .result = event, let run else { return }
                let count = ended.withLock { count in
                    count += 1
                    return count
                }
                guard count == 60 else { return }
                if isServer { Self.killWriters(below: bench.b) } else { kill(run.pid, SIGKILL) }
            }
            for name in bench.names(bench.b + "/to") where name.hasPrefix("f") {
                #expect(FileManager.default.contents(atPath: bench.b + "/to/" + name) == content, "\(name)")
            }
            for result in first.results.values where !result.isOK {
                #expect(result.errorClass?.isPermanent == false, "\(result)")
            }
            for name in bench.names(bench.folder + "/scratch") { unlink(bench.folder + "/scratch/" + name) }
            for name in bench.names(bench.folder + "/spool") { unlink(bench.folder + "/spool/" + name) }
            // One of them may meet a connection that the server has just closed, and then comes once more, as any attempt.
            var left = elements
            for attempt in 2...4 where !left.isEmpty {
                let again = left.map { element in
                    var element = element
                    element.attempt = attempt
                    return element
                }
                let next = try await bench.run(batch, again)
                left = left.filter { next.results[$0.id]?.isOK != true }
                let failed = next.results.values.filter { !$0.isOK }
                #expect(failed.count < 5 && failed.allSatisfy { $0.errorClass?.isPermanent == false }, "\(failed)")
            }
            #expect(left.isEmpty)
            let names = bench.names(bench.b + "/to")
            #expect(names.filter { $0.hasPrefix("f") }.count == 300)
            for index in 0..<300 {
                #expect(FileManager.default.contents(atPath: bench.b + "/to/f\(index)") == content)
            }
        }
    }

    /// Kills the processes that have a file below the folder open; a server's main process starts others in their place.
    private static func killWriters(below folder: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = Int32(name), pid != getpid() else { continue }
            let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
            let writes = descriptors.contains { descriptor in
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/\(pid)/fd/\(descriptor)")
                return target?.hasPrefix(folder + "/") ?? false
            }
            if writes { kill(pid, SIGKILL) }
        }
    }
}
