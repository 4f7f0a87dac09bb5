import Foundation
import HaulModel
import HaulProtocol
import Support
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(6)))
struct BackendRunTests {
    @Test func goodElementsAreOK() async throws {
        let events = try await Runs.run(nil, (0..<300).map { "/x/\($0)" })
        for index in 0..<300 { #expect(events.results("\(index)").first?.isOK == true) }
    }

    /// But for what is a worker's to say: that would cost no try.
    @Test(arguments: ErrorClass.allCases) func failsWithItsClass(_ errorClass: ErrorClass) async throws {
        let events = try await Runs.run(nil, ["/fail/\(errorClass.rawValue)/x"])
        #expect(events.results("0").first?.errorClass == (errorClass == .drained ? .unknown : errorClass))
    }

    @Test func anExitFailsWhatHasNoResult() async throws {
        let events = try await Runs.run(nil, ["/exit/7/x", "/sleep/20/a", "/y", "/z"], concurrency: 2)
        #expect(events.results("0").first?.errorClass == .backend)
        #expect(events.results("0").first?.returncode == 7)
        #expect(events.results("3").first?.errorClass == .backend)
    }

    @Test func aSignalFailsWhatHasNoResult() async throws {
        let events = try await Runs.run(nil, ["/signal/9/x"])
        #expect(events.results("0").first?.errorClass == .backend)
        #expect(events.results("0").first?.reason?.contains("signal 9") == true)
    }

    @Test func garbageFailsTheBatchAndIsQuoted() async throws {
        let events = try await Runs.run(nil, ["/sleep/20/a", "/garbage/x"])
        #expect(events.results("0").first?.errorClass == .backend)
        #expect(events.results("1").first?.errorClass == .backend)
        #expect(events.log("0").contains("\"this is no line of the contract\""))
    }

    @Test func theFirstOfTwoResultsCounts() async throws {
        let events = try await Runs.run(nil, ["/double/x", "/sleep/0.5/x"])
        #expect(events.results("0").first == ElementResult(transferred: 1))
        #expect(events.log("1").contains("has its result already"))
    }

    @Test func noProgressIsATimeout() async throws {
        let events = try await Runs.run(nil, ["/silent/x", "/sleep/0.2/y"], timeout: 3)
        #expect(events.results("0").first?.errorClass == .timeout)
        #expect(events.results("1").first?.isOK == true)
    }

    @Test func progressIsNoTimeout() async throws {
        let events = try await Runs.run(nil, ["/sleep/8/y"], timeout: 4)
        #expect(events.results("0").first?.isOK == true)
    }

    @Test func cancelEndsOneElementOnly() async throws {
        let folder = try Folder()
        let events = Events()
        let run = try await BackendRun.start(Runs.fake(), batch: Runs.batch(folder), graces: .init()) { events.add($0) }
        await run.add(ElementSpec(id: "a", source: "/sleep/60/a", destination: "/d"))
        await run.add(ElementSpec(id: "b", source: "/sleep/1/b", destination: "/d"))
        #expect(await events.until { $0.contains { if case .progress("a", _) = $0 { true } else { false } } })
        await run.cancel("nobody")
        await run.cancel("a", reason: "the user cancelled")
        await run.cancel("a", reason: "twice")
        await run.finish()
        await run.wait()
        #expect(events.results("a").first?.errorClass == .interrupted)
        #expect(events.results("a").first?.reason == "the user cancelled")
        #expect(events.results("b").first?.isOK == true)
    }

    @Test func cancelAfterTheLastElementWasAddedEndsOneElementOnly() async throws {
        let folder = try Folder()
        let events = Events()
        let run = try await BackendRun.start(Runs.fake(), batch: Runs.batch(folder), graces: .init()) { events.add($0) }
        await run.add(ElementSpec(id: "a", source: "/sleep/60/a", destination: "/d"))
        await run.add(ElementSpec(id: "b", source: "/sleep/8/b", destination: "/d"))
        await run.finish()
        #expect(await events.until { $0.contains { if case .progress("a", _) = $0 { true } else { false } } })
        await run.cancel("a", reason: "the user cancelled")
        await run.wait()
        #expect(events.results("a").first?.reason == "the user cancelled")
        #expect(events.results("b").first?.isOK == true)
    }

    @Test func terminateAfterTheLastElementWasAddedIsAnsweredAtOnce() async throws {
        let folder = try Folder()
        let events = Events()
        let graces = BackendRun.Graces(cancel: .seconds(60), terminate: .seconds(60), exit: .seconds(60))
        let run = try await BackendRun.start(Runs.fake(), batch: Runs.batch(folder), graces: graces) { events.add($0) }
        await run.add(ElementSpec(id: "a", source: "/sleep/60/a", destination: "/d"))
        await run.finish()
        #expect(await events.until { $0.contains { if case .progress("a", _) = $0 { true } else { false } } })
        let began = ContinuousClock.now
        await run.terminate(reason: "the end")
        #expect(events.results("a").first?.reason == "the end")
        #expect(ContinuousClock.now - began < .seconds(30))
    }

    @Test func cancelOfWhatWaits() async throws {
        let folder = try Folder()
        let events = Events()
        let run = try await BackendRun.start(
            Runs.fake(), batch: Runs.batch(folder, concurrency: 1), graces: Runs.quick
        ) { events.add($0) }
        await run.add(ElementSpec(id: "a", source: "/sleep/1/a", destination: "/d"))
        await run.add(ElementSpec(id: "b", source: "/b", destination: "/d"))
        await run.cancel("b")
        #expect(await events.until { $0.contains { $0.id == "b" } })
        #expect(events.results("b").first?.errorClass == .interrupted)
        await run.finish()
        await run.wait()
        #expect(events.results("a").first?.isOK == true)
        await run.add(ElementSpec(id: "late", source: "/late", destination: "/d"))
        #expect(await events.until { $0.contains { $0.id == "late" } })
        #expect(events.results("late").first?.errorClass == .backend)
    }

    @Test func theHandlerMayAddAndCancel() async throws {
        let folder = try Folder()
        let events = Events()
        let box = Mutex<BackendRun?>(nil)
        let run = try await BackendRun.start(
            Runs.fake(), batch: Runs.batch(folder, concurrency: 1), graces: Runs.quick
        ) { event in
            events.add(event)
            guard case .result("a", _) = event, let run = box.withLock({ $0 }) else { return }
            await run.cancel("c")
            await run.add(ElementSpec(id: "d", source: "/d", destination: "/d"))
            await run.finish()
            await run.add(ElementSpec(id: "e", source: "/e", destination: "/d"))
        }
        box.withLock { $0 = run }
        await run.add(ElementSpec(id: "a", source: "/sleep/0.2/a", destination: "/d"))
        await run.add(ElementSpec(id: "b", source: "/b", destination: "/d"))
        await run.add(ElementSpec(id: "c", source: "/c", destination: "/d"))
        await run.wait()
        box.withLock { $0 = nil }
        let classes = ["a", "b", "c", "d", "e"].map { events.results($0).map(\.errorClass) }
        #expect(classes == [[nil], [nil], [.interrupted], [nil], [.backend]])
    }

    @Test func terminateEndsWhatWaitsToo() async throws {
        let folder = try Folder()
        let events = Events()
        let run = try await BackendRun.start(
            Runs.fake(), batch: Runs.batch(folder, concurrency: 2), graces: Runs.quick
        ) { events.add($0) }
        for index in 0..<50 { await run.add(ElementSpec(id: "\(index)", source: "/sleep/60/x", destination: "/d")) }
        #expect(await events.until { !$0.isEmpty })
        await run.terminate(reason: "over")
        for index in 0..<50 { #expect(events.results("\(index)").map(\.errorClass) == [.interrupted]) }
    }

    @Test(arguments: ["/silent/x", "/stubborn/x"]) func theLadderEndsWhatDoesNotAnswer(_ source: String) async throws {
        let folder = try Folder()
        let events = Events()
        let run = try await BackendRun.start(Runs.fake(), batch: Runs.batch(folder), graces: Runs.quick) {
            events.add($0)
        }
        await run.add(ElementSpec(id: "a", source: source, destination: "/d"))
        #expect(await events.until { !$0.isEmpty })
        let pid = run.pid
        await run.terminate(reason: "the lease ended")
        #expect(events.results("a").map(\.errorClass) == [.interrupted])
        #expect(events.results("a").first?.reason == "the lease ended")
        #expect(kill(pid, 0) != 0)
    }

    @Test func aFloodIsHeldBackByItsReader() async throws {
        let count = Mutex(0)
        let before = Self.residentBytes()
        let most = Mutex(0)
        _ = try await Runs.run(nil, ["/flood/64/x"]) { event in
            guard case .log = event else { return }
            if count.withLock({
                $0 += 1; return $0
            }) % 8192 == 0 {
                most.withLock { $0 = max($0, Self.residentBytes()) }
            }
        }
        #expect(count.withLock { $0 } > 60_000)
        // The recorder of this test keeps every text (64 MiB and what strings cost); the runner adds next to nothing.
        #expect(most.withLock { $0 } - before < 600 << 20)
    }

    @Test func listsATree() async throws {
        let events = try await Runs.run(nil, ["/tree/2600/x/"], .list)
        #expect(events.results("0").first?.isOK == true)
        let tree = try await Runs.run(nil, ["/tree/2600"], .list)
        let entries = tree.list.flatMap {
            if case .entries(_, _, let entries) = $0 { entries } else { [ListingEntry]() }
        }
        #expect(entries.count == 2606)
    }

    static func residentBytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }
}
