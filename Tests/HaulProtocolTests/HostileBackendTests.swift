import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

/// Backends that do what none should, as scripts.
@Suite(.timeLimit(.minutes(6)), .serialized)
struct HostileBackendTests {
    static let ok = #"printf '{"type":"result","id":"0","outcome":"ok"}\n'"#

    @Test(arguments: [
        ("a partial line at the end", #"printf '{"type":"result","id":"0","outc'"#),
        ("a line of 10 MiB", "head -c 10485760 /dev/zero | tr '\\0' x; echo; sleep 30"),
        ("an unended line of 10 MiB", "head -c 10485760 /dev/zero | tr '\\0' x; sleep 30"),
        ("no JSON object", "echo '[1,2]'; sleep 30"),
        (
            "an entry that leads out",
            #"printf '{"type":"entries","id":"0","directory":"/d","entries":[{"name":"../x"}]}\n'; sleep 30"#
        ),
        ("an empty line", "echo; sleep 30"),
        ("silence", "exit 0"),
        ("stdout closed", "exec >&-; sleep 30"),
    ])
    func failsTheElement(_ what: String, _ script: String) async throws {
        let folder = try Folder()
        let backend = try folder.script("#!/bin/bash\nread batch; read element\n\(script)\n")
        let started = ContinuousClock.now
        let events = try await Runs.run(backend, ["/a"], timeout: 4)
        #expect(events.results("0").first?.errorClass == (what == "stdout closed" ? .timeout : .backend))
        #expect(ContinuousClock.now - started < .seconds(25))
    }

    @Test func aBigLogLineIsRefusedAndABigListingIsNot() async throws {
        let folder = try Folder()
        let big = "head -c 1500000 /dev/zero | tr '\\0' x"
        let log = try folder.script(
            "#!/bin/bash\nread b; read e\nprintf '{\"type\":\"log\",\"id\":\"0\",\"text\":\"'; \(big); echo '\"}'; \(Self.ok); read x\n"
        )
        #expect(try await Runs.run(log, ["/a"]).results("0").first?.errorClass == .backend)
        let list = try folder.script(
            "#!/bin/bash\nread b; read e\nprintf '{\"type\":\"entries\",\"id\":\"0\",\"directory\":\"/\",\"entries\":[{\"name\":\"'; \(big); echo '\"}]}'; \(Self.ok); read x\n"
        )
        #expect(try await Runs.run(list, ["/a"]).results("0").first?.isOK == true)
    }

    @Test func unknownIDsAreLogged() async throws {
        let folder = try Folder()
        let backend = try folder.script(
            "#!/bin/bash\nread b; read e\necho '{\"type\":\"result\",\"id\":\"9\",\"outcome\":\"ok\"}'; \(Self.ok); read x\n"
        )
        let events = try await Runs.run(backend, ["/a"])
        #expect(events.results("0").first?.isOK == true)
        #expect(events.results("9").isEmpty)
        #expect(events.log("0").contains("never sent"))
    }

    /// What a streamed source failed with goes into the element's reason, and to the other site.
    @Test func secretsAreRedactedInAnswers() async throws {
        let folder = try Folder()
        let file = "\(folder.path)/key"
        try Data("long-secret-token\n".utf8).write(to: URL(fileURLWithPath: file))
        let backend = try folder.script(
            """
            #!/bin/bash
            read b; read e; read ask
            echo '{"type":"answer","id":"0","answer":"failed","class":"auth","reason":"long-secret-token is wrong"}'
            read end
            echo '{"type":"result","id":"0","outcome":"ok"}'
            read x
            """)
        let events = Events()
        let run = try await BackendRun.start(
            backend, batch: Runs.batch(folder, .get, credentials: ["token": file]), graces: Runs.quick
        ) { events.add($0) }
        await run.add(ElementSpec(id: "0", source: "/a", pipe: folder.path + "/pipe"))
        #expect(await run.ask("0", .facts))
        #expect(await events.until { $0.contains { if case .answer = $0 { true } else { false } } })
        let answers = events.list.compactMap { if case .answer(_, let answer) = $0 { answer } else { nil } }
        #expect(answers == [.failed(BackendFailure(.auth, "[redacted] is wrong"))])
        _ = await run.ask("0", .end)
        await run.finish()
        await run.wait()
        #expect(events.results("0").first?.isOK == true)
    }

    @Test func secretsAreRedacted() async throws {
        let folder = try Folder()
        let file = "\(folder.path)/key"
        try Data("alice:hunter22x\nlong-secret-token\n".utf8).write(to: URL(fileURLWithPath: file))
        let backend = try folder.script(
            """
            #!/bin/bash
            read b; read e
            echo "curl: long-secret-token was refused, password hunter22x" >&2
            echo '{"type":"log","id":"0","text":"Basic YWxpY2U6aHVudGVyMjJ4"}'
            sleep 0.3
            echo '{"type":"result","id":"0","outcome":"failed","class":"auth","reason":"long-secret-token is wrong"}'
            read x
            """)
        let events = try await Runs.run(backend, ["/a"], credentials: ["token": file])
        let said = events.log("0") + (events.results("0").first?.reason ?? "")
        #expect(said.contains("[redacted] was refused, password [redacted]"))
        #expect(said.contains("Basic [redacted]"))
        #expect(said.contains("[redacted] is wrong"))
        #expect(!said.contains("hunter22x") && !said.contains("secret-token"))
    }

    @Test func theGroupGoesWithItsLeader() async throws {
        let folder = try Folder()
        let mark = "31\(Int.random(in: 100_000...999_999))"
        let backend = try folder.script(
            "#!/bin/bash\nfor i in $(seq 20); do (trap '' TERM; sleep \(mark)) & done\nread b; read e; \(Self.ok)\n")
        let events = try await Runs.run(backend, ["/a"])
        #expect(events.results("0").first?.isOK == true)
        let deadline = ContinuousClock.now + .seconds(5)
        while Self.processes(holding: mark) > 0, ContinuousClock.now < deadline { await Task.yield() }
        #expect(Self.processes(holding: mark) == 0)
    }

    @Test func killedFromOutside() async throws {
        let folder = try Folder()
        let events = Events()
        let run = try await BackendRun.start(Runs.fake(), batch: Runs.batch(folder, concurrency: 8), graces: Runs.quick)
        { events.add($0) }
        for index in 0..<20 { await run.add(ElementSpec(id: "\(index)", source: "/sleep/30/x", destination: "/d")) }
        #expect(await events.until { !$0.isEmpty })
        kill(run.pid, SIGKILL)
        await run.wait()
        for index in 0..<20 { #expect(events.results("\(index)").map(\.errorClass) == [.backend]) }
    }

    @Test func twoRunsAtOnceAndNoDescriptorLeaks() async throws {
        _ = try await Runs.run(nil, ["/a"])
        let before = Self.descriptors()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<2 {
                group.addTask {
                    for index in 0..<100 {
                        let source = ["/a", "/fail/busy", "/exit/3", "/garbage"][(index + worker) % 4]
                        _ = try await Runs.run(nil, [source])
                    }
                }
            }
            try await group.waitForAll()
        }
        let deadline = ContinuousClock.now + .seconds(5)
        while Self.descriptors() > before, ContinuousClock.now < deadline { await Task.yield() }
        #expect(Self.descriptors() <= before)
        #expect(Self.zombies() == 0)
    }

    @Test func aMissingProgramIsSaid() async throws {
        await #expect(throws: SpawnError.self) { try await Child.start(Command(executable: "/no/such/thing")) }
        await #expect(throws: SpawnError.self) {
            try await Child.start(Command(executable: "/bin/true", directory: "/no/such/folder"))
        }
    }

    static func descriptors() -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    }

    static func statuses() -> [(command: String, stat: String)] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { Int($0) != nil }.map { pid in
            let command = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            let stat = FileManager.default.contents(atPath: "/proc/\(pid)/stat") ?? Data()
            return (String(decoding: command, as: UTF8.self), String(decoding: stat, as: UTF8.self))
        }
    }

    static func processes(holding mark: String) -> Int { statuses().filter { $0.command.contains(mark) }.count }

    static func zombies() -> Int {
        statuses().filter { $0.stat.contains(") Z \(getpid()) ") }.count
    }
}
