import Foundation
import HaulModel
import HaulProtocol

/// The backend without a site: paths say what happens. The list stands in `protocols/README.md`, "fake".
struct FakeBackend: Backend {
    static func open(_ batch: BatchSpec) async throws -> FakeBackend { FakeBackend() }

    func list(_ element: ElementSpec, _ report: ElementReport) async throws {
        if case .tree(let files) = FakePath(element.source), element.source.split(separator: "/").count == 2 {
            return try await FakeTree(files: files).list(element.source, report)
        }
        if case .drip(let files, let seconds) = FakePath(element.source),
            element.source.split(separator: "/").count == 3
        {
            return try await drip(element.source, files, over: seconds, report)
        }
        try await act(element, report)
        let (directory, name) = ListingPath.parent(element.source)
        try await report.entries(directory: directory, [ListingEntry(name: name, kind: .file)])
    }

    func copy(_ element: ElementSpec, _ report: ElementReport) async throws { try await act(element, report) }
    func get(_ element: ElementSpec, _ report: ElementReport) async throws { try await act(element, report) }
    func remove(_ element: ElementSpec, _ report: ElementReport) async throws { try await act(element, report) }
    func rename(_ element: ElementSpec, _ report: ElementReport) async throws { try await act(element, report) }
    func mkdir(_ element: ElementSpec, _ report: ElementReport) async throws { try await act(element, report) }

    /// The local path has no say: the site's path, the destination, says what happens.
    func put(_ element: ElementSpec, _ report: ElementReport) async throws {
        var element = element
        element.source = element.destination ?? element.source
        try await act(element, report)
    }

    private func act(_ element: ElementSpec, _ report: ElementReport) async throws {
        let path = FakePath(element.source)
        // The flood goes past the kit, whose own lines must not fall into its middle.
        if case .vanish(let attempt) = path, element.attempt < attempt { kill(getpid(), SIGKILL) }
        if case .flood = path {} else { report.log("fake: \(element.source)") }
        switch path {
        case .ok, .vanish, .drip: report.transferred(0)
        case .tree: report.transferred(element.size ?? 0)
        case .sleep(let seconds): try await sleep(seconds, report)
        case .fail(let errorClass): throw BackendFailure(errorClass, "failed on demand: \(element.source)")
        case .failUntil(let attempt, let errorClass):
            if element.attempt < attempt {
                throw BackendFailure(errorClass, "attempt \(element.attempt) fails on demand")
            }
        case .exit(let code): exit(code)
        case .signal(let number): kill(getpid(), number)
        case .garbage: Self.say("this is no line of the contract\n")
        case .double: Self.say(BackendLine.result(id: element.id, ElementResult(transferred: 1)).line())
        case .silent: await Self.hang()
        case .stubborn:
            try await Task.sleep(for: .milliseconds(100))  // for the log to get out
            // A stopped process heeds no SIGTERM, only SIGKILL.
            kill(getpid(), SIGSTOP)
            await Self.hang()
        case .flood(let mebibytes): try await flood(mebibytes, report)
        case .size(let bytes): try await pretend(bytes, report)
        }
    }

    /// A directory whose files come one by one, as a large one's do from a slow site.
    private func drip(_ source: String, _ files: Int, over seconds: Double, _ report: ElementReport) async throws {
        let top = ListingPath.directory(source)
        if files == 0 { try await report.entries(directory: top, []) }
        let began = ContinuousClock.now
        for number in 0..<files {
            try await Task.sleep(until: began + .seconds(seconds * Double(number + 1) / Double(files)))
            try await report.entries(directory: top, [ListingEntry(name: "f\(number)", kind: .file, size: 1024)])
        }
    }

    private func sleep(_ seconds: Double, _ report: ElementReport) async throws {
        let steps = max(1, Int(seconds * 10))
        for step in 1...steps {
            try await Task.sleep(for: .seconds(seconds / Double(steps)))
            report.progress(transferred: step, total: steps)
        }
        report.transferred(0)
    }

    /// A copy of that many bytes at about 1 GiB/s, so that progress is seen.
    private func pretend(_ bytes: Int, _ report: ElementReport) async throws {
        var done = 0
        report.progress(transferred: 0, total: bytes)
        while done < bytes {
            try await Task.sleep(for: .milliseconds(10))
            done = min(bytes, done + (10 << 20))
            report.progress(transferred: done, total: bytes)
        }
        report.transferred(bytes)
    }

    private func flood(_ mebibytes: Int, _ report: ElementReport) async throws {
        let text = String(repeating: "flood ", count: 170)
        let line = BackendLine.log(id: report.id, text: text).line()
        let block = Data((0..<((1 << 20) / line.count + 1)).flatMap { _ in line })
        for _ in 0..<mebibytes {
            try Task.checkCancellation()
            Self.say(block)
        }
    }

    /// Past the kit, as a broken backend would.
    private static func say(_ data: Data) { try? FileHandle.standardOutput.write(contentsOf: data) }
    private static func say(_ text: String) { say(Data(text.utf8)) }

    /// Never returns, whatever is cancelled.
    private static func hang() async {
        while true {
            await withCheckedContinuation {
                DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: $0.resume)
            }
        }
    }
}
